/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/sql.h"

#include "../store/store_fixture.h"

#include "base/clock.h"

struct db {
    struct fixture f; /* its store stays closed */
    struct sql *sql;
    struct sql_conn *writer;
    struct sql_conn *reader;
};

static const char insert_thing[] = "INSERT INTO thing (id, name, data, parent) "
                                   "VALUES (:id, :name, :data, :parent)";
static const char select_thing[] = "SELECT id, name, data FROM thing WHERE id = :id";
static const char count_things[] = "SELECT COUNT(*) FROM thing";

static int setup(void **state)
{
    struct db *db = calloc(1, sizeof *db);
    assert_non_null(db);
    struct fixture *f = &db->f;
    arena_init(&f->arena, 1 << 20);
    fixture_make_directory(f);
    const struct sql_place place = {f->data_fd, f->directory, "postern.db"};
    assert_ok(f, sql_open(&place, &db->sql, &f->err));
    assert_ok(f, sql_connect(db->sql, SQL_WRITE, &db->writer, &f->err));
    assert_ok(f, sql_script(db->writer,
                            SPAN("CREATE TABLE thing (id {int64} NOT NULL PRIMARY KEY, "
                                 "name {text} UNIQUE, data {bytes}, "
                                 "parent {int64} REFERENCES thing (id)) {strict};"
                                 "CREATE TABLE pair (a {text} NOT NULL, b {text} NOT NULL, "
                                 "PRIMARY KEY (a, b)) {keyed};"),
                            &f->err));
    assert_ok(f, sql_connect(db->sql, SQL_READ, &db->reader, &f->err));
    *state = db;
    return 0;
}

static int teardown(void **state)
{
    struct db *db = *state;
    sql_disconnect(db->reader);
    sql_disconnect(db->writer);
    sql_close(db->sql);
    void *f = &db->f; /* the first member: frees db too */
    return fixture_teardown(&f);
}

static enum status insert(struct db *db, int64_t id, struct span name, struct span data)
{
    struct sql_stmt *stmt = sql_prepare(db->writer, insert_thing);
    sql_bind_int64(stmt, ":id", id);
    sql_bind_text(stmt, ":name", name);
    sql_bind_bytes(stmt, ":data", data);
    sql_bind_null(stmt, ":parent");
    return sql_run(stmt, NULL, &db->f.err);
}

static int64_t count(struct db *db, struct sql_conn *conn)
{
    struct sql_stmt *row = sql_prepare(conn, count_things);
    assert_true(sql_next(row));
    int64_t value = sql_get_int64(row);
    assert_ok(&db->f, sql_end(row, &db->f.err));
    return value;
}

static void values_come_back_as_they_went_in(void **state)
{
    struct db *db = *state;
    assert_ok(&db->f, insert(db, 1, SPAN("n\0m"), SPAN("\xff\0")));
    assert_ok(&db->f, insert(db, INT64_MIN, (struct span){0}, (struct span){0}));
    struct sql_stmt *row = sql_prepare(db->reader, select_thing);
    sql_bind_int64(row, ":id", 1);
    assert_true(sql_next(row));
    assert_int_equal(sql_get_int64(row), 1);
    assert_true(span_equal(sql_get_text(row, &db->f.arena), SPAN("n\0m")));
    assert_true(span_equal(sql_get_bytes(row, NULL), SPAN("\xff\0")));
    sql_rewind(row);
    assert_int_equal(sql_get_int64(row), 1);
    assert_false(sql_next(row));
    assert_ok(&db->f, sql_end(row, &db->f.err));
    row = sql_prepare(db->reader, select_thing); /* again, now from the cache */
    sql_bind_int64(row, ":id", INT64_MIN);
    assert_true(sql_next(row));
    assert_true(sql_get_int64(row) == INT64_MIN);
    assert_int_equal(sql_get_text(row, &db->f.arena).len, 0); /* empty is not NULL */
    assert_int_equal(sql_get_bytes(row, &db->f.arena).len, 0);
    assert_ok(&db->f, sql_end(row, &db->f.err));
}

static void failures_have_their_statuses(void **state)
{
    struct db *db = *state;
    assert_ok(&db->f, insert(db, 1, SPAN("a"), SPAN("")));
    assert_status(&db->f, insert(db, 1, SPAN("b"), SPAN("")), CONFLICT);
    assert_status(&db->f, insert(db, 2, SPAN("a"), SPAN("")), CONFLICT);
    struct sql_stmt *stmt = sql_prepare(db->writer, insert_thing);
    sql_bind_int64(stmt, ":id", 3);
    sql_bind_null(stmt, ":name");
    sql_bind_null(stmt, ":data");
    sql_bind_int64(stmt, ":parent", 99);
    assert_status(&db->f, sql_run(stmt, NULL, &db->f.err), INVALID);
    assert_false(sql_is_broken(db->writer));
    stmt = sql_prepare(db->writer, "SELECT nothing FROM nowhere");
    assert_false(sql_next(stmt));
    assert_status(&db->f, sql_end(stmt, &db->f.err), CORRUPT);
    stmt = sql_prepare(db->reader, "DELETE FROM thing");
    assert_status(&db->f, sql_run(stmt, NULL, &db->f.err), UNAVAILABLE);
    assert_int_equal(count(db, db->reader), 1);
    assert_status(&db->f, sql_script(db->writer, SPAN("CREATE TABLE x (a {other})"), &db->f.err),
                  CORRUPT);
    assert_status(&db->f, sql_script(db->writer, SPAN("CREATE TABLE x (a {text"), &db->f.err),
                  CORRUPT);
}

static void wrong_types_are_corrupt(void **state)
{
    struct db *db = *state;
    assert_ok(&db->f, insert(db, 7, SPAN("a"), SPAN("b")));
    struct sql_stmt *row = sql_prepare(db->reader, "SELECT name, id FROM thing");
    assert_true(sql_next(row));
    assert_int_equal(sql_get_int64(row), 0);
    assert_int_equal(sql_get_text(row, &db->f.arena).len, 0); /* nothing more after an error */
    assert_false(sql_next(row));
    assert_status(&db->f, sql_end(row, &db->f.err), CORRUPT);
    row = sql_prepare(db->reader, "SELECT id, NULL, NULL FROM thing");
    assert_true(sql_next(row));
    assert_false(sql_get_bool(row)); /* 7 is neither */
    assert_status(&db->f, sql_end(row, &db->f.err), CORRUPT);
    row = sql_prepare(db->reader, "SELECT NULL, NULL FROM thing");
    assert_true(sql_next(row));
    struct span text;
    assert_false(sql_get_text_or_null(row, NULL, &text));
    assert_int_equal(sql_get_bytes(row, NULL).len, 0);
    assert_status(&db->f, sql_end(row, &db->f.err), CORRUPT);
}

static void readers_see_one_snapshot(void **state)
{
    struct db *db = *state;
    assert_ok(&db->f, sql_begin(db->reader, &db->f.err));
    assert_int_equal(count(db, db->reader), 0);
    assert_ok(&db->f, insert(db, 1, SPAN("a"), SPAN("")));
    assert_int_equal(count(db, db->reader), 0);
    sql_rollback(db->reader);
    assert_int_equal(count(db, db->reader), 1);
    sql_rollback(db->reader); /* nothing to roll back is fine */
    assert_false(sql_is_broken(db->reader));
}

static const char count_for_ever[] = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
                                      "SELECT COUNT(*) FROM n WHERE i > :least";

static void what_runs_past_its_deadline_is_ended(void **state)
{
    struct db *db = *state;
    struct fixture *f = &db->f;
    sql_deadline(db->reader, clock_boot_ns() + 1000000);
    struct sql_stmt *row = sql_prepare(db->reader, count_for_ever);
    sql_bind_int64(row, ":least", 0);
    assert_false(sql_next(row));
    assert_status(f, sql_end(row, &f->err), TOO_LARGE);
    assert_false(sql_is_broken(db->reader));
    sql_deadline(db->reader, 0);
    assert_int_equal(count(db, db->reader), 0);
}

static void transactions_and_savepoints_undo(void **state)
{
    struct db *db = *state;
    struct err *err = &db->f.err;
    assert_ok(&db->f, sql_begin(db->writer, err));
    assert_ok(&db->f, insert(db, 1, SPAN("a"), SPAN("")));
    sql_rollback(db->writer);
    assert_int_equal(count(db, db->writer), 0);
    assert_ok(&db->f, sql_begin(db->writer, err));
    assert_ok(&db->f, sql_savepoint(db->writer, err));
    assert_ok(&db->f, insert(db, 1, SPAN("a"), SPAN("")));
    assert_ok(&db->f, sql_savepoint_keep(db->writer, err));
    assert_ok(&db->f, sql_savepoint(db->writer, err));
    assert_ok(&db->f, insert(db, 2, SPAN("b"), SPAN("")));
    assert_ok(&db->f, sql_savepoint_undo(db->writer, err));
    assert_ok(&db->f, sql_commit(db->writer, err));
    assert_int_equal(count(db, db->reader), 1);
    assert_ok(&db->f,
              sql_script(db->writer, SPAN("INSERT INTO pair (a, b) VALUES ('x', 'y')"), err));
    assert_status(&db->f,
                  sql_script(db->writer, SPAN("INSERT INTO pair (a, b) VALUES ('x', 'y')"), err),
                  CONFLICT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(values_come_back_as_they_went_in, setup, teardown),
        cmocka_unit_test_setup_teardown(failures_have_their_statuses, setup, teardown),
        cmocka_unit_test_setup_teardown(wrong_types_are_corrupt, setup, teardown),
        cmocka_unit_test_setup_teardown(readers_see_one_snapshot, setup, teardown),
        cmocka_unit_test_setup_teardown(what_runs_past_its_deadline_is_ended, setup, teardown),
        cmocka_unit_test_setup_teardown(transactions_and_savepoints_undo, setup, teardown),
    };
    return RUN_TESTS(tests);
}
