/* SPDX-License-Identifier: Apache-2.0 */
/* The clock by which tokens expire: the signer's (signer/signer_clock.h), followed. Between two
 * answers of the signer it goes on by CLOCK_BOOTTIME, also while the signer is away. */
#pragma once

#include "base/attr.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct token_clock {
    _Atomic int64_t offset_us; /* what CLOCK_BOOTTIME lacks to the signer's time */
};

/* Takes the signer's time, read when CLOCK_BOOTTIME was boot_us. The first time sets the clock.
 * False: it would have gone back by more than a second, as after a restart of the signer with a
 * clock that was set back; it stays, so that no expired token lives again. */
bool token_clock_follow(struct token_clock *clock, int64_t signer_us, int64_t boot_us) MUST_USE;

/* The host's administrator says that the signer's clock is right: takes it, also backwards. now is
 * this clock's time in seconds. */
void token_clock_accept(struct token_clock *clock, int64_t signer_us, int64_t now);

/* Seconds since the epoch; boot_us is CLOCK_BOOTTIME now. Any thread. */
int64_t token_clock_at(const struct token_clock *clock, int64_t boot_us);
