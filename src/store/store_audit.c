/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_internal.h"

#include "base/arena.h"

#include <assert.h>

static const char insert_audit[] =
    "INSERT INTO audit_event (sequence, account_id, action, actor_kind, actor_id, credential_id, "
    "address, request_id, target_id, at) "
    "VALUES (:sequence, :account_id, :action, :actor_kind, :actor_id, :credential_id, :address, "
    ":request_id, :target_id, :at)";
static const char list_audit[] =
    "SELECT sequence, action, actor_kind, actor_id, target_id, at FROM audit_event "
    "WHERE account_id = :account_id AND sequence < :before_sequence "
    "ORDER BY sequence DESC LIMIT :rows";

enum status store_audit_insert(struct store_tx *tx, int64_t sequence,
                               const struct audit_event *audit, struct err *err)
{
    assert(audit->action < AUDIT_ACTION_COUNT);
    struct sql_stmt *insert = sql_prepare(tx->conn, insert_audit);
    sql_bind_int64(insert, ":sequence", sequence);
    sql_bind_text(insert, ":account_id", audit->account_id);
    sql_bind_text(insert, ":action", audit_action_names[audit->action]);
    sql_bind_text(insert, ":actor_kind", audit->actor_kind);
    sql_bind_text(insert, ":actor_id", audit->actor_id);
    sql_bind_text(insert, ":credential_id", audit->credential_id);
    sql_bind_text(insert, ":address", audit->address);
    sql_bind_text(insert, ":request_id", audit->request_id);
    sql_bind_text(insert, ":target_id", audit->target_id);
    sql_bind_int64(insert, ":at", audit->at);
    return sql_run(insert, NULL, err);
}

/* The counter gives the row its place; the change feed has nothing to tell. */
static enum status add(struct store_tx *tx, void *context, struct err *err)
{
    const struct audit_event *audit = context;
    int64_t sequence;
    enum status status = store_counter_raise(tx, 1, &sequence, err);
    return status == OK ? store_audit_insert(tx, sequence, audit, err) : status;
}

enum status store_audit_add(struct store *store, const struct audit_event *audit, struct err *err)
{
    struct audit_event copy = *audit;
    return store_write(store, add, &copy, NULL, err);
}

static void read_audit(struct sql_stmt *row, struct arena *arena, struct audit_row *ret_row)
{
    *ret_row = (struct audit_row){0};
    ret_row->sequence = sql_get_int64(row);
    ret_row->action = sql_get_text(row, arena);
    ret_row->actor_kind = sql_get_text(row, arena);
    ret_row->actor_id = sql_get_text(row, arena);
    ret_row->target_id = sql_get_text(row, arena);
    ret_row->at = sql_get_int64(row);
}

enum status store_audit_list(struct store *store, struct span account_id, int64_t before_sequence,
                             size_t limit, struct arena *arena, struct audit_row **ret_rows,
                             size_t *ret_count, struct err *err)
{
    struct audit_row *rows = arena_zalloc(arena, limit, sizeof *rows);
    if (rows == NULL)
        return fail(err, NO_MEMORY, "no memory for %zu audit events", limit);
    AUTO(store_reader) struct store_reader reader = {0};
    enum status status = store_reader_take(store, &reader, err);
    if (status != OK)
        return status;
    struct sql_stmt *row = sql_prepare(reader.conn, list_audit);
    sql_bind_text(row, ":account_id", account_id);
    sql_bind_int64(row, ":before_sequence", before_sequence);
    sql_bind_int64(row, ":rows", (int64_t)limit);
    size_t count = 0;
    while (count < limit && sql_next(row))
        read_audit(row, arena, &rows[count++]);
    status = sql_end(row, err);
    if (status != OK)
        return status;
    *ret_rows = rows;
    *ret_count = count;
    return OK;
}
