/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_internal.h"

#include "base/clock.h"
#include "metrics/metrics.h"
#include "sql/sql_pool.h"
#include "store/migrations.h"

#include <stdatomic.h>
#include <stdlib.h>

struct store {
    struct sql_pool *pool;
    int64_t now;
    void (*on_change)(void *context, const struct store_change *change);
    void *change_context;
    struct metrics *metrics;
    _Atomic int64_t revision;
};

static void raise_revision(struct store *store, int64_t revision)
{
    int64_t known = atomic_load(&store->revision);
    while (known < revision && !atomic_compare_exchange_weak(&store->revision, &known, revision))
        ;
}

int64_t store_revision(struct store *store)
{
    return atomic_load(&store->revision);
}

/* --- Opening and closing --- */

/* The version is looked at first: a database that is too new stays as it is. */
static enum status prepare_writer(void *context, struct sql_conn *conn, struct err *err)
{
    struct store *store = context;
    enum status status = migrations_run_all(conn, err);
    if (status == OK)
        status = sql_settle(conn, err);
    if (status == OK)
        status = sql_begin(conn, err);
    if (status != OK)
        return status;
    int64_t revision = 0;
    status = store_counter_raise_to(conn, store->now, err);
    if (status == OK)
        status = store_counter_read(conn, &revision, err);
    if (status == OK)
        status = sql_commit(conn, err);
    if (status == OK)
        raise_revision(store, revision);
    else
        sql_rollback(conn);
    return status;
}

/* Committed: whoever listens hears of it before anybody can act on the answer. */
static void announce(struct store *store, const struct store_change *change)
{
    if (change->revision == 0)
        return;
    raise_revision(store, change->revision);
    if (store->on_change != NULL)
        store->on_change(store->change_context, change);
}

/* Who listens is told of one change per write: of several, that anything may have changed. */
static void announce_write(struct store *store, const struct store_tx *tx)
{
    struct store_change change = tx->change;
    if (tx->has_more_changes)
        change.kind = SPAN("*");
    announce(store, &change);
}

/* Opened again after a break: a change whose commit failed may have been kept after all, and was
 * never announced. */
static void announce_reopening(void *context)
{
    struct store *store = context;
    const struct store_change all = {.revision = store_revision(store), .kind = SPAN("*")};
    announce(store, &all);
}

enum status store_open(const struct store_options *options, struct store **ret_store,
                       struct err *err)
{
    struct store *store = calloc(1, sizeof *store);
    if (store == NULL)
        return fail(err, NO_MEMORY, "no memory for the store");
    store->now = options->now;
    store->on_change = options->on_change;
    store->change_context = options->change_context;
    store->metrics = options->metrics;
    const struct sql_pool_options pool_options = {
        .place = {.data_fd = options->data_fd, .path = options->path, .file = "postern.db"},
        .readers = options->readers,
        .prepare = prepare_writer,
        .reopened = announce_reopening,
        .context = store,
    };
    enum status status = sql_pool_open(&pool_options, &store->pool, err);
    if (status != OK) {
        free(store);
        return status;
    }
    *ret_store = store;
    return OK;
}

void store_retire(struct store *store)
{
    sql_pool_retire(store->pool);
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    sql_pool_close(store->pool);
    free(store);
}

/* --- Writing --- */

/* A write on its way through the pool. */
struct writing {
    struct store *store;
    struct store_tx tx;
    enum status (*body)(struct store_tx *tx, void *context, struct err *err);
    void *context;
    int64_t began_ns;
};

static enum status run_body(void *context, struct sql_conn *conn, struct err *err)
{
    struct writing *writing = context;
    writing->began_ns = clock_boot_ns();
    writing->tx.conn = conn;
    return writing->body(&writing->tx, writing->context, err);
}

static void announce_written(void *context)
{
    struct writing *writing = context;
    announce_write(writing->store, &writing->tx);
}

enum status store_write(struct store *store,
                        enum status (*body)(struct store_tx *tx, void *context, struct err *err),
                        void *context, int64_t *ret_revision, struct err *err)
{
    struct writing writing = {.store = store, .body = body, .context = context};
    const struct sql_write write = {
        .body = run_body, .committed = announce_written, .context = &writing};
    enum status status = sql_pool_write(store->pool, &write, err);
    if (status == OK)
        metric_observe(store->metrics, METRIC_COMMIT_SECONDS, 0,
                       (clock_boot_ns() - writing.began_ns) / 1000);
    else if (status == UNAVAILABLE || status == CORRUPT || status == NO_MEMORY)
        metric_add(store->metrics, METRIC_COMMITS_FAILED, 1);
    if (status == OK && ret_revision != NULL)
        *ret_revision = writing.tx.change.revision;
    return status;
}

/* --- Reading --- */

enum status store_reader_take(struct store *store, struct store_reader *ret_reader, struct err *err)
{
    struct sql_conn *conn;
    enum status status = sql_pool_take(store->pool, &conn, err);
    if (status == OK)
        *ret_reader = (struct store_reader){.store = store, .conn = conn};
    return status;
}

void store_reader_give(struct store_reader *reader)
{
    if (reader->store != NULL)
        sql_pool_give(reader->store->pool, reader->conn);
    *reader = (struct store_reader){0};
}

enum status store_reader_revision(struct store_reader *reader, int64_t *ret_revision,
                                  struct err *err)
{
    enum status status = store_counter_read(reader->conn, ret_revision, err);
    if (status == OK)
        raise_revision(reader->store, *ret_revision);
    return status;
}

enum status store_page_matches(const struct store_page *page, struct sql_stmt *row,
                               bool *ret_matches, struct err *err)
{
    *ret_matches = true;
    if (page->filter == NULL)
        return OK;
    struct span description;
    struct span name = sql_get_text(row, NULL);
    (void)sql_get_text_or_null(row, NULL, &description);
    sql_rewind(row);
    return page->filter(page->filter_context, name, description, ret_matches, err);
}

int64_t store_page_rows(const struct store_page *page)
{
    if (page->filter != NULL || page->limit >= INT64_MAX)
        return INT64_MAX;
    return (int64_t)page->limit + 1;
}

static enum status write_nothing(struct store_tx *tx, void *context, struct err *err)
{
    (void)tx;
    (void)context;
    (void)err;
    return OK;
}

enum status store_ping(struct store *store, struct err *err)
{
    AUTO(store_reader) struct store_reader reader = {0};
    int64_t revision;
    enum status status = store_reader_take(store, &reader, err);
    if (status == OK)
        status = store_reader_revision(&reader, &revision, err);
    /* Before the writer is asked for: it may be waiting for all readers to come back. */
    store_reader_give(&reader);
    return status == OK ? store_write(store, write_nothing, NULL, NULL, err) : status;
}

enum status store_check(struct store *store, struct err *err)
{
    AUTO(store_reader) struct store_reader reader = {0};
    enum status status = store_reader_take(store, &reader, err);
    return status == OK ? sql_check(reader.conn, err) : status;
}

const char *store_library_version(void)
{
    return sql_library_version();
}

size_t store_schema_version(void)
{
    return MIGRATION_COUNT;
}
