/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/sql.h"

#include "base/clock.h"
#include "base/arena.h"
#include "base/buf.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUSY_TIMEOUT_MS = 5000, SCRIPT_BYTES_MAX = 1 << 20 };

struct sql {
    sqlite3_vfs vfs; /* first: SQLite hands it back to full_pathname() */
    char name[40];
    char directory[40];
    int data_fd;
    char *path;       /* of the directory */
    const char *file; /* in it */
    atomic_bool is_locked_out;
};

struct sql_stmt {
    struct sql_stmt *next;
    struct sql_conn *conn;
    const char *text; /* its address is the key */
    sqlite3_stmt *handle;
    int column;
    int bound;
    bool is_in_use;
    struct err error;
};

enum { DEADLINE_STEPS = 4096 }; /* of the virtual machine, between two looks at the clock */

struct sql_conn {
    struct sql *sql;
    sqlite3 *db;
    struct sql_stmt *stmts;
    struct sql_stmt unprepared; /* stands for the one that could not be prepared */
    enum sql_access access;
    bool is_broken;
    int64_t deadline_ns; /* boot clock; 0: none */
};

static_assert(offsetof(struct sql, vfs) == 0, "full_pathname() casts back");

static enum status status_of(int code)
{
    switch (code & 0xff) {
    case SQLITE_CONSTRAINT:
        if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY ||
            code == SQLITE_CONSTRAINT_ROWID)
            return CONFLICT;
        return code == SQLITE_CONSTRAINT_FOREIGNKEY ? INVALID : CORRUPT;
    case SQLITE_NOMEM:
        return NO_MEMORY;
    case SQLITE_TOOBIG:
    case SQLITE_INTERRUPT: /* by the deadline: nobody else interrupts */
        return TOO_LARGE;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_PROTOCOL:
    case SQLITE_NOLFS:
        return UNAVAILABLE;
    default: /* SQLITE_CORRUPT, SQLITE_NOTADB; SQLITE_ERROR: tables are not what they must be */
        return CORRUPT;
    }
}

/* SQLite's messages name tables and columns, never values. */
static enum status conn_fail(struct sql_conn *conn, int code, struct err *err)
{
    if ((code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_PROTOCOL)
        conn->is_broken = true;
    if ((code & 0xff) == SQLITE_PROTOCOL)
        conn->sql->is_locked_out = true;
    if (status_of(code) == CONFLICT) /* callers read this one: no path, no SQL */
        return fail(err, CONFLICT, "One of this name, e-mail address, key or id exists already.");
    return fail(err, status_of(code), "%s in %s: %s", conn->sql->file, conn->sql->path,
                conn->db == NULL ? sqlite3_errstr(code) : sqlite3_errmsg(conn->db));
}

/* --- The file, relative to the data directory's descriptor --- */

/* The unix VFS would resolve the directory's whole path here, and fail under a parent that this
 * process may not search. */
static int full_pathname(sqlite3_vfs *vfs, const char *name, int size, char *ret_path)
{
    const struct sql *sql = (const struct sql *)(const void *)vfs;
    int len = snprintf(ret_path, (size_t)size, "%s/%s", sql->directory, name);
    return len > 0 && len < size ? SQLITE_OK : SQLITE_CANTOPEN;
}

enum status sql_open(const struct sql_place *place, struct sql **ret_sql, struct err *err)
{
    int code = sqlite3_initialize();
    const sqlite3_vfs *system = code == SQLITE_OK ? sqlite3_vfs_find(NULL) : NULL;
    if (system == NULL)
        return fail(err, UNAVAILABLE, "SQLite does not start");
    struct sql *sql = calloc(1, sizeof *sql);
    if (sql == NULL)
        return fail(err, NO_MEMORY, "no memory for the database");
    sql->vfs = *system;
    sql->vfs.xFullPathname = full_pathname;
    sql->vfs.zName = sql->name;
    sql->data_fd = place->data_fd;
    sql->file = place->file;
    sql->path = strdup(place->path);
    (void)snprintf(sql->name, sizeof sql->name, "postern-%p", (void *)sql);
    (void)snprintf(sql->directory, sizeof sql->directory, "/proc/self/fd/%d", place->data_fd);
    if (sql->path == NULL || sqlite3_vfs_register(&sql->vfs, 0) != SQLITE_OK) {
        free(sql->path);
        free(sql);
        return fail(err, NO_MEMORY, "no memory for the database");
    }
    *ret_sql = sql;
    return OK;
}

void sql_close(struct sql *sql)
{
    if (sql == NULL)
        return;
    (void)sqlite3_vfs_unregister(&sql->vfs);
    free(sql->path);
    free(sql);
}

/* SQLite would make it 0644. Its other files take the mode of this one. An existing file is not
 * opened: closing it would drop the locks of a connection that this process has. */
static enum status make_file(const struct sql *sql, struct err *err)
{
    struct stat found;
    if (fstatat(sql->data_fd, sql->file, &found, AT_SYMLINK_NOFOLLOW) == 0)
        return OK;
    int fd = openat(sql->data_fd, sql->file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail(err, UNAVAILABLE, "%s/%s: %s", sql->path, sql->file, strerror(errno));
    (void)close(fd);
    return OK;
}

/* --- Connections --- */

/* In WAL mode one connection that writes and checkpoints, and readers that never do, is what keeps
 * clear of the WAL-reset race that SQLite has before 3.51.3. */
static const char *const writer_pragmas[] = {
    "PRAGMA locking_mode=NORMAL", "PRAGMA synchronous=FULL",  "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=ON",    "PRAGMA temp_store=MEMORY", "PRAGMA trusted_schema=OFF",
    "PRAGMA mmap_size=0",         "PRAGMA cell_size_check=ON"};
static const char *const reader_pragmas[] = {
    "PRAGMA locking_mode=NORMAL", "PRAGMA query_only=ON", "PRAGMA temp_store=MEMORY",
    "PRAGMA trusted_schema=OFF",  "PRAGMA mmap_size=0",   "PRAGMA cell_size_check=ON"};

static int set_switches(sqlite3 *db, enum sql_access access)
{
    int code = SQLITE_OK;
    if (code == SQLITE_OK && access == SQL_READ)
        code = sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_busy_timeout(db, BUSY_TIMEOUT_MS);
    (void)sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
    return code;
}

/* SQLite answers with the mode that there is, not with an error, when it cannot change it. */
static enum status use_wal(struct sql_conn *conn, struct err *err)
{
    struct sql_stmt *mode = sql_prepare(conn, "PRAGMA journal_mode=WAL");
    bool is_wal = sql_next(mode) && span_equal(sql_get_text(mode, NULL), SPAN("wal"));
    enum status status = sql_end(mode, err);
    if (status == OK && !is_wal)
        status = fail(err, UNAVAILABLE, "the file system of %s takes no write-ahead log",
                      conn->sql->path);
    return status;
}

static enum status prepare_conn(struct sql_conn *conn, struct err *err)
{
    bool is_writer = conn->access == SQL_WRITE;
    const char *const *pragmas = is_writer ? writer_pragmas : reader_pragmas;
    size_t count = is_writer ? ARRAY_LEN(writer_pragmas) : ARRAY_LEN(reader_pragmas);
    int code = set_switches(conn->db, conn->access);
    for (size_t i = 0; code == SQLITE_OK && i < count; i++)
        code = sqlite3_exec(conn->db, pragmas[i], NULL, NULL, NULL);
    if (code != SQLITE_OK)
        return conn_fail(conn, code, err);
    return is_writer ? use_wal(conn, err) : OK;
}

enum status sql_connect(struct sql *sql, enum sql_access access, struct sql_conn **ret_conn,
                        struct err *err)
{
    enum status status = access == SQL_WRITE ? make_file(sql, err) : OK;
    if (status != OK)
        return status;
    struct sql_conn *conn = calloc(1, sizeof *conn);
    if (conn == NULL)
        return fail(err, NO_MEMORY, "no memory for a connection");
    conn->sql = sql;
    conn->access = access;
    conn->unprepared.conn = conn;
    /* NOMUTEX: the pool gives a connection to one thread at a time, so a second lock in SQLite
     * around every call would guard nothing. */
    int flags = (access == SQL_WRITE ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) |
                SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int code = sqlite3_open_v2(sql->file, &conn->db, flags, sql->vfs.zName);
    status = code == SQLITE_OK ? prepare_conn(conn, err) : conn_fail(conn, code, err);
    if (status != OK) {
        sql_disconnect(conn);
        return status;
    }
    *ret_conn = conn;
    return OK;
}

static int on_progress(void *context)
{
    const struct sql_conn *conn = context;
    return clock_boot_ns() > conn->deadline_ns;
}

void sql_deadline(struct sql_conn *conn, int64_t boot_ns)
{
    conn->deadline_ns = boot_ns;
    sqlite3_progress_handler(conn->db, DEADLINE_STEPS, boot_ns == 0 ? NULL : on_progress, conn);
}

void sql_disconnect(struct sql_conn *conn)
{
    if (conn == NULL)
        return;
    struct sql_stmt *stmt = conn->stmts;
    while (stmt != NULL) {
        struct sql_stmt *next = stmt->next;
        (void)sqlite3_finalize(stmt->handle);
        free(stmt);
        stmt = next;
    }
    (void)sqlite3_close(conn->db);
    free(conn);
}

bool sql_was_locked_out(struct sql *sql)
{
    return atomic_exchange(&sql->is_locked_out, false);
}

bool sql_is_broken(const struct sql_conn *conn)
{
    return conn->is_broken;
}

/* A commit whose fsync failed, here or in a process that then died, may lie in the log as a frame
 * that reads well but is not on disk. Later commits would be chained to it and be lost with it.
 * Copying everything into the database, with its own fsync, ends that. */
enum status sql_settle(struct sql_conn *conn, struct err *err)
{
    int code = sqlite3_wal_checkpoint_v2(conn->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    return code == SQLITE_OK ? OK : conn_fail(conn, code, err);
}

/* --- Transactions --- */

static int run_plain(struct sql_conn *conn, const char *text)
{
    struct sql_stmt *stmt = sql_prepare(conn, text);
    if (stmt->handle == NULL) {
        stmt->error = (struct err){0};
        int cause = sqlite3_extended_errcode(conn->db);
        return cause == SQLITE_OK ? SQLITE_NOMEM : cause;
    }
    int code = sqlite3_step(stmt->handle);
    (void)sqlite3_reset(stmt->handle);
    stmt->is_in_use = false;
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

static enum status run_or_fail(struct sql_conn *conn, const char *text, struct err *err)
{
    int code = run_plain(conn, text);
    return code == SQLITE_OK ? OK : conn_fail(conn, code, err);
}

enum status sql_begin(struct sql_conn *conn, struct err *err)
{
    if (conn->access != SQL_WRITE)
        return run_or_fail(conn, "BEGIN", err);
    int code = run_plain(conn, "BEGIN IMMEDIATE");
    if (code == SQLITE_OK)
        return OK;
    /* There is no other writer. A lock that is taken for so long may be one that this process could
     * not give back: it ends with the last connection. */
    if ((code & 0xff) == SQLITE_BUSY)
        conn->is_broken = true;
    return conn_fail(conn, code, err);
}

enum status sql_commit(struct sql_conn *conn, struct err *err)
{
    int code = run_plain(conn, "COMMIT");
    if (code == SQLITE_OK)
        return OK;
    /* Only these two say for certain that nothing was kept: after a failed fsync the row may be
     * there. */
    if ((code & 0xff) != SQLITE_BUSY && (code & 0xff) != SQLITE_FULL)
        conn->is_broken = true;
    return fail(err, UNAVAILABLE, "commit to %s in %s: %s", conn->sql->file, conn->sql->path,
                sqlite3_errmsg(conn->db));
}

void sql_rollback(struct sql_conn *conn)
{
    if (sqlite3_get_autocommit(conn->db) == 0 && run_plain(conn, "ROLLBACK") != SQLITE_OK)
        conn->is_broken = true;
}

enum status sql_savepoint(struct sql_conn *conn, struct err *err)
{
    return run_or_fail(conn, "SAVEPOINT one_write", err);
}

enum status sql_savepoint_keep(struct sql_conn *conn, struct err *err)
{
    return run_or_fail(conn, "RELEASE SAVEPOINT one_write", err);
}

enum status sql_savepoint_undo(struct sql_conn *conn, struct err *err)
{
    enum status status = run_or_fail(conn, "ROLLBACK TO SAVEPOINT one_write", err);
    return status == OK ? sql_savepoint_keep(conn, err) : status;
}

/* --- Scripts --- */

struct placeholder {
    struct span name;
    struct span sqlite;
};

static const struct placeholder placeholders[] = {
    {SPAN_INIT("int64"), SPAN_INIT("INTEGER")},
    {SPAN_INIT("text"), SPAN_INIT("TEXT")},
    {SPAN_INIT("bytes"), SPAN_INIT("BLOB")},
    {SPAN_INIT("strict"), SPAN_INIT("STRICT")},
    {SPAN_INIT("keyed"), SPAN_INIT("STRICT, WITHOUT ROWID")},
};

static bool put_placeholder(struct buf *out, struct span name)
{
    for (size_t i = 0; i < ARRAY_LEN(placeholders); i++) {
        if (span_equal(placeholders[i].name, name)) {
            buf_put(out, placeholders[i].sqlite);
            return true;
        }
    }
    return false;
}

enum status sql_script(struct sql_conn *conn, struct span text, struct err *err)
{
    AUTO(buf) struct buf sqlite = {0};
    buf_init(&sqlite, SCRIPT_BYTES_MAX);
    struct span piece;
    while (span_cut(&text, '{', &piece)) {
        buf_put(&sqlite, piece);
        struct span name;
        if (!span_cut(&text, '}', &name) || !put_placeholder(&sqlite, name))
            return fail(err, CORRUPT, "a script has an unknown placeholder");
    }
    buf_put(&sqlite, piece);
    buf_byte(&sqlite, '\0');
    if (!buf_ok(&sqlite))
        return fail(err, NO_MEMORY, "no memory for a script");
    int code = sqlite3_exec(conn->db, sqlite.data, NULL, NULL, NULL);
    return code == SQLITE_OK ? OK : conn_fail(conn, code, err);
}

/* --- Statements --- */

static void stmt_fail(struct sql_stmt *stmt, int code)
{
    (void)conn_fail(stmt->conn, code, &stmt->error);
}

static bool has_failed(const struct sql_stmt *stmt)
{
    return stmt->error.status != OK;
}

static struct sql_stmt *find_or_make(struct sql_conn *conn, const char *text)
{
    for (struct sql_stmt *stmt = conn->stmts; stmt != NULL; stmt = stmt->next) {
        if (stmt->text == text)
            return stmt;
    }
    struct sql_stmt *stmt = calloc(1, sizeof *stmt);
    if (stmt == NULL) {
        (void)fail(&conn->unprepared.error, NO_MEMORY, "no memory for a statement");
        return &conn->unprepared;
    }
    int code =
        sqlite3_prepare_v3(conn->db, text, -1, SQLITE_PREPARE_PERSISTENT, &stmt->handle, NULL);
    if (code != SQLITE_OK) {
        free(stmt);
        stmt_fail(&conn->unprepared, code);
        return &conn->unprepared;
    }
    stmt->conn = conn;
    stmt->text = text;
    stmt->next = conn->stmts;
    conn->stmts = stmt;
    return stmt;
}

struct sql_stmt *sql_prepare(struct sql_conn *conn, const char *text)
{
    struct sql_stmt *stmt = find_or_make(conn, text);
    if (stmt->handle == NULL)
        return stmt;
    assert(!stmt->is_in_use);
    stmt->is_in_use = true;
    stmt->column = 0;
    stmt->bound = 0;
    stmt->error = (struct err){0};
    return stmt;
}

static int parameter(struct sql_stmt *stmt, const char *name)
{
    int index = sqlite3_bind_parameter_index(stmt->handle, name);
    assert(index > 0);
    stmt->bound++;
    return index;
}

static void bound(struct sql_stmt *stmt, int code)
{
    if (code != SQLITE_OK)
        stmt_fail(stmt, code);
}

void sql_bind_int64(struct sql_stmt *stmt, const char *name, int64_t value)
{
    if (!has_failed(stmt))
        bound(stmt, sqlite3_bind_int64(stmt->handle, parameter(stmt, name), value));
}

void sql_bind_bool(struct sql_stmt *stmt, const char *name, bool value)
{
    sql_bind_int64(stmt, name, value ? 1 : 0);
}

/* A NULL pointer would bind NULL. */
static const char *bytes_of(struct span value)
{
    return value.len == 0 ? "" : value.ptr;
}

void sql_bind_text(struct sql_stmt *stmt, const char *name, struct span value)
{
    if (!has_failed(stmt))
        bound(stmt, sqlite3_bind_text64(stmt->handle, parameter(stmt, name), bytes_of(value),
                                        value.len, SQLITE_STATIC, SQLITE_UTF8));
}

void sql_bind_bytes(struct sql_stmt *stmt, const char *name, struct span value)
{
    if (!has_failed(stmt))
        bound(stmt, sqlite3_bind_blob64(stmt->handle, parameter(stmt, name), bytes_of(value),
                                        value.len, SQLITE_STATIC));
}

void sql_bind_null(struct sql_stmt *stmt, const char *name)
{
    if (!has_failed(stmt))
        bound(stmt, sqlite3_bind_null(stmt->handle, parameter(stmt, name)));
}

bool sql_next(struct sql_stmt *stmt)
{
    if (has_failed(stmt))
        return false;
    assert(stmt->bound == sqlite3_bind_parameter_count(stmt->handle));
    stmt->column = 0;
    int code = sqlite3_step(stmt->handle);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        stmt_fail(stmt, code);
    return code == SQLITE_ROW;
}

void sql_reject(struct sql_stmt *stmt, const char *what)
{
    (void)fail(&stmt->error, CORRUPT, "the database holds %s", what);
}

/* The next column, when it is of this type; else -1. */
static int typed_column(struct sql_stmt *stmt, int type)
{
    if (has_failed(stmt))
        return -1;
    int column = stmt->column++;
    assert(column < sqlite3_column_count(stmt->handle));
    if (sqlite3_column_type(stmt->handle, column) == type)
        return column;
    sql_reject(stmt, "a column of the wrong type");
    return -1;
}

int64_t sql_get_int64(struct sql_stmt *stmt)
{
    int column = typed_column(stmt, SQLITE_INTEGER);
    return column < 0 ? 0 : sqlite3_column_int64(stmt->handle, column);
}

double sql_get_real(struct sql_stmt *stmt)
{
    int column = typed_column(stmt, SQLITE_FLOAT);
    return column < 0 ? 0 : sqlite3_column_double(stmt->handle, column);
}

bool sql_get_bool(struct sql_stmt *stmt)
{
    int64_t value = sql_get_int64(stmt);
    if (value != 0 && value != 1)
        sql_reject(stmt, "a truth value that is none");
    return value == 1;
}

static struct span get_span(struct sql_stmt *stmt, int type, struct arena *arena)
{
    int column = typed_column(stmt, type);
    if (column < 0)
        return (struct span){0};
    const void *ptr = sqlite3_column_blob(stmt->handle, column);
    struct span value = span_of(ptr, (size_t)sqlite3_column_bytes(stmt->handle, column));
    if (ptr == NULL)
        value = SPAN(""); /* so it is for an empty blob */
    if (arena == NULL)
        return value;
    struct span copy = arena_copy(arena, value);
    if (copy.ptr == NULL)
        (void)fail(&stmt->error, NO_MEMORY, "no memory for what the database holds");
    return copy;
}

struct span sql_get_text(struct sql_stmt *stmt, struct arena *arena)
{
    return get_span(stmt, SQLITE_TEXT, arena);
}

struct span sql_get_bytes(struct sql_stmt *stmt, struct arena *arena)
{
    return get_span(stmt, SQLITE_BLOB, arena);
}

bool sql_get_text_or_null(struct sql_stmt *stmt, struct arena *arena, struct span *ret_text)
{
    *ret_text = (struct span){0};
    if (!has_failed(stmt) && sqlite3_column_type(stmt->handle, stmt->column) == SQLITE_NULL) {
        stmt->column++;
        return false;
    }
    *ret_text = sql_get_text(stmt, arena);
    return true;
}

void sql_rewind(struct sql_stmt *stmt)
{
    stmt->column = 0;
}

enum status sql_end(struct sql_stmt *stmt, struct err *err)
{
    struct err error = stmt->error;
    stmt->error = (struct err){0};
    stmt->is_in_use = false;
    if (stmt->handle != NULL) {
        (void)sqlite3_reset(stmt->handle); /* repeats the error that sqlite3_step() had */
        (void)sqlite3_clear_bindings(stmt->handle);
    }
    return error.status == OK ? OK : fail(err, error.status, "%s", error.detail);
}

enum status sql_run(struct sql_stmt *stmt, int64_t *ret_changed, struct err *err)
{
    bool has_row = sql_next(stmt);
    assert(!has_row);
    int64_t changed = sqlite3_changes64(stmt->conn->db);
    enum status status = sql_end(stmt, err);
    if (status == OK && ret_changed != NULL)
        *ret_changed = changed;
    return status;
}

enum status sql_check(struct sql_conn *conn, struct err *err)
{
    char problem[128] = "";
    struct sql_stmt *check = sql_prepare(conn, "PRAGMA quick_check(1)");
    if (sql_next(check)) {
        struct span answer = sql_get_text(check, NULL);
        if (!span_equal(answer, SPAN("ok")))
            (void)snprintf(problem, sizeof problem, "%.*s", SPAN_FMT(answer));
    }
    enum status status = sql_end(check, err);
    return status == OK && problem[0] != '\0' ? fail(err, CORRUPT, "%s", problem) : status;
}

const char *sql_library_version(void)
{
    return sqlite3_libversion();
}
