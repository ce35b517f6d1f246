/* SPDX-License-Identifier: Apache-2.0 */
/* Clients, API keys and users have a table each and everything else in common: each kind's
 * statements stand in one row, over the same columns. */
#include "store/store_internal.h"

#include "base/arena.h"

/* Two ids for each API key that goes with its maker: a hundred thousand of them. */
enum { DELETE_BYTES_MAX = 8 << 20 };

/* name and description first: the page filter reads them. */
#define CLIENT_SELECT                                                                              \
    "SELECT name, description, id, account_id, client_id, '', '', '', '', '', is_enabled, "        \
    "token_ttl_seconds, version, record_mac, revoked_revision, sequence, created_at, updated_at "  \
    "FROM app_client "
#define KEY_SELECT                                                                                 \
    "SELECT name, NULL, id, account_id, '', user_id, owner_id, owner_credential_id, "              \
    "api_key_role, '', is_enabled, 0, version, record_mac, 0, sequence, created_at, updated_at "   \
    "FROM api_key "
#define USER_SELECT                                                                                \
    "SELECT username, description, id, account_id, '', '', '', '', '', coalesce(email, ''), "      \
    "is_enabled, 0, version, record_mac, 0, sequence, created_at, updated_at "                     \
    "FROM app_user "

#define BY_ID "WHERE account_id = :account_id AND id = :id"
#define PAGE                                                                                       \
    "WHERE account_id = :account_id AND sequence < :before_sequence "                              \
    "AND (:corpus_id = '' OR id IN (SELECT holder_id FROM role_grant "                             \
    "WHERE account_id = :account_id AND scope_kind = 'corpus' AND scope_id = :corpus_id)) "
#define PAGE_END "ORDER BY sequence DESC LIMIT :rows"
#define CHANGED                                                                                    \
    "is_enabled = :is_enabled, version = :version, record_mac = :record_mac, "                     \
    "updated_at = :updated_at "
#define AT_VERSION BY_ID " AND version = :version - 1"

/* What the change feed calls a principal, and what looks it up: OAuth's client_id, an API key's
 * credential, a user's id. */
static const struct {
    const char *get;
    const char *find;
    const char *find_name;
    const char *list;
    const char *delete;
} statements[PRINCIPAL_KIND_COUNT] = {
    [PRINCIPAL_APP_CLIENT] = {.get = CLIENT_SELECT BY_ID,
                              .find = CLIENT_SELECT "WHERE client_id = :name",
                              .find_name = "SELECT client_id FROM app_client " BY_ID,
                              .list = CLIENT_SELECT PAGE PAGE_END,
                              .delete = "DELETE FROM app_client " BY_ID},
    [PRINCIPAL_API_KEY] = {.get = KEY_SELECT BY_ID,
                           .find = KEY_SELECT "WHERE id = (SELECT owner_id FROM credential "
                                              "WHERE id = :name AND owner_kind = 'api_key')",
                           .find_name = "SELECT id FROM credential WHERE account_id = :account_id "
                                        "AND owner_kind = 'api_key' AND owner_id = :id",
                           .list = KEY_SELECT PAGE
                           "AND (:api_key_role = '' OR api_key_role = :api_key_role) " PAGE_END,
                           .delete = "DELETE FROM api_key " BY_ID},
    [PRINCIPAL_USER] = {.get = USER_SELECT "WHERE account_id = :account_id AND username = :id",
                        .find = USER_SELECT "WHERE id = :name",
                        .find_name = "SELECT id FROM app_user " BY_ID,
                        .list = USER_SELECT PAGE PAGE_END,
                        .delete = "DELETE FROM app_user " BY_ID},
};

/* Of one maker or user: each half by its index, however many keys the account has. */
static const char list_own_keys[] = KEY_SELECT PAGE
    "AND sequence IN (SELECT sequence FROM api_key "
    "WHERE account_id = :account_id AND owner_id = :owner_id "
    "UNION SELECT sequence FROM api_key WHERE account_id = :account_id AND user_id = :owner_id) "
    "AND (:api_key_role = '' OR api_key_role = :api_key_role) " PAGE_END;

static const char insert_client[] =
    "INSERT INTO app_client (name, description, id, account_id, client_id, is_enabled, "
    "token_ttl_seconds, version, record_mac, sequence, created_at, updated_at) "
    "VALUES (:name, :description, :id, :account_id, :client_id, :is_enabled, :token_ttl_seconds, "
    ":version, :record_mac, :sequence, :created_at, :updated_at)";
static const char insert_key[] =
    "INSERT INTO api_key (name, id, account_id, user_id, owner_id, owner_credential_id, "
    "api_key_role, is_enabled, version, record_mac, sequence, created_at, updated_at) "
    "VALUES (:name, :id, :account_id, :user_id, :owner_id, :owner_credential_id, :api_key_role, "
    ":is_enabled, :version, :record_mac, :sequence, :created_at, :updated_at)";
static const char insert_user[] =
    "INSERT INTO app_user (username, description, id, account_id, email, is_enabled, version, "
    "record_mac, sequence, created_at, updated_at) "
    "VALUES (:name, :description, :id, :account_id, :email, :is_enabled, :version, :record_mac, "
    ":sequence, :created_at, :updated_at)";
static const char update_client[] = "UPDATE app_client SET description = :description, "
                                    "token_ttl_seconds = :token_ttl_seconds, " CHANGED AT_VERSION;
static const char update_key[] = "UPDATE api_key SET " CHANGED AT_VERSION;
static const char update_user[] =
    "UPDATE app_user SET description = :description, " CHANGED AT_VERSION;
/* What a disabled client had issued stays refused when it is enabled again. */
static const char revoke_client[] =
    "UPDATE app_client SET revoked_revision = :revision " BY_ID " AND is_enabled = 1";
/* A user's code does not outlive its being disabled. */
static const char revoke_user[] =
    "DELETE FROM one_time_code WHERE user_id = (SELECT id FROM app_user " BY_ID
    " AND is_enabled = 1)";
static const char select_account[] =
    "SELECT token_ttl_seconds, revoked_revision, is_enabled FROM account WHERE id = :id";
/* Each half by its index. */
static const char select_owned_key[] =
    "SELECT id FROM api_key WHERE account_id = :account_id AND owner_id = :owner_id "
    "UNION ALL SELECT id FROM api_key WHERE account_id = :account_id AND user_id = :owner_id "
    "LIMIT 1";
static const char count_owned_keys[] =
    "SELECT count(*) FROM api_key WHERE account_id = :account_id AND owner_id = :owner_id";
static const char select_maker[] = "SELECT is_enabled FROM app_user WHERE id = :id "
                                   "UNION ALL SELECT is_enabled FROM app_client WHERE id = :id";
static const char count_owners[] =
    "SELECT count(*) FROM role_grant JOIN app_user ON app_user.id = role_grant.holder_id "
    "WHERE role_grant.account_id = :account_id AND role_grant.holder_kind = 'app_user' "
    "AND role_grant.scope_kind = 'api' AND role_grant.role = 'owner' AND app_user.is_enabled = 1";

static void bind_or_null(struct sql_stmt *stmt, const char *name, struct span value, bool has)
{
    if (has)
        sql_bind_text(stmt, name, value);
    else
        sql_bind_null(stmt, name);
}

static void bind_id(struct sql_stmt *stmt, const struct principal *principal)
{
    sql_bind_text(stmt, ":account_id", principal->account_id);
    sql_bind_text(stmt, ":id", principal->id);
}

/* What every kind's insert and update have. */
static void bind_common(struct sql_stmt *stmt, const struct principal *principal)
{
    bind_id(stmt, principal);
    sql_bind_bool(stmt, ":is_enabled", principal->is_enabled);
    sql_bind_int64(stmt, ":version", principal->version);
    sql_bind_bytes(stmt, ":record_mac", principal->record_mac);
    sql_bind_int64(stmt, ":updated_at", principal->updated_at);
}

static void bind_description(struct sql_stmt *stmt, const struct principal *principal)
{
    bind_or_null(stmt, ":description", principal->description, principal->has_description);
}

/* *ret_is_enabled: is there such a user or client, and enabled? */
static enum status read_maker(struct sql_conn *conn, struct span id, bool *ret_exists,
                              bool *ret_is_enabled, struct err *err)
{
    struct sql_stmt *row = sql_prepare(conn, select_maker);
    sql_bind_text(row, ":id", id);
    *ret_exists = sql_next(row);
    *ret_is_enabled = *ret_exists && sql_get_bool(row);
    return sql_end(row, err);
}

/* --- Create --- */

static struct sql_stmt *bind_insert(struct sql_conn *conn, const struct principal *principal)
{
    struct sql_stmt *insert;
    if (principal->kind == PRINCIPAL_APP_CLIENT) {
        insert = sql_prepare(conn, insert_client);
        bind_description(insert, principal);
        sql_bind_text(insert, ":client_id", principal->client_id);
        sql_bind_int64(insert, ":token_ttl_seconds", principal->token_ttl_seconds);
    } else if (principal->kind == PRINCIPAL_API_KEY) {
        insert = sql_prepare(conn, insert_key);
        sql_bind_text(insert, ":user_id", principal->user_id);
        sql_bind_text(insert, ":owner_id", principal->owner_id);
        sql_bind_text(insert, ":owner_credential_id", principal->owner_credential_id);
        sql_bind_text(insert, ":api_key_role", principal_api_key_roles[principal->api_key_role]);
    } else {
        insert = sql_prepare(conn, insert_user);
        bind_description(insert, principal);
        bind_or_null(insert, ":email", principal->email, principal->email.len > 0);
    }
    bind_common(insert, principal);
    sql_bind_text(insert, ":name", principal->name);
    sql_bind_int64(insert, ":created_at", principal->created_at);
    return insert;
}

static enum status insert_invitation(struct store_tx *tx, const struct principal *user,
                                     struct err *err)
{
    const struct one_time_code code = {.hash = user->invitation_hash,
                                       .account_id = user->account_id,
                                       .user_id = user->id,
                                       .is_invitation = true,
                                       .expires_at = user->expires_at};
    return store_one_time_code_insert(tx, &code, err);
}

enum status store_principal_insert(struct store_tx *tx, const struct principal *principal,
                                   int64_t sequence, struct err *err)
{
    struct sql_stmt *insert = bind_insert(tx->conn, principal);
    sql_bind_int64(insert, ":sequence", sequence);
    enum status status = sql_run(insert, NULL, err);
    if (status == OK)
        status = store_role_grant_check(tx, principal, err);
    if (status == OK)
        status = store_role_grant_insert(tx, principal, err);
    if (status == OK)
        status = store_credential_insert(tx, principal, err);
    if (status == OK && principal->invitation_hash.len > 0)
        status = insert_invitation(tx, principal, err);
    return status;
}

static struct span feed_name(const struct principal *principal)
{
    if (principal->kind == PRINCIPAL_APP_CLIENT)
        return principal->client_id;
    if (principal->kind == PRINCIPAL_API_KEY && principal->credential_count > 0)
        return principal->credentials[0].id;
    return principal->id;
}

struct creation {
    const struct principal *principal;
    const struct store_idempotency *idempotency;
    const struct audit_event *audit;
    struct arena *arena;
    struct span existing_id;
};

/* A key dies with its maker and its user, also when they go while it is made; and nobody makes keys
 * without bound. */
static enum status check_maker(struct store_tx *tx, const struct principal *key, struct err *err)
{
    bool exists = true;
    bool is_enabled = true;
    int64_t count = 0;
    enum status status = OK;
    if (key->user_id.len > 0)
        status = read_maker(tx->conn, key->user_id, &exists, &is_enabled, err);
    if (status == OK && exists && key->owner_id.len > 0)
        status = read_maker(tx->conn, key->owner_id, &exists, &is_enabled, err);
    if (status == OK && (!exists || (key->owner_id.len > 0 && !is_enabled)))
        return fail(err, UNAUTHENTICATED, "Who makes the API key, or is to have it, is gone.");
    if (status != OK || key->owner_id.len == 0)
        return status;
    struct sql_stmt *row = sql_prepare(tx->conn, count_owned_keys);
    sql_bind_text(row, ":account_id", key->account_id);
    sql_bind_text(row, ":owner_id", key->owner_id);
    if (sql_next(row))
        count = sql_get_int64(row);
    status = sql_end(row, err);
    if (status == OK && count >= API_KEYS_MAX)
        return fail(err, CONFLICT, "One maker has at most %d API keys; delete unused ones.",
                    API_KEYS_MAX);
    return status;
}

static enum status create(struct store_tx *tx, void *context, struct err *err)
{
    struct creation *creation = context;
    const struct principal *principal = creation->principal;
    struct store_made made = {principal->account_id, principal_kind_names[principal->kind],
                              principal->id, principal->created_at};
    enum status status =
        store_idempotency_find(tx, made.account_id, made.kind, creation->idempotency,
                               creation->arena, &creation->existing_id, err);
    if (status == OK && creation->existing_id.len == 0 && principal->kind == PRINCIPAL_API_KEY)
        status = check_maker(tx, principal, err);
    if (status != OK || creation->existing_id.len > 0)
        return status;
    const struct store_change change = {
        .account_id = made.account_id, .kind = made.kind, .id = feed_name(principal)};
    status = store_change_add(tx, &change, creation->audit, err);
    if (status == OK)
        status = store_principal_insert(tx, principal, tx->change.revision, err);
    return status == OK ? store_idempotency_add(tx, creation->idempotency, &made, err) : status;
}

enum status store_principal_create(struct store *store, const struct principal *principal,
                                   const struct store_idempotency *idempotency,
                                   const struct audit_event *audit, struct arena *arena,
                                   struct span *ret_existing_id, int64_t *ret_revision,
                                   struct err *err)
{
    struct creation creation = {principal, idempotency, audit, arena, {0}};
    enum status status = store_write(store, create, &creation, ret_revision, err);
    if (status == OK)
        *ret_existing_id = creation.existing_id;
    return status;
}

/* --- Read --- */

static void read_row(struct sql_stmt *row, enum principal_kind kind, struct arena *arena,
                     struct principal *ret_principal)
{
    size_t role = 0;
    *ret_principal = (struct principal){.kind = kind};
    ret_principal->name = sql_get_text(row, arena);
    ret_principal->has_description = sql_get_text_or_null(row, arena, &ret_principal->description);
    ret_principal->id = sql_get_text(row, arena);
    ret_principal->account_id = sql_get_text(row, arena);
    ret_principal->client_id = sql_get_text(row, arena);
    ret_principal->user_id = sql_get_text(row, arena);
    ret_principal->owner_id = sql_get_text(row, arena);
    ret_principal->owner_credential_id = sql_get_text(row, arena);
    if (!role_find(principal_api_key_roles, API_KEY_ROLE_COUNT, sql_get_text(row, NULL), &role))
        sql_reject(row, "an API key with an unknown role");
    ret_principal->api_key_role = (enum api_key_role)role;
    ret_principal->email = sql_get_text(row, arena);
    ret_principal->is_enabled = sql_get_bool(row);
    ret_principal->token_ttl_seconds = sql_get_int64(row);
    ret_principal->version = sql_get_int64(row);
    ret_principal->record_mac = sql_get_bytes(row, arena);
    ret_principal->revoked_revision = sql_get_int64(row);
    ret_principal->sequence = sql_get_int64(row);
    ret_principal->created_at = sql_get_int64(row);
    ret_principal->updated_at = sql_get_int64(row);
}

static enum status read_parts(struct sql_conn *conn, bool with_sealed, struct arena *arena,
                              struct principal *principal, struct err *err)
{
    enum status status = store_role_grant_read(conn, arena, principal, err);
    if (status == OK)
        status = store_credential_read(conn, with_sealed, arena, principal, err);
    if (status == OK && principal->kind == PRINCIPAL_API_KEY && principal->credential_count > 0)
        principal->expires_at = principal->credentials[0].expires_at;
    return status;
}

/* The principal that the bound statement finds, whole. NOT_FOUND. */
static enum status read_one(struct sql_conn *conn, struct sql_stmt *row, enum principal_kind kind,
                            struct arena *arena, struct principal *ret_principal, struct err *err)
{
    struct principal principal = {0};
    bool is_found = sql_next(row);
    if (is_found)
        read_row(row, kind, arena, &principal);
    enum status status = sql_end(row, err);
    if (status == OK && !is_found)
        return NOT_FOUND;
    if (status == OK)
        status = read_parts(conn, true, arena, &principal, err);
    if (status == OK)
        *ret_principal = principal;
    return status;
}

enum status store_principal_get(struct store *store, enum principal_kind kind,
                                struct span account_id, struct span id, struct arena *arena,
                                struct principal *ret_principal, struct err *err)
{
    AUTO(store_reader) struct store_reader reader = {0};
    enum status status = store_reader_take(store, &reader, err);
    if (status != OK)
        return status;
    struct sql_stmt *row = sql_prepare(reader.conn, statements[kind].get);
    sql_bind_text(row, ":account_id", account_id);
    sql_bind_text(row, ":id", id);
    return read_one(reader.conn, row, kind, arena, ret_principal, err);
}

static enum status read_account(struct sql_conn *conn, struct principal *principal, struct err *err)
{
    struct sql_stmt *row = sql_prepare(conn, select_account);
    sql_bind_text(row, ":id", principal->account_id);
    if (sql_next(row)) {
        principal->account_token_ttl_seconds = sql_get_int64(row);
        principal->account_revoked_revision = sql_get_int64(row);
        principal->is_account_enabled = sql_get_bool(row);
    }
    return sql_end(row, err);
}

enum status store_principal_find(struct store *store, enum principal_kind kind, struct span name,
                                 struct arena *arena, struct principal *ret_principal,
                                 int64_t *ret_snapshot, struct err *err)
{
    AUTO(store_reader) struct store_reader reader = {0};
    enum status status = store_reader_take(store, &reader, err);
    if (status == OK)
        status = store_reader_revision(&reader, ret_snapshot, err);
    if (status != OK)
        return status;
    struct sql_stmt *row = sql_prepare(reader.conn, statements[kind].find);
    sql_bind_text(row, ":name", name);
    status = read_one(reader.conn, row, kind, arena, ret_principal, err);
    if (status == OK)
        status = read_account(reader.conn, ret_principal, err);
    bool exists = true;
    ret_principal->is_maker_enabled = true;
    if (status == OK && ret_principal->owner_id.len > 0)
        status = read_maker(reader.conn, ret_principal->owner_id, &exists,
                            &ret_principal->is_maker_enabled, err);
    return status;
}

/* --- List --- */

struct found {
    struct principal *principals;
    size_t count;
    bool has_more;
};

static struct sql_stmt *bind_list(struct sql_conn *conn, const struct store_principal_query *query)
{
    bool is_own = query->kind == PRINCIPAL_API_KEY && query->owner_id.len > 0;
    struct sql_stmt *row = sql_prepare(conn, is_own ? list_own_keys : statements[query->kind].list);
    sql_bind_text(row, ":account_id", query->page.account_id);
    sql_bind_int64(row, ":before_sequence", query->page.before_sequence);
    sql_bind_int64(row, ":rows", store_page_rows(&query->page));
    sql_bind_text(row, ":corpus_id", query->corpus_id);
    if (is_own)
        sql_bind_text(row, ":owner_id", query->owner_id);
    if (query->kind == PRINCIPAL_API_KEY)
        sql_bind_text(row, ":api_key_role", principal_api_key_roles[query->api_key_role]);
    return row;
}

static enum status list(struct sql_conn *conn, const struct store_principal_query *query,
                        struct arena *arena, struct found *found, struct err *err)
{
    const struct store_page *page = &query->page;
    struct sql_stmt *row = bind_list(conn, query);
    enum status status = OK;
    while (status == OK && !found->has_more && sql_next(row)) {
        bool is_match;
        status = store_page_matches(page, row, &is_match, err);
        if (status != OK || !is_match)
            continue;
        found->has_more = found->count == page->limit;
        if (!found->has_more)
            read_row(row, query->kind, arena, &found->principals[found->count++]);
    }
    enum status end = sql_end(row, err);
    if (status == OK)
        status = end;
    for (size_t i = 0; status == OK && i < found->count; i++)
        status = read_parts(conn, false, arena, &found->principals[i], err);
    return status;
}

enum status store_principal_list(struct store *store, const struct store_principal_query *query,
                                 struct arena *arena, struct principal **ret_principals,
                                 size_t *ret_count, bool *ret_has_more, struct err *err)
{
    struct found found = {0};
    found.principals = arena_zalloc(arena, query->page.limit, sizeof *found.principals);
    if (found.principals == NULL)
        return fail(err, NO_MEMORY, "no memory for a page of %zu", query->page.limit);
    AUTO(store_reader) struct store_reader reader = {0};
    enum status status = store_reader_take(store, &reader, err);
    if (status == OK)
        status = list(reader.conn, query, arena, &found, err);
    if (status != OK)
        return status;
    *ret_principals = found.principals;
    *ret_count = found.count;
    *ret_has_more = found.has_more;
    return OK;
}

/* --- Update and delete --- */

struct change {
    const struct principal *principal; /* of a delete: kind, account_id and id */
    const struct audit_event *audit;
    struct arena *arena; /* where name is kept */
    struct span name;    /* as it is stored */
    bool with_credentials;
};

/* Finds the principal's name in the feed and numbers the change. NOT_FOUND. */
static enum status begin_change(struct store_tx *tx, struct change *change, struct err *err)
{
    enum principal_kind kind = change->principal->kind;
    struct sql_stmt *row = sql_prepare(tx->conn, statements[kind].find_name);
    bind_id(row, change->principal);
    bool is_found = sql_next(row);
    if (is_found)
        change->name = sql_get_text(row, change->arena);
    enum status status = sql_end(row, err);
    if (status != OK)
        return status;
    if (!is_found)
        return NOT_FOUND;
    const struct store_change added = {.account_id = change->principal->account_id,
                                       .kind = principal_kind_names[kind],
                                       .id = change->name};
    return store_change_add(tx, &added, change->audit, err);
}

static struct sql_stmt *bind_update(struct sql_conn *conn, const struct principal *principal)
{
    struct sql_stmt *stmt;
    if (principal->kind == PRINCIPAL_API_KEY)
        return sql_prepare(conn, update_key);
    stmt = sql_prepare(conn, principal->kind == PRINCIPAL_USER ? update_user : update_client);
    bind_description(stmt, principal);
    if (principal->kind == PRINCIPAL_APP_CLIENT)
        sql_bind_int64(stmt, ":token_ttl_seconds", principal->token_ttl_seconds);
    return stmt;
}

enum status store_principal_update_row(struct store_tx *tx, const struct principal *principal,
                                       struct err *err)
{
    struct sql_stmt *stmt = bind_update(tx->conn, principal);
    bind_common(stmt, principal);
    int64_t changed = 0;
    enum status status = sql_run(stmt, &changed, err);
    if (status == OK && changed == 0)
        return fail(err, CONFLICT, "it was changed meanwhile");
    return status;
}

/* One of the keys that die with their maker: *ret_key.id is empty when none is left. */
static enum status next_owned_key(struct store_tx *tx, const struct change *change,
                                  struct principal *ret_key, struct err *err)
{
    *ret_key =
        (struct principal){.kind = PRINCIPAL_API_KEY, .account_id = change->principal->account_id};
    struct sql_stmt *row = sql_prepare(tx->conn, select_owned_key);
    sql_bind_text(row, ":account_id", change->principal->account_id);
    sql_bind_text(row, ":owner_id", change->principal->id);
    if (sql_next(row))
        ret_key->id = sql_get_text(row, change->arena);
    return sql_end(row, err);
}

/* The keys that it made stand in memory with its state: they are forgotten when that changes. */
static enum status forget_owned_keys(struct store_tx *tx, const struct change *change,
                                     struct err *err)
{
    const struct principal *principal = change->principal;
    bool exists;
    bool was_enabled;
    struct principal key;
    if (principal->kind == PRINCIPAL_API_KEY)
        return OK;
    enum status status = read_maker(tx->conn, principal->id, &exists, &was_enabled, err);
    if (status != OK || was_enabled == principal->is_enabled)
        return status;
    status = next_owned_key(tx, change, &key, err);
    tx->has_more_changes |= key.id.len > 0;
    return status;
}

/* Before the row is written: what it was tells whether this disables it. */
static enum status revoke(struct store_tx *tx, const struct principal *principal, struct err *err)
{
    if (principal->is_enabled || principal->kind == PRINCIPAL_API_KEY)
        return OK;
    struct sql_stmt *stmt =
        sql_prepare(tx->conn, principal->kind == PRINCIPAL_USER ? revoke_user : revoke_client);
    bind_id(stmt, principal);
    if (principal->kind == PRINCIPAL_APP_CLIENT)
        sql_bind_int64(stmt, ":revision", tx->change.revision);
    return sql_run(stmt, NULL, err);
}

/* An account without an enabled owner could not be mended by anyone in it. */
static enum status keep_an_owner(struct store_tx *tx, const struct principal *principal,
                                 struct err *err)
{
    if (principal->kind != PRINCIPAL_USER)
        return OK;
    struct sql_stmt *row = sql_prepare(tx->conn, count_owners);
    sql_bind_text(row, ":account_id", principal->account_id);
    int64_t owners = sql_next(row) ? sql_get_int64(row) : 0;
    enum status status = sql_end(row, err);
    if (status == OK && owners == 0)
        return fail(err, FORBIDDEN, "An account keeps at least one enabled owner.");
    return status;
}

static enum status rewrite_credentials(struct store_tx *tx, const struct principal *principal,
                                       struct err *err)
{
    enum status status = store_credential_delete(tx, principal, err);
    return status == OK ? store_credential_insert(tx, principal, err) : status;
}

static enum status update(struct store_tx *tx, void *context, struct err *err)
{
    struct change *change = context;
    const struct principal *principal = change->principal;
    enum status status = begin_change(tx, change, err);
    if (status == OK)
        status = forget_owned_keys(tx, change, err);
    if (status == OK)
        status = revoke(tx, principal, err);
    if (status == OK)
        status = store_principal_update_row(tx, principal, err);
    if (status == OK)
        status = store_role_grant_check(tx, principal, err);
    if (status == OK)
        status = store_role_grant_delete(tx, principal, err);
    if (status == OK)
        status = store_role_grant_insert(tx, principal, err);
    if (status == OK && change->with_credentials)
        status = rewrite_credentials(tx, principal, err);
    return status == OK ? keep_an_owner(tx, principal, err) : status;
}

static enum status write_update(struct store *store, const struct principal *principal,
                                bool with_credentials, const struct audit_event *audit,
                                int64_t *ret_revision, struct err *err)
{
    struct arena memory;
    arena_init(&memory, 4096);
    struct change change = {.principal = principal,
                            .audit = audit,
                            .arena = &memory,
                            .with_credentials = with_credentials};
    enum status status = store_write(store, update, &change, ret_revision, err);
    arena_done(&memory);
    return status;
}

enum status store_principal_update(struct store *store, const struct principal *principal,
                                   const struct audit_event *audit, int64_t *ret_revision,
                                   struct err *err)
{
    return write_update(store, principal, false, audit, ret_revision, err);
}

enum status store_principal_update_credentials(struct store *store,
                                               const struct principal *principal,
                                               const struct audit_event *audit,
                                               int64_t *ret_revision, struct err *err)
{
    return write_update(store, principal, true, audit, ret_revision, err);
}

static enum status delete_parts(struct store_tx *tx, const struct principal *principal,
                                struct err *err)
{
    enum status status = store_credential_delete(tx, principal, err);
    if (status == OK)
        status = store_role_grant_delete(tx, principal, err);
    if (status == OK && principal->kind == PRINCIPAL_USER)
        status = store_one_time_code_forget(tx, principal->id, err);
    if (status != OK)
        return status;
    struct sql_stmt *stmt = sql_prepare(tx->conn, statements[principal->kind].delete);
    bind_id(stmt, principal);
    return sql_run(stmt, NULL, err);
}

static enum status delete_owned_keys(struct store_tx *tx, struct change *change, struct err *err)
{
    struct principal key;
    enum status status = next_owned_key(tx, change, &key, err);
    while (status == OK && key.id.len > 0) {
        struct change also = {.principal = &key, .arena = change->arena};
        struct sql_stmt *row = sql_prepare(tx->conn, statements[PRINCIPAL_API_KEY].find_name);
        bind_id(row, &key);
        if (sql_next(row))
            also.name = sql_get_text(row, change->arena);
        status = sql_end(row, err);
        const struct store_change dead = {.account_id = key.account_id,
                                          .kind = principal_kind_names[PRINCIPAL_API_KEY],
                                          .id = also.name};
        struct audit_event audit = *change->audit;
        audit.action = AUDIT_API_KEY_DELETE;
        audit.target_id = key.id;
        if (status == OK)
            status = store_change_also(tx, &dead, &audit, err);
        if (status == OK)
            status = delete_parts(tx, &key, err);
        if (status == OK)
            status = next_owned_key(tx, change, &key, err);
    }
    return status;
}

static enum status delete_whole(struct store_tx *tx, void *context, struct err *err)
{
    struct change *change = context;
    enum status status = begin_change(tx, change, err);
    if (status == OK)
        status = delete_owned_keys(tx, change, err);
    if (status == OK)
        status = delete_parts(tx, change->principal, err);
    return status == OK ? keep_an_owner(tx, change->principal, err) : status;
}

enum status store_principal_delete(struct store *store, enum principal_kind kind,
                                   struct span account_id, struct span id,
                                   const struct audit_event *audit, int64_t *ret_revision,
                                   struct err *err)
{
    struct arena memory;
    arena_init(&memory, DELETE_BYTES_MAX);
    struct principal principal = {.kind = kind, .account_id = account_id, .id = id};
    struct change change = {.principal = &principal, .audit = audit, .arena = &memory};
    enum status status = store_write(store, delete_whole, &change, ret_revision, err);
    arena_done(&memory);
    return status;
}
