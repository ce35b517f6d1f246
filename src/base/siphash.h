/* SPDX-License-Identifier: Apache-2.0 */
/* SipHash-2-4 (Aumasson, Bernstein 2012): a keyed hash for tables whose keys are chosen by callers.
 * With a random key nobody outside can aim at a place in the table. Not for authentication. */
#pragma once

#include "base/span.h"

#include <stdint.h>

struct siphash_key {
    uint64_t half[2];
};

uint64_t siphash(const struct siphash_key *key, struct span text);
