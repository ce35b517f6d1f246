/* SPDX-License-Identifier: Apache-2.0 */
/* Counts what may happen only so often in any 60 seconds, over all lanes. */
#pragma once

#include "base/attr.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum { SIGNER_METER_SECONDS = 60 };

struct signer_meter {
    pthread_mutex_t lock;
    int64_t limit;
    int64_t newest; /* the second that counts[newest % 60] is of; older ones stand before it */
    uint32_t counts[SIGNER_METER_SECONDS];
};

void signer_meter_init(struct signer_meter *meter, int64_t limit);
void signer_meter_done(struct signer_meter *meter);

/* Counts one more at this second of a clock that does not go back. False, uncounted: over the
 * limit. */
bool signer_meter_take(struct signer_meter *meter, int64_t second) MUST_USE;
