/* SPDX-License-Identifier: Apache-2.0 */
/* The data directory: who may use it, what is in it, and its first content. Everything is opened
 * relative to the directory's descriptor, so a path longer than a socket address takes no harm. */
#pragma once

#include "base/attr.h"
#include "base/status.h"

#include <stdbool.h>

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

/* The control socket, bound and listening, 0600. -1 with err. */
int data_dir_control_socket(const struct data_dir *dir, struct err *err) MUST_USE;
