/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/sql_migrate.h"

#include "sql/sql.h"

#include "../store/store_fixture.h"

static const char select_version[] = "SELECT COALESCE(MAX(version), 0) FROM schema_version";
static const char count_rows[] = "SELECT COUNT(*) FROM thing";

static const struct span steps[] = {
    SPAN_INIT("CREATE TABLE thing (id {int64} NOT NULL PRIMARY KEY, name {text}) {strict};"
              "INSERT INTO thing (id, name) VALUES (1, 'one');"),
    SPAN_INIT("INSERT INTO thing (id, name) VALUES (2, 'two');"),
    SPAN_INIT("INSERT INTO thing (id, name) VALUES (3, 'three');"
              "INSERT INTO thing (id, name) VALUES (1, 'taken');"),
};

static int64_t number(struct fixture *f, struct sql_conn *conn, const char *text)
{
    struct sql_stmt *row = sql_prepare(conn, text);
    assert_true(sql_next(row));
    int64_t value = sql_get_int64(row);
    assert_ok(f, sql_end(row, &f->err));
    return value;
}

static void steps_run_once_each_and_a_failed_one_undoes_all_of_its_run(void **state)
{
    struct fixture *f = *state;
    store_close(f->store);
    f->store = NULL;
    assert_int_equal(unlinkat(f->data_fd, "postern.db", 0), 0);
    struct sql *sql;
    struct sql_conn *conn;
    const struct sql_place place = {f->data_fd, f->directory, "postern.db"};
    assert_ok(f, sql_open(&place, &sql, &f->err));
    assert_ok(f, sql_connect(sql, SQL_WRITE, &conn, &f->err));
    assert_ok(f, sql_migrate(conn, steps, 1, &f->err));
    assert_int_equal(number(f, conn, select_version), 1);
    /* The third step fails: the second is undone with it, and the old program still starts. */
    assert_status(f, sql_migrate(conn, steps, 3, &f->err), CONFLICT);
    assert_int_equal(number(f, conn, select_version), 1);
    assert_int_equal(number(f, conn, count_rows), 1);
    assert_ok(f, sql_migrate(conn, steps, 1, &f->err));
    assert_ok(f, sql_migrate(conn, steps, 2, &f->err));
    assert_int_equal(number(f, conn, count_rows), 2);
    assert_status(f, sql_migrate(conn, steps, 1, &f->err), FORBIDDEN);
    sql_disconnect(conn);
    sql_close(sql);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        empty_store_test(steps_run_once_each_and_a_failed_one_undoes_all_of_its_run),
    };
    return RUN_TESTS(tests);
}
