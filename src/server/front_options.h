/* SPDX-License-Identifier: Apache-2.0 */
/* How the supervisor starts the front, and the channel between them: descriptors by number in argv,
 * words of one byte up and down, new lanes (SCM_RIGHTS) down. The other side is supervisor/pair.c.
 */
#pragma once

#include "base/attr.h"
#include "base/channel.h"
#include "config/config.h"

struct arena;

enum {
    FRONT_LOOPS_MAX = 64,
    FRONT_LANES_MAX = 192,
    FRONT_LISTEN_MAX = FRONT_LOOPS_MAX * CONFIG_LISTEN_MAX
};

struct front_options {
    int channel_fd;
    int config_fd;
    int data_fd;
    int control_fd;
    int lock_fd; /* held, never used: the lock on the data directory ends with the last who holds it
                  */
    int listen_fds[FRONT_LISTEN_MAX]; /* loop by loop */
    size_t listen_count;
    int tls_fds[2];                /* certificate and key */
    size_t tls_count;              /* 2, or 0 without TLS */
    int lane_fds[FRONT_LANES_MAX]; /* main thread's, then the loops', then the workers' */
    size_t lane_count;
    size_t loop_count;
    bool is_issuer_configured;
    bool ends_when_idle;
    bool waits; /* another front still has the store */
};

/* Reads argv and the configuration behind config_fd. INVALID: not started by `postern serve`. */
enum status front_options_read(int argc, char **argv, struct front_options *ret_options,
                               struct arena *arena, struct config *config,
                               struct err *err) MUST_USE;

/* False: the supervisor is gone. */
bool front_channel_tell(int channel_fd, enum channel_word word) MUST_USE;

/* Waits for the next word; with CHANNEL_LANES come count descriptors. */
enum channel_word front_channel_receive(int channel_fd, int *ret_fds, size_t count) MUST_USE;
