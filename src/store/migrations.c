/* SPDX-License-Identifier: Apache-2.0 */
#include "store/migrations.h"

#include "sql/sql_migrate.h"
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
EMBED("0008", "0008_one_time_code.sql");

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
extern const char store_migration_0008[];
extern const char store_migration_0008_end[];

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
        span_of(store_migration_0008, (size_t)(store_migration_0008_end - store_migration_0008)),
    };
    static_assert(ARRAY_LEN(texts) == MIGRATION_COUNT, "a step is not counted");
    return sql_migrate(conn, texts, ARRAY_LEN(texts), err);
}
