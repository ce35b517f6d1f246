/* SPDX-License-Identifier: Apache-2.0 */
#include "store/migrations.h"

#include "sql/sql.h"
#include "store/store_internal.h"
#include "store_fixture.h"

#include <sys/stat.h>

struct connection {
    struct sql *sql;
    struct sql_conn *conn;
};

static struct connection connect(struct fixture *f)
{
    struct connection connection = {0};
    const struct sql_place place = {f->data_fd, f->directory, "postern.db"};
    assert_ok(f, sql_open(&place, &connection.sql, &f->err));
    assert_ok(f, sql_connect(connection.sql, SQL_WRITE, &connection.conn, &f->err));
    return connection;
}

static void disconnect(struct connection *connection)
{
    sql_disconnect(connection->conn);
    sql_close(connection->sql);
}

static int64_t number(struct fixture *f, struct connection *connection, const char *text)
{
    struct sql_stmt *row = sql_prepare(connection->conn, text);
    assert_true(sql_next(row));
    int64_t value = sql_get_int64(row);
    assert_ok(f, sql_end(row, &f->err));
    return value;
}

static void copy_file(struct fixture *f, struct span *ret_bytes)
{
    int fd = openat(f->data_fd, "postern.db", O_RDONLY | O_CLOEXEC);
    struct stat found;
    assert_int_equal(fstat(fd, &found), 0);
    char *bytes = arena_alloc(&f->arena, (size_t)found.st_size);
    assert_non_null(bytes);
    assert_int_equal(read(fd, bytes, (size_t)found.st_size), found.st_size);
    assert_int_equal(close(fd), 0);
    *ret_bytes = span_of(bytes, (size_t)found.st_size);
}

static void a_newer_database_is_refused_unharmed(void **state)
{
    struct fixture *f = *state;
    store_close(f->store);
    f->store = NULL;
    struct connection c = connect(f);
    assert_ok(
        f, sql_script(c.conn, SPAN("INSERT INTO schema_version (version) VALUES (4711)"), &f->err));
    disconnect(&c);
    struct span before;
    struct span after;
    copy_file(f, &before);
    assert_status(f, fixture_try_open(f), FORBIDDEN);
    assert_null(f->store);
    assert_non_null(strstr(f->err.detail, "4711"));
    copy_file(f, &after);
    assert_true(span_equal(before, after));
    assert_int_equal(faccessat(f->data_fd, "postern.db-wal", F_OK, 0), -1);
}

static void the_first_schema_takes_no_other_words(void **state)
{
    struct fixture *f = *state;
    store_close(f->store);
    f->store = NULL;
    struct connection c = connect(f);
    static const struct span refused[] = {
        SPAN_INIT("INSERT INTO change_counter (name, revision) VALUES ('other', 1)"),
        SPAN_INIT("UPDATE change_counter SET revision = 'text'"),
        SPAN_INIT("INSERT INTO role_grant (account_id, holder_kind, holder_id, position, "
                  "scope_kind, scope_id, role) "
                  "VALUES ('acc_1', 'app_client', 'x', 0, 'world', '', 'owner')"),
        SPAN_INIT("UPDATE app_client SET account_id = NULL"),
    };
    struct principal client = fixture_client(f, 1);
    disconnect(&c);
    assert_ok(f, fixture_try_open(f));
    fixture_create(f, &client);
    store_close(f->store);
    f->store = NULL;
    c = connect(f);
    for (size_t i = 0; i < ARRAY_LEN(refused); i++)
        assert_status(f, sql_script(c.conn, refused[i], &f->err), CORRUPT);
    disconnect(&c);
}

static void the_feed_keeps_its_newest_rows(void **state)
{
    struct fixture *f = *state;
    fixture_account(f, ACCOUNT);
    fixture_account(f, OTHER_ACCOUNT);
    int64_t newest = f->revision;
    store_close(f->store);
    f->store = NULL;
    struct connection c = connect(f);
    assert_int_equal(number(f, &c, "SELECT COUNT(*) FROM change"), 2);
    assert_ok(f, store_change_forget_old(c.conn, 2, &f->err));
    assert_int_equal(number(f, &c, "SELECT COUNT(*) FROM change"), 2);
    assert_ok(f, store_change_forget_old(c.conn, 1, &f->err));
    assert_int_equal(number(f, &c, "SELECT COUNT(*) FROM change"), 1);
    assert_int_equal(number(f, &c, "SELECT revision FROM change"), newest);
    disconnect(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        empty_store_test(the_feed_keeps_its_newest_rows),
        store_test(a_newer_database_is_refused_unharmed),
        store_test(the_first_schema_takes_no_other_words),
    };
    return RUN_TESTS(tests);
}
