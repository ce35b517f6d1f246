/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_internal.h"

#include "base/arena.h"

/* A row only where the credential still is; address and time of the later of the two. */
static const char add_use[] =
    "INSERT INTO credential_use (credential_id, account_id, first_at, last_at, use_count, "
    "last_address, page_at) "
    "SELECT id, account_id, :first_at, :last_at, :use_count, :last_address, :page_at "
    "FROM credential WHERE id = :credential_id "
    "ON CONFLICT (credential_id) DO UPDATE SET "
    "use_count = credential_use.use_count + excluded.use_count, "
    "page_at = CASE WHEN excluded.page_at > credential_use.page_at "
    "THEN excluded.page_at ELSE credential_use.page_at END, "
    "first_at = CASE WHEN excluded.first_at < credential_use.first_at "
    "THEN excluded.first_at ELSE credential_use.first_at END, "
    "last_address = CASE WHEN excluded.last_at >= credential_use.last_at "
    "THEN excluded.last_address ELSE credential_use.last_address END, "
    "last_at = CASE WHEN excluded.last_at >= credential_use.last_at "
    "THEN excluded.last_at ELSE credential_use.last_at END";
static const char select_use[] =
    "SELECT credential_id, first_at, last_at, use_count, last_address, page_at "
    "FROM credential_use WHERE credential_id = :credential_id";

static const char select_owner[] =
    "SELECT credential.account_id, credential.owner_id, COALESCE(credential_use.page_at, 0) "
    "FROM credential LEFT JOIN credential_use ON credential_use.credential_id = credential.id "
    "WHERE credential.id = :credential_id";

enum { PAGE_QUIET_SECONDS = 86400, OWNER_BYTES_MAX = 1024 };

/* A secret that came from a web page: once a day that is an audit event of its client. */
static enum status tell_page(struct store_tx *tx, const struct credential_use *use, struct err *err)
{
    struct arena arena AUTO(arena);
    arena_init(&arena, OWNER_BYTES_MAX);
    struct sql_stmt *row = sql_prepare(tx->conn, select_owner);
    sql_bind_text(row, ":credential_id", use->credential_id);
    struct audit_event audit = {.actor_kind = SPAN("app_client"),
                                .credential_id = use->credential_id,
                                .address = use->last_address,
                                .action = AUDIT_APP_CLIENT_SECRET_IN_PAGE,
                                .at = use->page_at};
    bool is_due = sql_next(row);
    if (is_due) {
        audit.account_id = sql_get_text(row, &arena);
        audit.target_id = audit.actor_id = sql_get_text(row, &arena);
        is_due = use->page_at - sql_get_int64(row) >= PAGE_QUIET_SECONDS;
    }
    int64_t sequence;
    enum status status = sql_end(row, err);
    if (status == OK && is_due)
        status = store_counter_raise(tx, 1, &sequence, err);
    return status == OK && is_due ? store_audit_insert(tx, sequence, &audit, err) : status;
}

struct batch {
    const struct credential_use *uses;
    size_t count;
};

static enum status add(struct store_tx *tx, void *context, struct err *err)
{
    const struct batch *batch = context;
    enum status status = OK;
    for (size_t i = 0; status == OK && i < batch->count; i++) {
        const struct credential_use *use = &batch->uses[i];
        if (use->page_at > 0)
            status = tell_page(tx, use, err);
        if (status != OK)
            break;
        struct sql_stmt *insert = sql_prepare(tx->conn, add_use);
        sql_bind_text(insert, ":credential_id", use->credential_id);
        sql_bind_int64(insert, ":first_at", use->first_at);
        sql_bind_int64(insert, ":last_at", use->last_at);
        sql_bind_int64(insert, ":use_count", use->count);
        sql_bind_text(insert, ":last_address", use->last_address);
        sql_bind_int64(insert, ":page_at", use->page_at);
        status = sql_run(insert, NULL, err);
    }
    return status;
}

enum status store_use_add(struct store *store, const struct credential_use *uses, size_t count,
                          struct err *err)
{
    struct batch batch = {uses, count};
    return count == 0 ? OK : store_write(store, add, &batch, NULL, err);
}

enum status store_use_get(struct store *store, struct span credential_id, struct arena *arena,
                          struct credential_use *ret_use, struct err *err)
{
    AUTO(store_reader) struct store_reader reader = {0};
    enum status status = store_reader_take(store, &reader, err);
    if (status != OK)
        return status;
    struct sql_stmt *row = sql_prepare(reader.conn, select_use);
    sql_bind_text(row, ":credential_id", credential_id);
    struct credential_use use = {0};
    bool is_found = sql_next(row);
    if (is_found) {
        use.credential_id = sql_get_text(row, arena);
        use.first_at = sql_get_int64(row);
        use.last_at = sql_get_int64(row);
        use.count = sql_get_int64(row);
        use.last_address = sql_get_text(row, arena);
        use.page_at = sql_get_int64(row);
    }
    status = sql_end(row, err);
    if (status != OK)
        return status;
    if (!is_found)
        return NOT_FOUND;
    *ret_use = use;
    return OK;
}
