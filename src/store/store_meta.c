/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_internal.h"

static const char select_meta[] = "SELECT value FROM meta WHERE name = :name";
static const char set_meta[] = "INSERT INTO meta (name, value) VALUES (:name, :value) "
                               "ON CONFLICT (name) DO UPDATE SET value = excluded.value";

enum status store_meta_get(struct store *store, struct span name, struct arena *arena,
                           struct span *ret_value, struct err *err)
{
    AUTO(store_reader) struct store_reader reader = {0};
    enum status status = store_reader_take(store, &reader, err);
    if (status != OK)
        return status;
    struct sql_stmt *row = sql_prepare(reader.conn, select_meta);
    sql_bind_text(row, ":name", name);
    bool is_found = sql_next(row);
    struct span value = is_found ? sql_get_bytes(row, arena) : (struct span){0};
    status = sql_end(row, err);
    if (status != OK)
        return status;
    if (!is_found)
        return NOT_FOUND;
    *ret_value = value;
    return OK;
}

struct fact {
    struct span name;
    struct span value;
};

static enum status set(struct store_tx *tx, void *context, struct err *err)
{
    const struct fact *fact = context;
    struct sql_stmt *insert = sql_prepare(tx->conn, set_meta);
    sql_bind_text(insert, ":name", fact->name);
    sql_bind_bytes(insert, ":value", fact->value);
    return sql_run(insert, NULL, err);
}

enum status store_meta_set(struct store *store, struct span name, struct span value,
                           struct err *err)
{
    struct fact fact = {name, value};
    return store_write(store, set, &fact, NULL, err);
}
