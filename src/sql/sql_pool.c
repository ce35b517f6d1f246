/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/sql_pool.h"

#include "base/clock.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { READER_WAIT_MS = 10000 };

enum pool_state {
    POOL_CLOSED,   /* no writer: whoever comes next opens */
    POOL_OPEN,     /* readers may be taken */
    POOL_DRAINING, /* the writer broke: waits for readers to come back, then closes all */
};

/* Locks: write_lock before pool_lock. */
struct sql_pool {
    struct sql *sql;
    struct sql_pool_options options;

    pthread_mutex_t write_lock; /* writer, and opening and closing as a whole */
    struct sql_conn *writer;    /* NULL: closed */
    bool is_retired;
    bool was_open; /* the next opening is one after a break */

    pthread_mutex_t pool_lock; /* everything below */
    pthread_cond_t pool_changed;
    enum pool_state state;
    struct sql_conn **idle; /* a stack; NULL in it: to be connected when taken */
    unsigned idle_count;
    unsigned reader_count;
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

/* --- Opening and closing; write_lock is held --- */

static void set_state(struct sql_pool *pool, enum pool_state state)
{
    lock(&pool->pool_lock);
    pool->state = state;
    (void)pthread_cond_broadcast(&pool->pool_changed);
    unlock(&pool->pool_lock);
}

static enum status open_writer(struct sql_pool *pool, struct err *err)
{
    const struct sql_pool_options *options = &pool->options;
    if (pool->writer != NULL)
        return OK;
    if (pool->is_retired)
        return fail(err, UNAVAILABLE, "the database was handed over to another process");
    struct sql_conn *conn = NULL;
    enum status status = sql_connect(pool->sql, SQL_WRITE, &conn, err);
    if (status == OK)
        status = options->prepare(options->context, conn, err);
    if (status != OK) {
        sql_disconnect(conn);
        return status;
    }
    pool->writer = conn;
    set_state(pool, POOL_OPEN);
    if (pool->was_open && options->reopened != NULL)
        options->reopened(options->context);
    pool->was_open = true;
    return OK;
}

/* The writer goes last: SQLite checkpoints when the last connection closes, and only it may. */
static void close_all(struct sql_pool *pool)
{
    lock(&pool->pool_lock);
    pool->state = POOL_DRAINING;
    while (pool->idle_count < pool->reader_count)
        (void)pthread_cond_wait(&pool->pool_changed, &pool->pool_lock);
    for (unsigned i = 0; i < pool->reader_count; i++) {
        sql_disconnect(pool->idle[i]);
        pool->idle[i] = NULL;
    }
    unlock(&pool->pool_lock);
    sql_disconnect(pool->writer);
    pool->writer = NULL;
    set_state(pool, POOL_CLOSED);
}

static enum status connect_readers(struct sql_pool *pool, struct err *err)
{
    enum status status = OK;
    for (unsigned i = 0; status == OK && i < pool->reader_count; i++)
        status = sql_connect(pool->sql, SQL_READ, &pool->idle[i], err);
    return status;
}

static void init_locks(struct sql_pool *pool)
{
    pthread_condattr_t attributes;
    int code = pthread_mutex_init(&pool->write_lock, NULL);
    code += pthread_mutex_init(&pool->pool_lock, NULL);
    code += pthread_condattr_init(&attributes);
    code += pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    code += pthread_cond_init(&pool->pool_changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    assert(code == 0); /* with glibc these only fail on wrong arguments */
}

enum status sql_pool_open(const struct sql_pool_options *options, struct sql_pool **ret_pool,
                          struct err *err)
{
    assert(options->readers > 0);
    struct sql_pool *pool = calloc(1, sizeof *pool);
    struct sql_conn **idle = calloc(options->readers, sizeof(struct sql_conn *));
    if (pool == NULL || idle == NULL) {
        free(pool);
        free((void *)idle);
        return fail(err, NO_MEMORY, "no memory for the database's connections");
    }
    pool->options = *options;
    pool->idle = idle;
    pool->idle_count = options->readers;
    pool->reader_count = options->readers;
    init_locks(pool);
    enum status status = sql_open(&options->place, &pool->sql, err);
    if (status == OK) {
        lock(&pool->write_lock);
        status = open_writer(pool, err);
        if (status == OK)
            status = connect_readers(pool, err);
        unlock(&pool->write_lock);
    }
    if (status != OK) {
        sql_pool_close(pool);
        return status;
    }
    *ret_pool = pool;
    return OK;
}

void sql_pool_retire(struct sql_pool *pool)
{
    lock(&pool->write_lock);
    pool->is_retired = true;
    close_all(pool);
    unlock(&pool->write_lock);
}

void sql_pool_close(struct sql_pool *pool)
{
    if (pool == NULL)
        return;
    lock(&pool->write_lock);
    close_all(pool);
    unlock(&pool->write_lock);
    sql_close(pool->sql);
    (void)pthread_cond_destroy(&pool->pool_changed);
    (void)pthread_mutex_destroy(&pool->pool_lock);
    (void)pthread_mutex_destroy(&pool->write_lock);
    free((void *)pool->idle);
    free(pool);
}

/* The caller holds write_lock, and no reader. */
static void open_anew(struct sql_pool *pool)
{
    close_all(pool);
    (void)sql_was_locked_out(pool->sql);
    (void)open_writer(pool, NULL);
}

/* --- Writing --- */

static enum status write_on(struct sql_conn *conn, const struct sql_write *write, struct err *err)
{
    enum status status = sql_begin(conn, err);
    if (status == OK)
        status = write->body(write->context, conn, err);
    if (status == OK)
        status = sql_commit(conn, err);
    if (status != OK)
        sql_rollback(conn);
    return status;
}

enum status sql_pool_write(struct sql_pool *pool, const struct sql_write *write, struct err *err)
{
    lock(&pool->write_lock);
    enum status status = open_writer(pool, err);
    if (status == OK) {
        status = write_on(pool->writer, write, err);
        if (status == OK && write->committed != NULL)
            write->committed(write->context);
        /* What was kept is unknown: only a database opened anew tells. Whether that works shows at
         * the next call. */
        if (sql_is_broken(pool->writer))
            open_anew(pool);
    }
    unlock(&pool->write_lock);
    return status;
}

/* --- Reading --- */

static struct timespec deadline_after(int64_t milliseconds)
{
    int64_t at = clock_monotonic_ms() + milliseconds;
    return (struct timespec){.tv_sec = at / 1000, .tv_nsec = at % 1000 * 1000000};
}

/* Takes a slot of the pool, with or without a connection in it. */
static enum status take_slot(struct sql_pool *pool, struct sql_conn **ret_conn, struct err *err)
{
    struct timespec deadline = deadline_after(READER_WAIT_MS);
    enum status status = OK;
    lock(&pool->pool_lock);
    while (status == OK && (pool->state != POOL_OPEN || pool->idle_count == 0)) {
        if (pool->state == POOL_CLOSED) {
            unlock(&pool->pool_lock);
            lock(&pool->write_lock);
            status = open_writer(pool, err);
            unlock(&pool->write_lock);
            lock(&pool->pool_lock);
        } else if (pthread_cond_timedwait(&pool->pool_changed, &pool->pool_lock, &deadline) ==
                   ETIMEDOUT) {
            status = fail(err, UNAVAILABLE, "no reader of the database became free");
        }
    }
    if (status == OK)
        *ret_conn = pool->idle[--pool->idle_count];
    unlock(&pool->pool_lock);
    return status;
}

static void give_slot(struct sql_pool *pool, struct sql_conn *conn)
{
    lock(&pool->pool_lock);
    pool->idle[pool->idle_count++] = conn;
    (void)pthread_cond_broadcast(&pool->pool_changed);
    unlock(&pool->pool_lock);
}

/* conn is NULL when it could not be connected: its slot is empty then. */
void sql_pool_give(struct sql_pool *pool, struct sql_conn *conn)
{
    if (conn != NULL) {
        sql_rollback(conn);
        if (sql_is_broken(conn)) {
            sql_disconnect(conn);
            conn = NULL;
        }
    }
    give_slot(pool, conn);
    if (sql_was_locked_out(pool->sql)) {
        lock(&pool->write_lock);
        open_anew(pool);
        unlock(&pool->write_lock);
    }
}

enum status sql_pool_take(struct sql_pool *pool, struct sql_conn **ret_conn, struct err *err)
{
    struct sql_conn *conn = NULL;
    enum status status = take_slot(pool, &conn, err);
    if (status != OK)
        return status;
    if (conn == NULL)
        status = sql_connect(pool->sql, SQL_READ, &conn, err);
    if (status == OK)
        status = sql_begin(conn, err);
    if (status != OK) {
        sql_pool_give(pool, conn);
        return status;
    }
    *ret_conn = conn;
    return OK;
}
