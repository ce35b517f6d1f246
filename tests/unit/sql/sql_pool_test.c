/* SPDX-License-Identifier: Apache-2.0 */
/* Breaks and their mending are tested through the store, whose fault tests let calls fail. */
#include "sql/sql_pool.h"

#include "../store/store_fixture.h"

struct bench {
    struct fixture f; /* its store stays closed */
    struct sql_pool *pool;
    size_t prepared;
    size_t committed;
    enum status answer; /* of the next body */
};

static enum status prepare(void *context, struct sql_conn *conn, struct err *err)
{
    struct bench *bench = context;
    bench->prepared++;
    return sql_script(conn, SPAN("CREATE TABLE IF NOT EXISTS thing (id {int64}) {strict}"), err);
}

static enum status insert(void *context, struct sql_conn *conn, struct err *err)
{
    struct bench *bench = context;
    struct sql_stmt *stmt = sql_prepare(conn, "INSERT INTO thing (id) VALUES (1)");
    enum status status = sql_run(stmt, NULL, err);
    return status == OK ? bench->answer : status;
}

static void committed(void *context)
{
    struct bench *bench = context;
    bench->committed++;
}

static int setup(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    assert_non_null(bench);
    struct fixture *f = &bench->f;
    arena_init(&f->arena, 1 << 16);
    fixture_make_directory(f);
    const struct sql_pool_options options = {.place = {f->data_fd, f->directory, "postern.db"},
                                             .readers = 2,
                                             .prepare = prepare,
                                             .context = bench};
    assert_ok(f, sql_pool_open(&options, &bench->pool, &f->err));
    *state = bench;
    return 0;
}

static int teardown(void **state)
{
    struct bench *bench = *state;
    sql_pool_close(bench->pool);
    void *f = &bench->f; /* the first member: frees bench too */
    return fixture_teardown(&f);
}

static enum status write_one(struct bench *bench)
{
    const struct sql_write write = {.body = insert, .committed = committed, .context = bench};
    bench->f.err = (struct err){0};
    return sql_pool_write(bench->pool, &write, &bench->f.err);
}

static int64_t count(struct bench *bench)
{
    static const char text[] = "SELECT COUNT(*) FROM thing";
    struct fixture *f = &bench->f;
    struct sql_conn *conn;
    assert_ok(f, sql_pool_take(bench->pool, &conn, &f->err));
    struct sql_stmt *row = sql_prepare(conn, text);
    assert_true(sql_next(row));
    int64_t rows = sql_get_int64(row);
    assert_ok(f, sql_end(row, &f->err));
    sql_pool_give(bench->pool, conn);
    return rows;
}

static void a_body_that_fails_leaves_nothing_and_tells_nobody(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(write_one(bench), OK);
    bench->answer = NOT_FOUND;
    assert_int_equal(write_one(bench), NOT_FOUND);
    assert_int_equal(count(bench), 1);
    assert_int_equal(bench->committed, 1);
    assert_int_equal(bench->prepared, 1);
}

static void a_reader_keeps_its_snapshot(void **state)
{
    struct bench *bench = *state;
    struct fixture *f = &bench->f;
    struct sql_conn *conn;
    assert_ok(f, sql_pool_take(bench->pool, &conn, &f->err));
    struct sql_stmt *row = sql_prepare(conn, "SELECT COUNT(*) FROM thing");
    assert_true(sql_next(row));
    assert_int_equal(sql_get_int64(row), 0);
    assert_ok(f, sql_end(row, &f->err));
    assert_int_equal(write_one(bench), OK);
    row = sql_prepare(conn, "SELECT COUNT(id) FROM thing");
    assert_true(sql_next(row));
    assert_int_equal(sql_get_int64(row), 0);
    assert_ok(f, sql_end(row, &f->err));
    sql_pool_give(bench->pool, conn);
    assert_int_equal(count(bench), 1);
}

static void a_retired_pool_is_unavailable(void **state)
{
    struct bench *bench = *state;
    struct sql_conn *conn;
    sql_pool_retire(bench->pool);
    assert_int_equal(write_one(bench), UNAVAILABLE);
    assert_int_equal(sql_pool_take(bench->pool, &conn, NULL), UNAVAILABLE);
    assert_int_equal(bench->committed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_body_that_fails_leaves_nothing_and_tells_nobody, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_reader_keeps_its_snapshot, setup, teardown),
        cmocka_unit_test_setup_teardown(a_retired_pool_is_unavailable, setup, teardown),
    };
    return RUN_TESTS(tests);
}
