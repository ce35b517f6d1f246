/* SPDX-License-Identifier: Apache-2.0 */
/* The front follows the signer's clock, and keeps its high-water mark in the store. The main
 * thread's own. */
#pragma once

#include "base/arena.h"
#include "base/attr.h"
#include "base/status.h"
#include "state/token_clock.h"

struct signing_lane;
struct store;

struct front_clock {
    struct token_clock clock;
    char mark[64]; /* the newest mark, as the signer gave it */
    size_t mark_len;
    int64_t stored_at_ms; /* monotonic, when the mark was last written */
    bool is_held;         /* the signer signs no tokens: said in the log */
    bool is_behind;       /* the signer's clock is behind ours: likewise */
};

/* Reads the stored mark and hands it to the signer, which has its keys. CORRUPT: it is not one of
 * ours. */
enum status front_clock_open(struct front_clock *clock, struct store *store,
                             struct signing_lane *lane, struct err *err) MUST_USE;

/* Hands the mark to a signer that is new. */
enum status front_clock_attach(struct front_clock *clock, struct signing_lane *lane,
                               struct err *err) MUST_USE;

/* Once a second. A signer that does not answer, or a store that does not write, is no failure here:
 * both are said elsewhere. */
void front_clock_tick(struct front_clock *clock, struct store *store, struct signing_lane *lane);
