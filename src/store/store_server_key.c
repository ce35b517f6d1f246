/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_internal.h"

#include "base/arena.h"

enum { SERVER_KEYS_MAX = 256 };

static const char list_keys[] =
    "SELECT id, kind, alg, public_jwk, sealed, check_value, state, created_at FROM server_key "
    "ORDER BY sequence";
static const char insert_key[] =
    "INSERT INTO server_key (sequence, id, kind, alg, public_jwk, sealed, check_value, state, "
    "created_at) "
    "VALUES (:sequence, :id, :kind, :alg, :public_jwk, :sealed, :check_value, :state, :created_at)";

static void read_key(struct sql_stmt *row, struct arena *arena, struct server_key *ret_key)
{
    ret_key->id = sql_get_text(row, arena);
    ret_key->kind = sql_get_text(row, arena);
    ret_key->alg = sql_get_text(row, arena);
    ret_key->public_jwk = sql_get_text(row, arena);
    ret_key->sealed = sql_get_bytes(row, arena);
    ret_key->check_value = sql_get_bytes(row, arena);
    ret_key->state = sql_get_text(row, arena);
    ret_key->created_at = sql_get_int64(row);
}

enum status store_server_key_list(struct store *store, struct arena *arena,
                                  struct server_key **ret_keys, size_t *ret_count, struct err *err)
{
    struct server_key *keys = arena_zalloc(arena, SERVER_KEYS_MAX, sizeof *keys);
    if (keys == NULL)
        return fail(err, NO_MEMORY, "no memory for the server's keys");
    AUTO(store_reader) struct store_reader reader = {0};
    enum status status = store_reader_take(store, &reader, err);
    if (status != OK)
        return status;
    struct sql_stmt *row = sql_prepare(reader.conn, list_keys);
    size_t count = 0;
    while (sql_next(row)) {
        if (count < SERVER_KEYS_MAX)
            read_key(row, arena, &keys[count++]);
        else
            sql_reject(row, "too many keys of the server");
    }
    status = sql_end(row, err);
    if (status != OK)
        return status;
    *ret_keys = keys;
    *ret_count = count;
    return OK;
}

struct addition {
    const struct server_key *key;
    const struct audit_event *audit;
};

static enum status add(struct store_tx *tx, void *context, struct err *err)
{
    const struct addition *addition = context;
    const struct server_key *key = addition->key;
    const struct store_change change = {.kind = SPAN("server_key"), .id = key->id};
    enum status status = store_change_add(tx, &change, addition->audit, err);
    if (status != OK)
        return status;
    struct sql_stmt *insert = sql_prepare(tx->conn, insert_key);
    sql_bind_int64(insert, ":sequence", tx->change.revision);
    sql_bind_text(insert, ":id", key->id);
    sql_bind_text(insert, ":kind", key->kind);
    sql_bind_text(insert, ":alg", key->alg);
    sql_bind_text(insert, ":public_jwk", key->public_jwk);
    sql_bind_bytes(insert, ":sealed", key->sealed);
    sql_bind_bytes(insert, ":check_value", key->check_value);
    sql_bind_text(insert, ":state", key->state);
    sql_bind_int64(insert, ":created_at", key->created_at);
    return sql_run(insert, NULL, err);
}

enum status store_server_key_add(struct store *store, const struct server_key *key,
                                 const struct audit_event *audit, int64_t *ret_revision,
                                 struct err *err)
{
    struct addition addition = {key, audit};
    return store_write(store, add, &addition, ret_revision, err);
}
