/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_internal.h"

#include "base/clock.h"
#include "metrics/metrics.h"
#include "store/migrations.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum { READER_WAIT_MS = 10000 };

enum pool_state {
    POOL_CLOSED,   /* no writer: whoever comes next opens */
    POOL_OPEN,     /* readers may be taken */
    POOL_DRAINING, /* the writer broke: waits for readers to come back, then closes all */
};

/* Locks: write_lock before pool_lock. */
struct store {
    struct sql *sql;
    int64_t now;
    void (*on_change)(void *context, const struct store_change *change);
    void *change_context;
    struct metrics *metrics;
    _Atomic int64_t revision;

    pthread_mutex_t write_lock; /* writer, and opening and closing as a whole */
    struct sql_conn *writer;    /* NULL: closed */
    bool is_retired;

    pthread_mutex_t pool_lock; /* everything below */
    pthread_cond_t pool_changed;
    enum pool_state state;
    struct sql_conn **idle; /* a stack; NULL in it: to be connected when taken */
    unsigned idle_count;
    unsigned reader_count;
    bool was_open; /* the next opening is one after a break */
};

static void lock(pthread_mutex_t *mutex)
{
    int code = pthread_mutex_lock(mutex);
    assert(code == 0);
}

static void unlock(pthread_mutex_t *mutex)
{
    int code = pthread_mutex_unlock(mutex);
    assert(code == 0);
}

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

/* --- Opening and closing; write_lock is held --- */

static void set_state(struct store *store, enum pool_state state)
{
    lock(&store->pool_lock);
    store->state = state;
    (void)pthread_cond_broadcast(&store->pool_changed);
    unlock(&store->pool_lock);
}

/* The version is looked at first: a database that is too new stays as it is. */
static enum status prepare_writer(struct store *store, struct sql_conn *conn, struct err *err)
{
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
static void announce_reopening(struct store *store)
{
    const struct store_change all = {.revision = store_revision(store), .kind = SPAN("*")};
    announce(store, &all);
}

static enum status open_writer(struct store *store, struct err *err)
{
    if (store->writer != NULL)
        return OK;
    if (store->is_retired)
        return fail(err, UNAVAILABLE, "the database was handed over to another process");
    struct sql_conn *conn = NULL;
    enum status status = sql_connect(store->sql, SQL_WRITE, &conn, err);
    if (status == OK)
        status = prepare_writer(store, conn, err);
    if (status != OK) {
        sql_disconnect(conn);
        return status;
    }
    store->writer = conn;
    set_state(store, POOL_OPEN);
    if (store->was_open)
        announce_reopening(store);
    store->was_open = true;
    return OK;
}

/* The writer goes last: SQLite checkpoints when the last connection closes, and only it may. */
static void close_all(struct store *store)
{
    lock(&store->pool_lock);
    store->state = POOL_DRAINING;
    while (store->idle_count < store->reader_count)
        (void)pthread_cond_wait(&store->pool_changed, &store->pool_lock);
    for (unsigned i = 0; i < store->reader_count; i++) {
        sql_disconnect(store->idle[i]);
        store->idle[i] = NULL;
    }
    unlock(&store->pool_lock);
    sql_disconnect(store->writer);
    store->writer = NULL;
    set_state(store, POOL_CLOSED);
}

static enum status connect_readers(struct store *store, struct err *err)
{
    enum status status = OK;
    for (unsigned i = 0; status == OK && i < store->reader_count; i++)
        status = sql_connect(store->sql, SQL_READ, &store->idle[i], err);
    return status;
}

static void init_locks(struct store *store)
{
    pthread_condattr_t attributes;
    int code = pthread_mutex_init(&store->write_lock, NULL);
    code += pthread_mutex_init(&store->pool_lock, NULL);
    code += pthread_condattr_init(&attributes);
    code += pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    code += pthread_cond_init(&store->pool_changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    assert(code == 0); /* with glibc these only fail on wrong arguments */
}

enum status store_open(const struct store_options *options, struct store **ret_store,
                       struct err *err)
{
    assert(options->readers > 0);
    struct store *store = calloc(1, sizeof *store);
    struct sql_conn **idle = calloc(options->readers, sizeof(struct sql_conn *));
    if (store == NULL || idle == NULL) {
        free(store);
        free((void *)idle);
        return fail(err, NO_MEMORY, "no memory for the store");
    }
    store->now = options->now;
    store->on_change = options->on_change;
    store->change_context = options->change_context;
    store->metrics = options->metrics;
    store->idle = idle;
    store->idle_count = options->readers;
    store->reader_count = options->readers;
    init_locks(store);
    enum status status = sql_open(options->data_fd, options->path, &store->sql, err);
    if (status == OK) {
        lock(&store->write_lock);
        status = open_writer(store, err);
        if (status == OK)
            status = connect_readers(store, err);
        unlock(&store->write_lock);
    }
    if (status != OK) {
        store_close(store);
        return status;
    }
    *ret_store = store;
    return OK;
}

void store_retire(struct store *store)
{
    lock(&store->write_lock);
    store->is_retired = true;
    close_all(store);
    unlock(&store->write_lock);
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    lock(&store->write_lock);
    close_all(store);
    unlock(&store->write_lock);
    sql_close(store->sql);
    (void)pthread_cond_destroy(&store->pool_changed);
    (void)pthread_mutex_destroy(&store->pool_lock);
    (void)pthread_mutex_destroy(&store->write_lock);
    free((void *)store->idle);
    free(store);
}

/* --- Writing --- */

static enum status write_on(struct sql_conn *conn, struct store_tx *tx,
                            enum status (*body)(struct store_tx *tx, void *context,
                                                struct err *err),
                            void *context, struct err *err)
{
    enum status status = sql_begin(conn, err);
    if (status == OK)
        status = body(tx, context, err);
    if (status == OK)
        status = sql_commit(conn, err);
    if (status != OK)
        sql_rollback(conn);
    return status;
}

/* The caller holds write_lock, and no reader. */
static void open_anew(struct store *store)
{
    close_all(store);
    (void)sql_was_locked_out(store->sql);
    (void)open_writer(store, NULL);
}

enum status store_write(struct store *store,
                        enum status (*body)(struct store_tx *tx, void *context, struct err *err),
                        void *context, int64_t *ret_revision, struct err *err)
{
    struct store_tx tx = {0};
    lock(&store->write_lock);
    int64_t began_ns = clock_boot_ns();
    enum status status = open_writer(store, err);
    if (status == OK) {
        tx.conn = store->writer;
        status = write_on(store->writer, &tx, body, context, err);
        if (status == OK)
            announce_write(store, &tx);
        /* What was kept is unknown: only a database opened anew tells. Whether that works shows at
         * the next call. */
        if (sql_is_broken(store->writer))
            open_anew(store);
    }
    unlock(&store->write_lock);
    if (status == OK)
        metric_observe(store->metrics, METRIC_COMMIT_SECONDS, 0,
                       (clock_boot_ns() - began_ns) / 1000);
    else if (status == UNAVAILABLE || status == CORRUPT || status == NO_MEMORY)
        metric_add(store->metrics, METRIC_COMMITS_FAILED, 1);
    if (status == OK && ret_revision != NULL)
        *ret_revision = tx.change.revision;
    return status;
}

/* --- Reading --- */

static struct timespec deadline_after(int64_t milliseconds)
{
    int64_t at = clock_monotonic_ms() + milliseconds;
    return (struct timespec){.tv_sec = at / 1000, .tv_nsec = at % 1000 * 1000000};
}

/* Takes a slot of the pool, with or without a connection in it. */
static enum status take_slot(struct store *store, struct sql_conn **ret_conn, struct err *err)
{
    struct timespec deadline = deadline_after(READER_WAIT_MS);
    enum status status = OK;
    lock(&store->pool_lock);
    while (status == OK && (store->state != POOL_OPEN || store->idle_count == 0)) {
        if (store->state == POOL_CLOSED) {
            unlock(&store->pool_lock);
            lock(&store->write_lock);
            status = open_writer(store, err);
            unlock(&store->write_lock);
            lock(&store->pool_lock);
        } else if (pthread_cond_timedwait(&store->pool_changed, &store->pool_lock, &deadline) ==
                   ETIMEDOUT) {
            status = fail(err, UNAVAILABLE, "no reader of the database became free");
        }
    }
    if (status == OK)
        *ret_conn = store->idle[--store->idle_count];
    unlock(&store->pool_lock);
    return status;
}

static void give_slot(struct store *store, struct sql_conn *conn)
{
    lock(&store->pool_lock);
    store->idle[store->idle_count++] = conn;
    (void)pthread_cond_broadcast(&store->pool_changed);
    unlock(&store->pool_lock);
}

enum status store_reader_take(struct store *store, struct store_reader *ret_reader, struct err *err)
{
    struct sql_conn *conn = NULL;
    enum status status = take_slot(store, &conn, err);
    if (status != OK)
        return status;
    if (conn == NULL)
        status = sql_connect(store->sql, SQL_READ, &conn, err);
    *ret_reader = (struct store_reader){.store = store, .conn = conn};
    if (status == OK)
        status = sql_begin(conn, err);
    return status; /* the slot is given back by store_reader_give() in any case */
}

void store_reader_give(struct store_reader *reader)
{
    if (reader->store == NULL)
        return;
    struct sql_conn *conn = reader->conn;
    if (conn != NULL) {
        sql_rollback(conn);
        if (sql_is_broken(conn)) {
            sql_disconnect(conn);
            conn = NULL;
        }
    }
    give_slot(reader->store, conn);
    if (sql_was_locked_out(reader->store->sql)) {
        lock(&reader->store->write_lock);
        open_anew(reader->store);
        unlock(&reader->store->write_lock);
    }
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
