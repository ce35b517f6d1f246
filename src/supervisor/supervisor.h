/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisor: prepares the data directory, binds sockets, starts front and signer, restarts
 * what dies, replaces them when the configuration changes (SIGHUP) or the program does (SIGUSR2),
 * ends all on SIGTERM. Links no cryptography and no database (rule R1; decisions). One thread. */
#pragma once

#include "config/config.h"

struct supervisor_options {
    const struct config *config;
    /* Reads the configuration anew, from the same flags and file; its texts go into the arena. */
    enum status (*read_config)(void *context, struct arena *arena, struct config *ret_config,
                               struct err *err);
    void *read_context;
    char *const *argv; /* to start the next version of this program with */
    /* No network listener and no first start: for the command line while no server runs. Ends with
     * its last control connection. */
    bool is_offline;
};

/* Runs until the end; the answer is the process's exit status. Prints `ready URL` on standard
 * output once, when connections are accepted; offline, `failed REASON` when it cannot begin. */
int supervisor_run(const struct supervisor_options *options);
