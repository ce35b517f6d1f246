/* SPDX-License-Identifier: Apache-2.0 */
#include "database.h"

#include "base/attr.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

uint64_t database_hash(uint64_t hash, const void *bytes, size_t len)
{
    const unsigned char *byte = bytes;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ byte[i]) * 0x100000001b3u; /* FNV-1a */
    return hash;
}

static int digest_table(sqlite3 *db, const char *table, uint64_t *digest)
{
    char *text = sqlite3_mprintf("SELECT * FROM \"%w\"", table);
    sqlite3_stmt *stmt = NULL;
    int code = sqlite3_prepare_v2(db, text, -1, &stmt, NULL);
    while (code == SQLITE_OK && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(stmt); i++) {
            int type = sqlite3_column_type(stmt, i);
            const void *bytes = sqlite3_column_blob(stmt, i);
            *digest = database_hash(*digest, &type, sizeof type);
            *digest = database_hash(*digest, bytes, (size_t)sqlite3_column_bytes(stmt, i));
        }
        code = SQLITE_OK;
    }
    (void)sqlite3_finalize(stmt);
    sqlite3_free(text);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* All rows of all tables. change_counter is left out: it is raised whenever the store opens. */
static int digest_database(sqlite3 *db, uint64_t *ret_digest)
{
    sqlite3_stmt *stmt = NULL;
    *ret_digest = 0xcbf29ce484222325u;
    int code = sqlite3_prepare_v2(db,
                                  "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> "
                                  "'change_counter' ORDER BY name",
                                  -1, &stmt, NULL);
    while (code == SQLITE_OK && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(stmt, 0);
        *ret_digest = database_hash(*ret_digest, name, strlen(name));
        code = digest_table(db, name, ret_digest);
    }
    (void)sqlite3_finalize(stmt);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int check_integrity(sqlite3 *db)
{
    sqlite3_stmt *stmt = NULL;
    int code = sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &stmt, NULL);
    bool is_whole = code == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW &&
                    strcmp((const char *)sqlite3_column_text(stmt, 0), "ok") == 0;
    (void)sqlite3_finalize(stmt);
    return is_whole ? SQLITE_OK : SQLITE_CORRUPT;
}

int database_read(const char *directory, bool checks, uint64_t *ret_digest)
{
    char path[128];
    sqlite3 *db = NULL;
    (void)snprintf(path, sizeof path, "%s/postern.db", directory);
    int code = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "unix");
    if (code == SQLITE_OK && checks)
        code = check_integrity(db);
    if (code == SQLITE_OK)
        code = digest_database(db, ret_digest);
    if (code == SQLITE_OK &&
        checks) /* the store must find what the power cut left, not our repair */
        (void)sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    (void)sqlite3_close(db);
    return code;
}

void database_remove(const char *directory)
{
    static const char *const names[] = {"postern.db", "postern.db-wal", "postern.db-shm",
                                        "postern.db-journal"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char path[128];
        (void)snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        (void)unlink(path);
    }
}
