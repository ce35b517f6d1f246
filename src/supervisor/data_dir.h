/* SPDX-License-Identifier: Apache-2.0 */
/* The data directory: who may use it, what is in it, and its first content. Everything is opened
 * relative to the directory's descriptor, so a path longer than a socket address takes no harm. */
#pragma once

#include "base/attr.h"
#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

struct arena;
struct span;

struct data_dir {
    int fd;
    int lock_fd; /* flock: one server per directory; ends with the last process that holds it */
    int kek_fd;  /* keys/kek, 32 bytes, open for reading */
};

/* Opens path, made when absent (with initialise). An empty directory gets its key-encryption key.
 * Waits up to ten seconds for an offline command's lock; offline for a server's too, and a minute
 * for other commands'. NOT_FOUND:
 * there is none, or it was never initialised, and initialise is false. CONFLICT: another server has
 * it. FORBIDDEN: the permissions of the key would show it to others. CORRUPT: a key is missing or
 * not one of ours. */
enum status data_dir_open(struct span path, bool initialise, struct data_dir *ret_dir,
                          struct err *err) MUST_USE;

/* What is against a database on a kind of file system. */
struct data_dir_doubt {
    uint64_t type; /* statfs(2) */
    const char *name;
    const char *why;
    bool is_shared; /* other hosts may write to it */
};

/* NULL: nothing is known. Locks and shared memory of SQLite's write-ahead log need one host, and
 * commits a disk (sqlite.org: "How To Corrupt An SQLite Database File" §2.1, "Write-Ahead
 * Logging"). */
const struct data_dir_doubt *data_dir_doubt(int data_fd);
const struct data_dir_doubt *data_dir_doubt_of(uint64_t type);

/* The control socket, bound and listening, 0600. -1 with err. */
int data_dir_control_socket(const struct data_dir *dir, struct err *err) MUST_USE;
