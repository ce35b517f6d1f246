/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_internal.h"

enum { IDEMPOTENCY_KEY_LEN_MAX = 320, IDEMPOTENCY_SECONDS = 24 * 3600 };

static const char select_made[] = "SELECT request, kind, id FROM idempotency "
                                  "WHERE account_id = :account_id AND key = :key";
static const char insert_made[] =
    "INSERT INTO idempotency (account_id, key, request, kind, id, created_at) "
    "VALUES (:account_id, :key, :request, :kind, :id, :created_at)";

static const char forget_old[] = "DELETE FROM idempotency WHERE created_at < :before";

static bool has_key(const struct store_idempotency *idempotency)
{
    return idempotency != NULL && idempotency->key.len > 0;
}

enum status store_idempotency_find(struct store_tx *tx, struct span account_id, struct span kind,
                                   const struct store_idempotency *idempotency, struct arena *arena,
                                   struct span *ret_existing_id, struct err *err)
{
    *ret_existing_id = (struct span){0};
    if (!has_key(idempotency))
        return OK;
    if (idempotency->key.len > IDEMPOTENCY_KEY_LEN_MAX)
        return fail(err, INVALID, "the idempotency key is longer than %d bytes",
                    IDEMPOTENCY_KEY_LEN_MAX);
    struct sql_stmt *row = sql_prepare(tx->conn, select_made);
    sql_bind_text(row, ":account_id", account_id);
    sql_bind_text(row, ":key", idempotency->key);
    struct span id = {0};
    bool is_other = false;
    if (sql_next(row)) {
        is_other = !span_equal(sql_get_bytes(row, NULL), idempotency->request);
        is_other |= !span_equal(sql_get_text(row, NULL), kind);
        id = sql_get_text(row, arena);
    }
    enum status status = sql_end(row, err);
    if (status != OK)
        return status;
    if (is_other)
        return fail(err, CONFLICT, "the idempotency key was used for another request");
    *ret_existing_id = id;
    return OK;
}

enum status store_idempotency_add(struct store_tx *tx, const struct store_idempotency *idempotency,
                                  const struct store_made *made, struct err *err)
{
    if (!has_key(idempotency))
        return OK;
    struct sql_stmt *old = sql_prepare(tx->conn, forget_old);
    sql_bind_int64(old, ":before", made->created_at - IDEMPOTENCY_SECONDS);
    enum status status = sql_run(old, NULL, err);
    if (status != OK)
        return status;
    struct sql_stmt *insert = sql_prepare(tx->conn, insert_made);
    sql_bind_text(insert, ":account_id", made->account_id);
    sql_bind_text(insert, ":key", idempotency->key);
    sql_bind_bytes(insert, ":request", idempotency->request);
    sql_bind_text(insert, ":kind", made->kind);
    sql_bind_text(insert, ":id", made->id);
    sql_bind_int64(insert, ":created_at", made->created_at);
    return sql_run(insert, NULL, err);
}
