/* SPDX-License-Identifier: Apache-2.0 */
/* A front with its signer: the two processes that serve, started from one setup. At a reload there
 * are two pairs for a moment. */
#pragma once

#include "base/attr.h"
#include "base/channel.h"
#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct data_dir;
struct programs;
struct setup;
struct users;

struct pair {
    struct setup *setup; /* borrowed */
    pid_t front;         /* -1: none */
    pid_t signer;        /* -1: none */
    int channel_fd;      /* to the front; -1: none */
    int64_t started_at;  /* of the younger, monotonic ms */
};

/* What every pair gets, whatever its setup. */
struct pair_common {
    const struct data_dir *dir;
    const struct programs *programs;
    const struct users *users;
    int control_fd;
    bool is_offline;
};

#define PAIR_NONE ((struct pair){.front = -1, .signer = -1, .channel_fd = -1})

/* waits: the front prepares itself and says CHANNEL_WAITS, but opens the store only at CHANNEL_GO.
 * On failure what was started ends by itself. */
enum status pair_start(struct pair *pair, struct setup *setup, const struct pair_common *common,
                       bool waits, struct err *err) MUST_USE;

/* A new signer for the pair's front. False: it could not be started; said in the log. */
bool pair_restart_signer(struct pair *pair, const struct pair_common *common);

bool pair_tell(const struct pair *pair, enum channel_word word);

/* Has the front closed its end of the channel? A killed process does so before it can be waited
 * for. */
bool pair_is_front_gone(const struct pair *pair);

void pair_signal(const struct pair *pair, int signal); /* both processes */
void pair_close_channel(struct pair *pair);
