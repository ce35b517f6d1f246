/* SPDX-License-Identifier: Apache-2.0 */
/* A configuration with what it needs of the machine: bound sockets. A reload makes a new one beside
 * the old, so that a failed reload has changed nothing. */
#pragma once

#include "base/arena.h"
#include "config/config.h"
#include "supervisor/listener.h"

enum { LOOPS_MAX = 64, LANES_MAX = 192, LISTEN_MAX = LOOPS_MAX * CONFIG_LISTEN_MAX };

struct listener {
    struct span text; /* as configured */
    char url[LISTENER_URL_LEN_MAX];
    int fds[LOOPS_MAX]; /* one for each event loop; this setup's own duplicates */
};

struct setup {
    struct arena arena;   /* what config points to, unless that came from outside */
    struct config config; /* as the children get it: public_url filled in */
    bool is_issuer_configured;
    size_t loop_count;
    size_t lane_count; /* one for each thread of the front */
    struct listener listeners[CONFIG_LISTEN_MAX];
    size_t listener_count;
    int tls_fds[2]; /* certificate and key, as they were when this was set up; -1: none */
};

/* An empty one, whose arena may be filled with texts for config. NULL without memory. */
struct setup *setup_new(void);

/* Binds what config says. Sockets that old (NULL: none) has for the same text are kept: who waits
 * in them is not lost; the number of event loops stays old's. is_offline: no sockets, one loop.
 * CONFLICT: an address is in use. The setup stays the caller's, to be freed, also on failure. */
enum status setup_open(struct setup *setup, const struct config *config, const struct setup *old,
                       bool is_offline, struct err *err) MUST_USE;

/* All its sockets, loop by loop; answers their number. */
size_t setup_listen_fds(const struct setup *setup, int fds[static LISTEN_MAX]);

/* Closes the sockets: who comes now is refused. */
void setup_close_listeners(struct setup *setup);

/* NULL is fine. */
void setup_free(struct setup *setup);
