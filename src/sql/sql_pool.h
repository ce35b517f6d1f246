/* SPDX-License-Identifier: Apache-2.0 */
/* One database's connections: a writer behind a lock, and readers that are taken and given back.
 *
 * When the writer breaks, everything is closed and opened anew before anybody goes on: only a
 * database opened anew tells what was kept. Who must not write while something of his own is held
 * takes no reader first: a write may wait for all readers to come back. */
#pragma once

#include "sql/sql.h"

struct sql_pool;

struct sql_pool_options {
    struct sql_place place;
    unsigned readers; /* connections kept: at least one for each thread that reads */
    /* Brings a new writer's database into order, migrations first; the write lock is held. */
    enum status (*prepare)(void *context, struct sql_conn *conn, struct err *err);
    /* Opened again after a break: a write whose commit failed may have been kept after all. NULL:
     * nobody asks. */
    void (*reopened)(void *context);
    void *context;
};

/* Creates the database when there is none. The caller owns *ret_pool. */
enum status sql_pool_open(const struct sql_pool_options *options, struct sql_pool **ret_pool,
                          struct err *err) MUST_USE;
void sql_pool_close(struct sql_pool *pool); /* also checkpoints. NULL is fine */

/* Closes the database for good while calls may still come: they are UNAVAILABLE from then on. */
void sql_pool_retire(struct sql_pool *pool);

/* Runs body inside a transaction: kept when it answers OK, else undone. Then, still under the write
 * lock, committed unless NULL: in the order of the commits. */
struct sql_write {
    enum status (*body)(void *context, struct sql_conn *conn, struct err *err);
    void (*committed)(void *context);
    void *context;
};

enum status sql_pool_write(struct sql_pool *pool, const struct sql_write *write,
                           struct err *err) MUST_USE;

/* A reader in a snapshot; when OK, it is to be given back. */
enum status sql_pool_take(struct sql_pool *pool, struct sql_conn **ret_conn,
                          struct err *err) MUST_USE;
void sql_pool_give(struct sql_pool *pool, struct sql_conn *conn);
