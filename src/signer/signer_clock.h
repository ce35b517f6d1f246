/* SPDX-License-Identifier: Apache-2.0 */
/* The clock of iat, exp and jti: it never goes back, and nobody who can set the wall clock back can
 * make old tokens live again.
 *
 * It starts at the wall clock's time and goes on by CLOCK_BOOTTIME. Towards a wall clock that says
 * something else it slews, at most 1 s in 10 s, forwards by running faster, backwards by running
 * slower. It jumps forwards, and only forwards, when the kernel calls the wall clock synchronised
 * (adjtimex(2)): after a long sleep, say, or when the network time came late at boot. */
#pragma once

#include "base/attr.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct signer_clock {
    pthread_mutex_t lock;
    int64_t now_ns;  /* the last value given, since the epoch */
    int64_t boot_ns; /* when it was given */
};

struct signer_clock_reading {
    int64_t wall_ns;
    int64_t boot_ns;
    bool is_synchronised; /* asked for only when the wall clock is ahead by more than a second */
};

/* The step from one reading to the next; answers the new value. Not locked: for the functions below
 * and for tests. */
void signer_clock_start(struct signer_clock *clock, const struct signer_clock_reading *reading);
int64_t signer_clock_advance(struct signer_clock *clock,
                             const struct signer_clock_reading *reading);

void signer_clock_init(struct signer_clock *clock); /* reads the machine's clocks */
void signer_clock_done(struct signer_clock *clock);

/* Microseconds since the epoch. For several threads at once. */
int64_t signer_clock_now(struct signer_clock *clock) MUST_USE;
