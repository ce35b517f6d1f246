/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_internal.h"

#include "base/arena.h"

/* name and description first: the page filter reads them. */
#define CLIENT_COLUMNS                                                                             \
    "name, description, id, account_id, client_id, is_enabled, token_ttl_seconds, version, "       \
    "record_mac, sequence, created_at, updated_at "

static const char insert_client[] =
    "INSERT INTO app_client (" CLIENT_COLUMNS ") "
    "VALUES (:name, :description, :id, :account_id, :client_id, :is_enabled, :token_ttl_seconds, "
    ":version, :record_mac, :sequence, :created_at, :updated_at)";
static const char get_client[] = "SELECT " CLIENT_COLUMNS "FROM app_client "
                                 "WHERE account_id = :account_id AND id = :id";
static const char find_client[] = "SELECT " CLIENT_COLUMNS "FROM app_client "
                                  "WHERE client_id = :client_id";
static const char select_account_ttl[] = "SELECT token_ttl_seconds FROM account WHERE id = :id";
static const char find_client_id[] = "SELECT client_id FROM app_client "
                                     "WHERE account_id = :account_id AND id = :id";
static const char list_clients[] = "SELECT " CLIENT_COLUMNS "FROM app_client "
                                   "WHERE account_id = :account_id AND sequence < :before_sequence "
                                   "ORDER BY sequence DESC LIMIT :rows";
static const char update_client[] =
    "UPDATE app_client SET description = :description, is_enabled = :is_enabled, "
    "token_ttl_seconds = :token_ttl_seconds, version = :version, record_mac = :record_mac, "
    "updated_at = :updated_at "
    "WHERE account_id = :account_id AND id = :id AND version = :version - 1";
static const char delete_client[] = "DELETE FROM app_client "
                                    "WHERE account_id = :account_id AND id = :id";

static void bind_description(struct sql_stmt *stmt, const struct app_client *client)
{
    if (client->has_description)
        sql_bind_text(stmt, ":description", client->description);
    else
        sql_bind_null(stmt, ":description");
}

/* --- Create --- */

enum status store_app_client_insert(struct store_tx *tx, const struct app_client *client,
                                    int64_t sequence, struct err *err)
{
    struct sql_stmt *insert = sql_prepare(tx->conn, insert_client);
    sql_bind_text(insert, ":name", client->name);
    bind_description(insert, client);
    sql_bind_text(insert, ":id", client->id);
    sql_bind_text(insert, ":account_id", client->account_id);
    sql_bind_text(insert, ":client_id", client->client_id);
    sql_bind_bool(insert, ":is_enabled", client->is_enabled);
    sql_bind_int64(insert, ":token_ttl_seconds", client->token_ttl_seconds);
    sql_bind_int64(insert, ":version", client->version);
    sql_bind_bytes(insert, ":record_mac", client->record_mac);
    sql_bind_int64(insert, ":sequence", sequence);
    sql_bind_int64(insert, ":created_at", client->created_at);
    sql_bind_int64(insert, ":updated_at", client->updated_at);
    enum status status = sql_run(insert, NULL, err);
    if (status == OK)
        status = store_role_grant_check(tx, client, err);
    if (status == OK)
        status = store_role_grant_insert(tx, client, err);
    if (status == OK)
        status = store_credential_insert(tx, client, err);
    return status;
}

struct creation {
    const struct app_client *client;
    const struct store_idempotency *idempotency;
    const struct audit_event *audit;
    struct arena *arena;
    struct span existing_id;
};

static enum status create(struct store_tx *tx, void *context, struct err *err)
{
    struct creation *creation = context;
    const struct app_client *client = creation->client;
    struct store_made made = {client->account_id, SPAN("app_client"), client->id,
                              client->created_at};
    enum status status =
        store_idempotency_find(tx, made.account_id, made.kind, creation->idempotency,
                               creation->arena, &creation->existing_id, err);
    if (status != OK || creation->existing_id.len > 0)
        return status;
    const struct store_change change = {
        .account_id = made.account_id, .kind = made.kind, .id = client->client_id};
    status = store_change_add(tx, &change, creation->audit, err);
    if (status == OK)
        status = store_app_client_insert(tx, client, tx->change.revision, err);
    return status == OK ? store_idempotency_add(tx, creation->idempotency, &made, err) : status;
}

enum status store_app_client_create(struct store *store, const struct app_client *client,
                                    const struct store_idempotency *idempotency,
                                    const struct audit_event *audit, struct arena *arena,
                                    struct span *ret_existing_id, int64_t *ret_revision,
                                    struct err *err)
{
    struct creation creation = {client, idempotency, audit, arena, {0}};
    enum status status = store_write(store, create, &creation, ret_revision, err);
    if (status == OK)
        *ret_existing_id = creation.existing_id;
    return status;
}

/* --- Read --- */

static void read_client(struct sql_stmt *row, struct arena *arena, struct app_client *ret_client)
{
    *ret_client = (struct app_client){0};
    ret_client->name = sql_get_text(row, arena);
    ret_client->has_description = sql_get_text_or_null(row, arena, &ret_client->description);
    ret_client->id = sql_get_text(row, arena);
    ret_client->account_id = sql_get_text(row, arena);
    ret_client->client_id = sql_get_text(row, arena);
    ret_client->is_enabled = sql_get_bool(row);
    ret_client->token_ttl_seconds = sql_get_int64(row);
    ret_client->version = sql_get_int64(row);
    ret_client->record_mac = sql_get_bytes(row, arena);
    ret_client->sequence = sql_get_int64(row);
    ret_client->created_at = sql_get_int64(row);
    ret_client->updated_at = sql_get_int64(row);
}

static enum status read_parts(struct sql_conn *conn, bool with_sealed, struct arena *arena,
                              struct app_client *client, struct err *err)
{
    enum status status = store_role_grant_read(conn, arena, client, err);
    return status == OK ? store_credential_read(conn, with_sealed, arena, client, err) : status;
}

/* The client that the bound statement finds, whole. NOT_FOUND. */
static enum status read_one(struct sql_conn *conn, struct sql_stmt *row, struct arena *arena,
                            struct app_client *ret_client, struct err *err)
{
    struct app_client client = {0};
    bool is_found = sql_next(row);
    if (is_found)
        read_client(row, arena, &client);
    enum status status = sql_end(row, err);
    if (status == OK && !is_found)
        return NOT_FOUND;
    if (status == OK)
        status = read_parts(conn, true, arena, &client, err);
    if (status == OK)
        *ret_client = client;
    return status;
}

enum status store_app_client_get(struct store *store, struct span account_id, struct span id,
                                 struct arena *arena, struct app_client *ret_client,
                                 struct err *err)
{
    AUTO(store_reader) struct store_reader reader = {0};
    enum status status = store_reader_take(store, &reader, err);
    if (status != OK)
        return status;
    struct sql_stmt *row = sql_prepare(reader.conn, get_client);
    sql_bind_text(row, ":account_id", account_id);
    sql_bind_text(row, ":id", id);
    return read_one(reader.conn, row, arena, ret_client, err);
}

enum status store_app_client_find(struct store *store, struct span client_id, struct arena *arena,
                                  struct app_client *ret_client, int64_t *ret_snapshot,
                                  struct err *err)
{
    AUTO(store_reader) struct store_reader reader = {0};
    enum status status = store_reader_take(store, &reader, err);
    if (status == OK)
        status = store_reader_revision(&reader, ret_snapshot, err);
    if (status != OK)
        return status;
    struct sql_stmt *row = sql_prepare(reader.conn, find_client);
    sql_bind_text(row, ":client_id", client_id);
    status = read_one(reader.conn, row, arena, ret_client, err);
    if (status != OK)
        return status;
    row = sql_prepare(reader.conn, select_account_ttl);
    sql_bind_text(row, ":id", ret_client->account_id);
    if (sql_next(row))
        ret_client->account_token_ttl_seconds = sql_get_int64(row);
    return sql_end(row, err);
}

/* --- List --- */

struct page_of_clients {
    struct app_client *clients;
    size_t count;
    bool has_more;
};

static enum status list(struct sql_conn *conn, const struct store_page *page, struct arena *arena,
                        struct page_of_clients *found, struct err *err)
{
    struct sql_stmt *row = sql_prepare(conn, list_clients);
    sql_bind_text(row, ":account_id", page->account_id);
    sql_bind_int64(row, ":before_sequence", page->before_sequence);
    sql_bind_int64(row, ":rows", store_page_rows(page));
    enum status status = OK;
    while (status == OK && !found->has_more && sql_next(row)) {
        bool is_match;
        status = store_page_matches(page, row, &is_match, err);
        if (status != OK || !is_match)
            continue;
        found->has_more = found->count == page->limit;
        if (!found->has_more)
            read_client(row, arena, &found->clients[found->count++]);
    }
    enum status end = sql_end(row, err);
    if (status == OK)
        status = end;
    for (size_t i = 0; status == OK && i < found->count; i++)
        status = read_parts(conn, false, arena, &found->clients[i], err);
    return status;
}

enum status store_app_client_list(struct store *store, const struct store_page *page,
                                  struct arena *arena, struct app_client **ret_clients,
                                  size_t *ret_count, bool *ret_has_more, struct err *err)
{
    struct page_of_clients found = {0};
    found.clients = arena_zalloc(arena, page->limit, sizeof *found.clients);
    if (found.clients == NULL)
        return fail(err, NO_MEMORY, "no memory for a page of %zu clients", page->limit);
    AUTO(store_reader) struct store_reader reader = {0};
    enum status status = store_reader_take(store, &reader, err);
    if (status == OK)
        status = list(reader.conn, page, arena, &found, err);
    if (status != OK)
        return status;
    *ret_clients = found.clients;
    *ret_count = found.count;
    *ret_has_more = found.has_more;
    return OK;
}

/* --- Update and delete --- */

struct change {
    const struct app_client *client; /* of a delete: account_id and id */
    const struct audit_event *audit;
    struct arena *arena;   /* where client_id is kept */
    struct span client_id; /* as it is stored */
};

/* Finds the client and numbers the change. NOT_FOUND. */
static enum status begin_change(struct store_tx *tx, struct change *change, struct err *err)
{
    struct sql_stmt *row = sql_prepare(tx->conn, find_client_id);
    sql_bind_text(row, ":account_id", change->client->account_id);
    sql_bind_text(row, ":id", change->client->id);
    bool is_found = sql_next(row);
    if (is_found)
        change->client_id = sql_get_text(row, change->arena);
    enum status status = sql_end(row, err);
    if (status != OK)
        return status;
    if (!is_found)
        return NOT_FOUND;
    const struct store_change added = {.account_id = change->client->account_id,
                                       .kind = SPAN("app_client"),
                                       .id = change->client_id};
    return store_change_add(tx, &added, change->audit, err);
}

static enum status update_row(struct store_tx *tx, const struct app_client *client, struct err *err)
{
    struct sql_stmt *update = sql_prepare(tx->conn, update_client);
    bind_description(update, client);
    sql_bind_bool(update, ":is_enabled", client->is_enabled);
    sql_bind_int64(update, ":token_ttl_seconds", client->token_ttl_seconds);
    sql_bind_int64(update, ":version", client->version);
    sql_bind_bytes(update, ":record_mac", client->record_mac);
    sql_bind_int64(update, ":updated_at", client->updated_at);
    sql_bind_text(update, ":account_id", client->account_id);
    sql_bind_text(update, ":id", client->id);
    int64_t changed = 0;
    enum status status = sql_run(update, &changed, err);
    if (status == OK && changed == 0)
        return fail(err, CONFLICT, "the client was changed meanwhile");
    return status;
}

static enum status update(struct store_tx *tx, void *context, struct err *err)
{
    struct change *change = context;
    const struct app_client *client = change->client;
    enum status status = begin_change(tx, change, err);
    if (status == OK)
        status = update_row(tx, client, err);
    if (status == OK)
        status = store_role_grant_check(tx, client, err);
    if (status == OK)
        status = store_role_grant_delete(tx, client->account_id, client->id, err);
    return status == OK ? store_role_grant_insert(tx, client, err) : status;
}

enum status store_app_client_update(struct store *store, const struct app_client *client,
                                    const struct audit_event *audit, int64_t *ret_revision,
                                    struct err *err)
{
    struct arena memory;
    arena_init(&memory, 4096);
    struct change change = {.client = client, .audit = audit, .arena = &memory};
    enum status status = store_write(store, update, &change, ret_revision, err);
    arena_done(&memory);
    return status;
}

static enum status delete_row(struct store_tx *tx, const struct app_client *client, struct err *err)
{
    struct sql_stmt *stmt = sql_prepare(tx->conn, delete_client);
    sql_bind_text(stmt, ":account_id", client->account_id);
    sql_bind_text(stmt, ":id", client->id);
    return sql_run(stmt, NULL, err);
}

static enum status delete_whole_client(struct store_tx *tx, void *context, struct err *err)
{
    struct change *change = context;
    const struct app_client *client = change->client;
    enum status status = begin_change(tx, change, err);
    if (status == OK)
        status = store_credential_delete(tx, client->account_id, client->id, err);
    if (status == OK)
        status = store_role_grant_delete(tx, client->account_id, client->id, err);
    return status == OK ? delete_row(tx, client, err) : status;
}

enum status store_app_client_delete(struct store *store, struct span account_id, struct span id,
                                    const struct audit_event *audit, struct arena *arena,
                                    struct span *ret_client_id, int64_t *ret_revision,
                                    struct err *err)
{
    struct app_client client = {.account_id = account_id, .id = id};
    struct change change = {.client = &client, .audit = audit, .arena = arena};
    enum status status = store_write(store, delete_whole_client, &change, ret_revision, err);
    if (status == OK)
        *ret_client_id = change.client_id;
    return status;
}
