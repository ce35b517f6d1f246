/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_internal.h"

#include "base/arena.h"

static const char select_first[] = "SELECT id FROM account ORDER BY sequence LIMIT 1";
#define ACCOUNT_SELECT                                                                             \
    "SELECT id, name, token_ttl_seconds, is_enabled, version, created_at FROM account "
static const char select_account[] = ACCOUNT_SELECT "WHERE id = :id";
static const char select_accounts[] = ACCOUNT_SELECT "ORDER BY sequence";
static const char count_accounts[] = "SELECT count(*) FROM account";
static const char update_account[] =
    "UPDATE account SET name = :name, token_ttl_seconds = :token_ttl_seconds, "
    "version = :version, is_enabled = :is_enabled, revoked_revision = CASE WHEN is_enabled = 1 AND "
    ":is_enabled = 0 "
    "THEN :revision ELSE revoked_revision END WHERE id = :id AND version = :version - 1";
static const char insert_account[] =
    "INSERT INTO account (sequence, id, name, is_enabled, created_at) "
    "VALUES (:sequence, :id, :name, 1, :now)";
enum status store_account_first(struct store *store, struct arena *arena,
                                struct span *ret_account_id, struct err *err)
{
    AUTO(store_reader) struct store_reader reader = {0};
    enum status status = store_reader_take(store, &reader, err);
    if (status != OK)
        return status;
    struct sql_stmt *row = sql_prepare(reader.conn, select_first);
    bool is_found = sql_next(row);
    struct span id = is_found ? sql_get_text(row, arena) : (struct span){0};
    status = sql_end(row, err);
    if (status != OK)
        return status;
    if (!is_found)
        return NOT_FOUND;
    *ret_account_id = id;
    return OK;
}

static void read_row(struct sql_stmt *row, struct arena *arena, struct account *ret_account)
{
    ret_account->id = sql_get_text(row, arena);
    ret_account->name = sql_get_text(row, arena);
    ret_account->token_ttl_seconds = sql_get_int64(row);
    ret_account->is_enabled = sql_get_bool(row);
    ret_account->version = sql_get_int64(row);
    ret_account->created_at = sql_get_int64(row);
}

enum status store_account_list(struct store *store, struct arena *arena,
                               struct account **ret_accounts, size_t *ret_count, struct err *err)
{
    AUTO(store_reader) struct store_reader reader = {0};
    enum status status = store_reader_take(store, &reader, err);
    if (status != OK)
        return status;
    struct sql_stmt *row = sql_prepare(reader.conn, count_accounts);
    size_t all = sql_next(row) ? (size_t)sql_get_int64(row) : 0;
    status = sql_end(row, err);
    struct account *accounts = arena_zalloc(arena, all, sizeof *accounts);
    if (status == OK && accounts == NULL)
        return fail(err, NO_MEMORY, "no memory for %zu accounts", all);
    if (status != OK)
        return status;
    size_t count = 0;
    row = sql_prepare(reader.conn, select_accounts);
    while (count < all && sql_next(row)) /* one snapshot: there are as many as were counted */
        read_row(row, arena, &accounts[count++]);
    *ret_accounts = accounts;
    *ret_count = count;
    return sql_end(row, err);
}

enum status store_account_get(struct store *store, struct span id, struct arena *arena,
                              struct account *ret_account, struct err *err)
{
    AUTO(store_reader) struct store_reader reader = {0};
    enum status status = store_reader_take(store, &reader, err);
    if (status != OK)
        return status;
    struct account account = {0};
    struct sql_stmt *row = sql_prepare(reader.conn, select_account);
    sql_bind_text(row, ":id", id);
    bool is_found = sql_next(row);
    if (is_found)
        read_row(row, arena, &account);
    status = sql_end(row, err);
    if (status != OK)
        return status;
    *ret_account = account;
    return is_found ? OK : NOT_FOUND;
}

struct account_change {
    const struct account *account;
    const struct audit_event *audit;
};

static enum status update(struct store_tx *tx, void *context, struct err *err)
{
    const struct account_change *wanted = context;
    const struct account *account = wanted->account;
    const struct store_change change = {
        .account_id = account->id, .kind = SPAN("account"), .id = account->id};
    int64_t changed = 0;
    enum status status = store_change_add(tx, &change, wanted->audit, err);
    if (status != OK)
        return status;
    struct sql_stmt *row = sql_prepare(tx->conn, update_account);
    sql_bind_text(row, ":id", account->id);
    sql_bind_text(row, ":name", account->name);
    sql_bind_int64(row, ":token_ttl_seconds", account->token_ttl_seconds);
    sql_bind_bool(row, ":is_enabled", account->is_enabled);
    sql_bind_int64(row, ":version", account->version);
    sql_bind_int64(row, ":revision", tx->change.revision);
    status = sql_run(row, &changed, err);
    return status == OK && changed == 0 ? CONFLICT : status;
}

enum status store_account_update(struct store *store, const struct account *account,
                                 const struct audit_event *audit, int64_t *ret_revision,
                                 struct err *err)
{
    struct account_change change = {account, audit};
    return store_write(store, update, &change, ret_revision, err);
}

struct creation {
    const struct account_new *account;
    const struct audit_event *audit;
};

static enum status create(struct store_tx *tx, void *context, struct err *err)
{
    const struct creation *creation = context;
    const struct account_new *account = creation->account;
    const struct store_change change = {
        .account_id = account->account_id, .kind = SPAN("account"), .id = account->account_id};
    enum status status = store_change_add(tx, &change, creation->audit, err);
    if (status != OK)
        return status;
    struct sql_stmt *insert = sql_prepare(tx->conn, insert_account);
    sql_bind_int64(insert, ":sequence", tx->change.revision);
    sql_bind_text(insert, ":id", account->account_id);
    sql_bind_text(insert, ":name", account->name);
    sql_bind_int64(insert, ":now", account->now);
    status = sql_run(insert, NULL, err);
    return status == OK ? store_principal_insert(tx, account->owner, tx->change.revision, err)
                        : status;
}

enum status store_account_create(struct store *store, const struct account_new *account,
                                 const struct audit_event *audit, int64_t *ret_revision,
                                 struct err *err)
{
    struct creation creation = {account, audit};
    return store_write(store, create, &creation, ret_revision, err);
}
