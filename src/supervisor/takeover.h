/* SPDX-License-Identifier: Apache-2.0 */
/* From one version of the supervisor to the next: the process stays (systemd's main process, parent
 * of front and signer), the program in it changes. What it holds is passed as descriptors,
 * described in a memory file. */
#pragma once

#include "supervisor/data_dir.h"
#include "supervisor/pair.h"
#include "supervisor/program.h"

struct takeover {
    struct data_dir dir;
    int control_fd;
    struct programs programs; /* of the version before, to go back to */
    struct setup *setup;      /* of the running pair; owned */
    struct pair pair;         /* the running one, of that setup */
};

/* Replaces this program by the one at path. Returns only on failure, with everything as it was. */
enum status takeover_exec(const struct takeover *from, const char *path, char *const *argv,
                          struct err *err) MUST_USE;

/* Is there a supervisor before this one? NOT_FOUND: none. On OK, ret's setup is the caller's. */
enum status takeover_read(struct takeover *ret, struct err *err) MUST_USE;
