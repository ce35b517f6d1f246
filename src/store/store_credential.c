/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_internal.h"

#include "base/arena.h"

#include <string.h>

static const char insert_credential[] =
    "INSERT INTO credential (account_id, owner_kind, owner_id, position, id, kind, hash, sealed, "
    "hint, public_material, rule, created_at, expires_at, retired_at) "
    "VALUES (:account_id, :owner_kind, :owner_id, :position, :id, :kind, :hash, :sealed, :hint, "
    "NULL, NULL, :created_at, :expires_at, :retired_at)";
static const char delete_use[] =
    "DELETE FROM credential_use WHERE credential_id IN (SELECT id FROM credential "
    "WHERE account_id = :account_id AND owner_kind = :owner_kind AND owner_id = :owner_id)";
static const char delete_credentials[] =
    "DELETE FROM credential "
    "WHERE account_id = :account_id AND owner_kind = :owner_kind AND owner_id = :owner_id";
static const char select_credentials[] =
    "SELECT id, kind, hash, hint, created_at, expires_at, retired_at, sealed FROM credential "
    "WHERE account_id = :account_id AND owner_kind = :owner_kind AND owner_id = :owner_id "
    "ORDER BY position";

static void bind_owner(struct sql_stmt *stmt, const struct principal *owner)
{
    sql_bind_text(stmt, ":account_id", owner->account_id);
    sql_bind_text(stmt, ":owner_kind", principal_kind_names[owner->kind]);
    sql_bind_text(stmt, ":owner_id", owner->id);
}

static enum status insert(struct store_tx *tx, const struct principal *owner, size_t position,
                          struct err *err)
{
    const struct credential *credential = &owner->credentials[position];
    struct sql_stmt *stmt = sql_prepare(tx->conn, insert_credential);
    bind_owner(stmt, owner);
    sql_bind_int64(stmt, ":position", (int64_t)position);
    sql_bind_text(stmt, ":id", credential->id);
    sql_bind_text(stmt, ":kind", principal_credential_kinds[credential->kind]);
    sql_bind_bytes(stmt, ":hash", credential->hash);
    sql_bind_bytes(stmt, ":sealed", credential->sealed);
    sql_bind_text(stmt, ":hint", credential->hint);
    sql_bind_int64(stmt, ":created_at", credential->created_at);
    sql_bind_int64(stmt, ":expires_at", credential->expires_at);
    sql_bind_int64(stmt, ":retired_at", credential->retired_at);
    return sql_run(stmt, NULL, err);
}

enum status store_credential_insert(struct store_tx *tx, const struct principal *owner,
                                    struct err *err)
{
    if (owner->credential_count > CREDENTIALS_MAX)
        return fail(err, INVALID, "an owner has at most %d credentials", CREDENTIALS_MAX);
    enum status status = OK;
    for (size_t i = 0; status == OK && i < owner->credential_count; i++)
        status = insert(tx, owner, i, err);
    return status;
}

static enum status delete_of_owner(struct store_tx *tx, const char *text,
                                   const struct principal *owner, struct err *err)
{
    struct sql_stmt *stmt = sql_prepare(tx->conn, text);
    bind_owner(stmt, owner);
    return sql_run(stmt, NULL, err);
}

enum status store_credential_delete(struct store_tx *tx, const struct principal *owner,
                                    struct err *err)
{
    enum status status = delete_of_owner(tx, delete_use, owner, err);
    return status == OK ? delete_of_owner(tx, delete_credentials, owner, err) : status;
}

static void read_credential(struct sql_stmt *row, bool with_sealed, struct arena *arena,
                            struct credential *ret_credential)
{
    size_t kind = 0;
    *ret_credential = (struct credential){0};
    ret_credential->id = sql_get_text(row, arena);
    if (!role_find(principal_credential_kinds, CREDENTIAL_KIND_COUNT, sql_get_text(row, NULL),
                   &kind))
        sql_reject(row, "a credential of an unknown kind");
    ret_credential->kind = (enum credential_kind)kind;
    ret_credential->hash = sql_get_bytes(row, arena);
    ret_credential->hint = sql_get_text(row, arena);
    ret_credential->created_at = sql_get_int64(row);
    ret_credential->expires_at = sql_get_int64(row);
    ret_credential->retired_at = sql_get_int64(row);
    if (with_sealed)
        ret_credential->sealed = sql_get_bytes(row, arena);
}

enum status store_credential_read(struct sql_conn *conn, bool with_sealed, struct arena *arena,
                                  struct principal *owner, struct err *err)
{
    struct credential credentials[CREDENTIALS_MAX];
    size_t count = 0;
    struct sql_stmt *row = sql_prepare(conn, select_credentials);
    bind_owner(row, owner);
    while (sql_next(row)) {
        if (count < CREDENTIALS_MAX)
            read_credential(row, with_sealed, arena, &credentials[count++]);
        else
            sql_reject(row, "too many credentials of one owner");
    }
    enum status status = sql_end(row, err);
    if (status != OK)
        return status;
    owner->credentials = arena_zalloc(arena, count, sizeof credentials[0]);
    if (owner->credentials == NULL)
        return fail(err, NO_MEMORY, "no memory for an owner's credentials");
    memcpy(owner->credentials, credentials, count * sizeof credentials[0]);
    owner->credential_count = count;
    return OK;
}
