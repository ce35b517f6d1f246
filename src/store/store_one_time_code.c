/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_internal.h"

static const char insert_code[] =
    "INSERT INTO one_time_code (hash, account_id, user_id, is_invitation, expires_at) "
    "VALUES (:hash, :account_id, :user_id, :is_invitation, :expires_at)";
static const char delete_of_user[] = "DELETE FROM one_time_code WHERE user_id = :user_id";
static const char delete_code[] =
    "DELETE FROM one_time_code WHERE hash = :hash AND expires_at > :now";
static const char select_code[] = "SELECT user_id, is_invitation FROM one_time_code "
                                  "WHERE hash = :hash AND expires_at > :now";

enum status store_one_time_code_forget(struct store_tx *tx, struct span user_id, struct err *err)
{
    struct sql_stmt *stmt = sql_prepare(tx->conn, delete_of_user);
    sql_bind_text(stmt, ":user_id", user_id);
    return sql_run(stmt, NULL, err);
}

enum status store_one_time_code_insert(struct store_tx *tx, const struct one_time_code *code,
                                       struct err *err)
{
    enum status status = store_one_time_code_forget(tx, code->user_id, err);
    if (status != OK)
        return status;
    struct sql_stmt *stmt = sql_prepare(tx->conn, insert_code);
    sql_bind_bytes(stmt, ":hash", code->hash);
    sql_bind_text(stmt, ":account_id", code->account_id);
    sql_bind_text(stmt, ":user_id", code->user_id);
    sql_bind_bool(stmt, ":is_invitation", code->is_invitation);
    sql_bind_int64(stmt, ":expires_at", code->expires_at);
    return sql_run(stmt, NULL, err);
}

struct addition {
    const struct one_time_code *code;
    const struct audit_event *audit;
};

static enum status add(struct store_tx *tx, void *context, struct err *err)
{
    const struct addition *addition = context;
    const struct store_change change = {.account_id = addition->code->account_id,
                                        .kind = SPAN("one_time_code"),
                                        .id = addition->code->user_id};
    enum status status = store_change_add(tx, &change, addition->audit, err);
    return status == OK ? store_one_time_code_insert(tx, addition->code, err) : status;
}

enum status store_one_time_code_add(struct store *store, const struct one_time_code *code,
                                    const struct audit_event *audit, struct err *err)
{
    struct addition addition = {code, audit};
    return store_write(store, add, &addition, NULL, err);
}

enum status store_one_time_code_find(struct store *store, struct span hash, int64_t now,
                                     struct arena *arena, struct one_time_code *ret_code,
                                     struct err *err)
{
    AUTO(store_reader) struct store_reader reader = {0};
    enum status status = store_reader_take(store, &reader, err);
    if (status != OK)
        return status;
    struct sql_stmt *row = sql_prepare(reader.conn, select_code);
    sql_bind_bytes(row, ":hash", hash);
    sql_bind_int64(row, ":now", now);
    *ret_code = (struct one_time_code){.hash = hash};
    bool is_found = sql_next(row);
    if (is_found) {
        ret_code->user_id = sql_get_text(row, arena);
        ret_code->is_invitation = sql_get_bool(row);
    }
    status = sql_end(row, err);
    return status == OK && !is_found ? NOT_FOUND : status;
}

/* Once: of two who come with the same code, one finds it gone. */
static enum status use_up(struct store_tx *tx, const struct store_redemption *redemption,
                          struct err *err)
{
    int64_t changed = 0;
    struct sql_stmt *stmt = sql_prepare(tx->conn, delete_code);
    sql_bind_bytes(stmt, ":hash", redemption->hash);
    sql_bind_int64(stmt, ":now", redemption->now);
    enum status status = sql_run(stmt, &changed, err);
    return status == OK && changed == 0 ? NOT_FOUND : status;
}

static enum status redeem(struct store_tx *tx, void *context, struct err *err)
{
    const struct store_redemption *redemption = context;
    const struct principal *user = redemption->user;
    const struct principal *key = redemption->key;
    const struct store_change user_change = {
        .account_id = user->account_id, .kind = principal_kind_names[user->kind], .id = user->id};
    const struct store_change key_change = {.account_id = key->account_id,
                                            .kind = principal_kind_names[key->kind],
                                            .id = key->credentials[0].id};
    struct audit_event key_audit = *redemption->audit;
    key_audit.action = AUDIT_API_KEY_CREATE;
    key_audit.target_id = key->id;
    enum status status = use_up(tx, redemption, err);
    if (status == OK)
        status = store_change_add(tx, &user_change, redemption->audit, err);
    if (status == OK)
        status = store_principal_update_row(tx, user, err);
    if (status == OK)
        status = store_change_also(tx, &key_change, &key_audit, err);
    return status == OK ? store_principal_insert(tx, key, tx->change.revision, err) : status;
}

enum status store_one_time_code_redeem(struct store *store,
                                       const struct store_redemption *redemption, struct err *err)
{
    struct store_redemption copy = *redemption;
    return store_write(store, redeem, &copy, NULL, err);
}
