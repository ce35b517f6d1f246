/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_internal.h"

#include <assert.h>

enum { CHANGES_KEPT = 100000, PRUNE_EVERY = 1024 };

static const char raise_counter[] =
    "UPDATE change_counter SET revision = revision + :count WHERE name = 'change' "
    "RETURNING revision";
static const char raise_counter_to[] = "UPDATE change_counter SET revision = :least "
                                       "WHERE name = 'change' AND revision < :least";
static const char read_counter[] = "SELECT revision FROM change_counter WHERE name = 'change'";
static const char insert_change[] = "INSERT INTO change (revision, account_id, kind, id, jti) "
                                    "VALUES (:revision, :account_id, :kind, :id, :jti)";

static const char forget_old[] =
    "DELETE FROM change WHERE revision <= (SELECT revision FROM change "
    "ORDER BY revision DESC LIMIT 1 OFFSET :kept)";

static enum status read_revision(struct sql_stmt *row, int64_t *ret_revision, struct err *err)
{
    if (!sql_next(row))
        sql_reject(row, "no counter of changes");
    int64_t revision = sql_get_int64(row);
    enum status status = sql_end(row, err);
    if (status == OK)
        *ret_revision = revision;
    return status;
}

enum status store_counter_raise(struct store_tx *tx, int64_t count, int64_t *ret_revision,
                                struct err *err)
{
    struct sql_stmt *row = sql_prepare(tx->conn, raise_counter);
    sql_bind_int64(row, ":count", count);
    return read_revision(row, ret_revision, err);
}

enum status store_counter_raise_to(struct sql_conn *conn, int64_t least, struct err *err)
{
    struct sql_stmt *update = sql_prepare(conn, raise_counter_to);
    sql_bind_int64(update, ":least", least);
    return sql_run(update, NULL, err);
}

enum status store_counter_read(struct sql_conn *conn, int64_t *ret_revision, struct err *err)
{
    return read_revision(sql_prepare(conn, read_counter), ret_revision, err);
}

enum status store_change_forget_old(struct sql_conn *conn, int64_t kept, struct err *err)
{
    struct sql_stmt *old = sql_prepare(conn, forget_old);
    sql_bind_int64(old, ":kept", kept);
    return sql_run(old, NULL, err);
}

static enum status add_row(struct store_tx *tx, const struct store_change *change,
                           int64_t *ret_revision, struct err *err)
{
    enum status status = store_counter_raise(tx, 1, ret_revision, err);
    if (status != OK)
        return status;
    struct sql_stmt *insert = sql_prepare(tx->conn, insert_change);
    sql_bind_int64(insert, ":revision", *ret_revision);
    sql_bind_text(insert, ":account_id", change->account_id);
    sql_bind_text(insert, ":kind", change->kind);
    sql_bind_text(insert, ":id", change->id);
    sql_bind_text(insert, ":jti", change->jti);
    return sql_run(insert, NULL, err);
}

enum status store_change_add(struct store_tx *tx, const struct store_change *change,
                             const struct audit_event *audit, struct err *err)
{
    assert(tx->change.revision == 0 && audit != NULL);
    int64_t revision;
    enum status status = add_row(tx, change, &revision, err);
    if (status == OK)
        status = store_audit_insert(tx, revision, audit, err);
    if (status == OK && revision % PRUNE_EVERY == 0)
        status = store_change_forget_old(tx->conn, CHANGES_KEPT, err);
    if (status != OK)
        return status;
    tx->change = *change;
    tx->change.revision = revision;
    return OK;
}

enum status store_change_also(struct store_tx *tx, const struct store_change *change,
                              const struct audit_event *audit, struct err *err)
{
    assert(tx->change.revision != 0);
    tx->has_more_changes = true;
    enum status status = add_row(tx, change, &tx->change.revision, err);
    return status == OK ? store_audit_insert(tx, tx->change.revision, audit, err) : status;
}
