/* SPDX-License-Identifier: Apache-2.0 */
/* A store's database looked at from outside: by SQLite alone, with the system's own VFS, so that
 * nothing of it is recorded. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* FNV-1a, going on from hash. */
uint64_t database_hash(uint64_t hash, const void *bytes, size_t len);

/* A digest of all rows of all tables but change_counter, which is raised whenever the store opens.
 * A database that is not there holds nothing. checks: also SQLite's integrity check, and the log
 * stays as it is. SQLite's code. */
int database_read(const char *directory, bool checks, uint64_t *ret_digest);

/* Removes postern.db and what belongs to it. */
void database_remove(const char *directory);
