/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_internal.h"

static const char find_token[] = "SELECT 1 FROM revoked_token WHERE jti = :jti";
static const char insert_token[] =
    "INSERT INTO revoked_token (jti, account_id, client_id, expires_at) "
    "VALUES (:jti, :account_id, :client_id, :expires_at)";
static const char delete_expired[] = "DELETE FROM revoked_token WHERE expires_at <= :now";
static const char list_tokens[] = "SELECT jti, expires_at FROM revoked_token "
                                  "ORDER BY expires_at";

struct revocation {
    const struct revoked_token *token;
    const struct audit_event *audit;
};

static enum status is_revoked(struct store_tx *tx, struct span jti, bool *ret_is_revoked,
                              struct err *err)
{
    struct sql_stmt *row = sql_prepare(tx->conn, find_token);
    sql_bind_text(row, ":jti", jti);
    *ret_is_revoked = sql_next(row);
    return sql_end(row, err);
}

static enum status add_token(struct store_tx *tx, void *context, struct err *err)
{
    const struct revocation *revocation = context;
    const struct revoked_token *token = revocation->token;
    bool is_there;
    enum status status = is_revoked(tx, token->jti, &is_there, err);
    if (status != OK || is_there)
        return status;
    const struct store_change change = {.account_id = token->account_id,
                                        .kind = SPAN("token"),
                                        .id = token->client_id,
                                        .jti = token->jti};
    status = store_change_add(tx, &change, revocation->audit, err);
    if (status != OK)
        return status;
    struct sql_stmt *insert = sql_prepare(tx->conn, insert_token);
    sql_bind_text(insert, ":jti", token->jti);
    sql_bind_text(insert, ":account_id", token->account_id);
    sql_bind_text(insert, ":client_id", token->client_id);
    sql_bind_int64(insert, ":expires_at", token->expires_at);
    status = sql_run(insert, NULL, err);
    if (status != OK)
        return status;
    struct sql_stmt *expired = sql_prepare(tx->conn, delete_expired);
    sql_bind_int64(expired, ":now", token->now);
    return sql_run(expired, NULL, err);
}

enum status store_token_revoke(struct store *store, const struct revoked_token *token,
                               const struct audit_event *audit, struct err *err)
{
    struct revocation revocation = {token, audit};
    return store_write(store, add_token, &revocation, NULL, err);
}

enum status store_revoked_tokens(struct store *store,
                                 enum status (*each)(void *context, struct span jti,
                                                     int64_t expires_at),
                                 void *context, struct err *err)
{
    AUTO(store_reader) struct store_reader reader = {0};
    enum status status = store_reader_take(store, &reader, err);
    if (status != OK)
        return status;
    struct sql_stmt *row = sql_prepare(reader.conn, list_tokens);
    while (status == OK && sql_next(row)) {
        struct span jti = sql_get_text(row, NULL);
        status = each(context, jti, sql_get_int64(row));
    }
    enum status end = sql_end(row, err);
    return status == OK ? end : status;
}
