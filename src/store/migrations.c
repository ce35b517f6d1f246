/* SPDX-License-Identifier: Apache-2.0 */
#include "store/migrations.h"

#include "store/sql.h"
#include "store/store_migrations.h"

#include <assert.h>

#define EMBED(number, file)                                                                        \
    __asm__(".pushsection .rodata\n"                                                               \
            ".global store_migration_" number "\n"                                                 \
            ".global store_migration_" number "_end\n"                                             \
            "store_migration_" number ": .incbin \"" MIGRATIONS_DIR "/" file "\"\n"                \
            "store_migration_" number "_end: .byte 0\n"                                            \
            ".popsection\n")

EMBED("0001", "0001_first.sql");
EMBED("0002", "0002_prune.sql");
EMBED("0003", "0003_account_token_ttl.sql");
EMBED("0004", "0004_secret_in_page.sql");
EMBED("0005", "0005_revoked_token.sql");
EMBED("0006", "0006_job.sql");
EMBED("0007", "0007_principal.sql");

extern const char store_migration_0001[];
extern const char store_migration_0001_end[];
extern const char store_migration_0002[];
extern const char store_migration_0002_end[];
extern const char store_migration_0003[];
extern const char store_migration_0003_end[];
extern const char store_migration_0004[];
extern const char store_migration_0004_end[];
extern const char store_migration_0005[];
extern const char store_migration_0005_end[];
extern const char store_migration_0006[];
extern const char store_migration_0006_end[];
extern const char store_migration_0007[];
extern const char store_migration_0007_end[];

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
enum status migrations_run(struct sql_conn *conn, const struct span *texts, size_t count,
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

enum status migrations_run_all(struct sql_conn *conn, struct err *err)
{
    const struct span texts[] = {
        span_of(store_migration_0001, (size_t)(store_migration_0001_end - store_migration_0001)),
        span_of(store_migration_0002, (size_t)(store_migration_0002_end - store_migration_0002)),
        span_of(store_migration_0003, (size_t)(store_migration_0003_end - store_migration_0003)),
        span_of(store_migration_0004, (size_t)(store_migration_0004_end - store_migration_0004)),
        span_of(store_migration_0005, (size_t)(store_migration_0005_end - store_migration_0005)),
        span_of(store_migration_0006, (size_t)(store_migration_0006_end - store_migration_0006)),
        span_of(store_migration_0007, (size_t)(store_migration_0007_end - store_migration_0007)),
    };
    static_assert(ARRAY_LEN(texts) == MIGRATION_COUNT, "a step is not counted");
    return migrations_run(conn, texts, ARRAY_LEN(texts), err);
}
