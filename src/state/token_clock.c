/* SPDX-License-Identifier: Apache-2.0 */
#include "state/token_clock.h"

static const int64_t second_us = 1000000;

bool token_clock_follow(struct token_clock *clock, int64_t signer_us, int64_t boot_us)
{
    int64_t offset_us = signer_us - boot_us;
    int64_t known_us = atomic_load_explicit(&clock->offset_us, memory_order_relaxed);
    if (known_us != 0 && offset_us < known_us - second_us)
        return false;
    atomic_store_explicit(&clock->offset_us, offset_us, memory_order_relaxed);
    return true;
}

void token_clock_accept(struct token_clock *clock, int64_t signer_us, int64_t now)
{
    (void)atomic_fetch_add(&clock->offset_us, signer_us - now * second_us);
}

int64_t token_clock_at(const struct token_clock *clock, int64_t boot_us)
{
    return (boot_us + atomic_load_explicit(&clock->offset_us, memory_order_relaxed)) / second_us;
}
