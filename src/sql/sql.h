/* SPDX-License-Identifier: Apache-2.0 */
/* The driver seam: what modules need of a database, so that their SQL is written once.
 *
 * SQL stays in the subset that SQLite and PostgreSQL both take: no AUTOINCREMENT, no INSERT OR
 * REPLACE, no PRAGMA (but for the search index of documents/, which is FTS5). Texts have static
 * storage, because a connection keeps each statement prepared and finds it again by the text's
 * address; parameters are ":name". A connection is used by one thread at a time: locks are the
 * caller's (sql_pool.h).
 *
 * A statement keeps its first error: bind, step and read freely, and look at sql_end()'s answer.
 * CONFLICT: a unique key is taken. INVALID: a referenced row is not there. UNAVAILABLE: the
 * database cannot be reached or written now. CORRUPT: the data or the schema are not what they
 * must be. */
#pragma once

#include "base/attr.h"
#include "base/span.h"
#include "base/status.h"

struct arena;
struct sql;      /* where a database is */
struct sql_conn; /* a connection to it */
struct sql_stmt; /* owned by its connection */

enum sql_access { SQL_WRITE, SQL_READ };

struct sql_place {
    int data_fd;      /* the data directory; borrowed until sql_close() */
    const char *path; /* what people call that directory, for messages */
    const char *file; /* the database's name in it; of static storage */
};

/* sql_close() comes after every sql_disconnect(). */
enum status sql_open(const struct sql_place *place, struct sql **ret_sql, struct err *err) MUST_USE;
void sql_close(struct sql *sql); /* NULL is fine */

/* SQL_WRITE creates the database when there is none. There is at most one writing connection. */
enum status sql_connect(struct sql *sql, enum sql_access access, struct sql_conn **ret_conn,
                        struct err *err) MUST_USE;
void sql_disconnect(struct sql_conn *conn); /* NULL is fine */

/* Since the last asking: has a connection met a lock that nobody gives back? SQLite keeps one when
 * the system refused to take it away, for all connections, until every one is closed. */
bool sql_was_locked_out(struct sql *sql);

/* After an I/O error, or a commit whose outcome is unknown: close it, with every other connection
 * when it is the writer, and connect anew. */
bool sql_is_broken(const struct sql_conn *conn);

/* Makes what earlier processes or connections left behind durable, before anything builds on it.
 * No other connection may be open. */
enum status sql_settle(struct sql_conn *conn, struct err *err) MUST_USE;

/* A reader's transaction is one snapshot. A failed commit has still to be rolled back. */
enum status sql_begin(struct sql_conn *conn, struct err *err) MUST_USE;
enum status sql_commit(struct sql_conn *conn, struct err *err) MUST_USE;
void sql_rollback(struct sql_conn *conn); /* nothing to roll back is fine; failing breaks conn */

/* One level: what a write does can be undone without those that share its commit. */
enum status sql_savepoint(struct sql_conn *conn, struct err *err) MUST_USE;
enum status sql_savepoint_keep(struct sql_conn *conn, struct err *err) MUST_USE;
enum status sql_savepoint_undo(struct sql_conn *conn, struct err *err) MUST_USE;

/* Statements of this connection that run past then (boot clock) end with TOO_LARGE; 0: none does.
 */
void sql_deadline(struct sql_conn *conn, int64_t boot_ns);

/* Runs several statements without parameters or results. Types stand as {int64} {text} {bytes};
 * {strict} after a table has it check them, {keyed} also keeps it in the order of its key. */
enum status sql_script(struct sql_conn *conn, struct span text, struct err *err) MUST_USE;

/* Reads the whole database and checks its structure. CORRUPT: with what is wrong first. */
enum status sql_check(struct sql_conn *conn, struct err *err) MUST_USE;

/* Never NULL. From here to sql_end() the statement is in use. Every parameter must be bound, by a
 * value that stays until sql_end(). */
struct sql_stmt *sql_prepare(struct sql_conn *conn, const char *text);
void sql_bind_int64(struct sql_stmt *stmt, const char *name, int64_t value);
void sql_bind_bool(struct sql_stmt *stmt, const char *name, bool value); /* 0 or 1 */
void sql_bind_text(struct sql_stmt *stmt, const char *name, struct span value);
void sql_bind_bytes(struct sql_stmt *stmt, const char *name, struct span value);
void sql_bind_null(struct sql_stmt *stmt, const char *name);

bool sql_next(struct sql_stmt *stmt) MUST_USE; /* is there a row? false also on an error */

/* The row's columns from left to right, each call the next one. Text and bytes are copied into the
 * arena; without one they are borrowed until the next call of sql_next() or sql_end(). What is not
 * of the type, or NULL, is CORRUPT. */
int64_t sql_get_int64(struct sql_stmt *stmt);
double sql_get_real(struct sql_stmt *stmt);
bool sql_get_bool(struct sql_stmt *stmt);
struct span sql_get_text(struct sql_stmt *stmt, struct arena *arena);
struct span sql_get_bytes(struct sql_stmt *stmt, struct arena *arena);
bool sql_get_text_or_null(struct sql_stmt *stmt, struct arena *arena, struct span *ret_text);
void sql_rewind(struct sql_stmt *stmt); /* to the row's first column */

/* The row holds what it must not: sql_end() answers CORRUPT. */
void sql_reject(struct sql_stmt *stmt, const char *what);

enum status sql_end(struct sql_stmt *stmt, struct err *err) MUST_USE;

/* For statements without rows: sql_next() and sql_end(). *ret_changed, unless NULL: rows written.
 */
enum status sql_run(struct sql_stmt *stmt, int64_t *ret_changed, struct err *err) MUST_USE;

/* The library's version. */
const char *sql_library_version(void);
