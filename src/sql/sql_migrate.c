/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/sql_migrate.h"

#include "sql/sql.h"

static const char create_version_table[] = "CREATE TABLE IF NOT EXISTS schema_version ("
                                           "version {int64} NOT NULL PRIMARY KEY) {strict}";
static const char select_version[] = "SELECT COALESCE(MAX(version), 0) FROM schema_version";
static const char insert_version[] = "INSERT INTO schema_version (version) VALUES (:version)";

static enum status read_version(struct sql_conn *conn, int64_t *ret_version, struct err *err)
{
    struct sql_stmt *row = sql_prepare(conn, select_version);
    int64_t version = sql_next(row) ? sql_get_int64(row) : 0;
    enum status status = sql_end(row, err);
    if (status != OK)
        return status;
    if (version < 0)
        return fail(err, CORRUPT, "the database has a negative version");
    *ret_version = version;
    return OK;
}

static enum status run_step(struct sql_conn *conn, struct span text, int64_t version,
                            struct err *err)
{
    enum status status = sql_script(conn, text, err);
    if (status != OK)
        return status;
    struct sql_stmt *insert = sql_prepare(conn, insert_version);
    sql_bind_int64(insert, ":version", version);
    return sql_run(insert, NULL, err);
}

/* All missing steps in one transaction: when one of them fails, the version before still starts. */
enum status sql_migrate(struct sql_conn *conn, const struct span *texts, size_t count,
                        struct err *err)
{
    enum status status = sql_script(conn, span_cstr(create_version_table), err);
    int64_t version = 0;
    if (status == OK)
        status = read_version(conn, &version, err);
    if (status == OK && (uint64_t)version > count)
        return fail(err, FORBIDDEN,
                    "the database has version %lld, this program knows up to %zu: use a newer one",
                    (long long)version, count);
    if (status != OK || (uint64_t)version == count)
        return status;
    status = sql_begin(conn, err);
    if (status != OK)
        return status;
    for (; status == OK && (uint64_t)version < count; version++)
        status = run_step(conn, texts[version], version + 1, err);
    if (status == OK)
        status = sql_commit(conn, err);
    if (status != OK)
        sql_rollback(conn);
    return status;
}
