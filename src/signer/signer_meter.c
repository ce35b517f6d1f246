/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/signer_meter.h"

#include <string.h>

void signer_meter_init(struct signer_meter *meter, int64_t limit)
{
    memset(meter, 0, sizeof *meter);
    (void)pthread_mutex_init(&meter->lock, NULL);
    meter->limit = limit;
}

void signer_meter_done(struct signer_meter *meter)
{
    (void)pthread_mutex_destroy(&meter->lock);
}

static void move_to(struct signer_meter *meter, int64_t second)
{
    if (second - meter->newest >= SIGNER_METER_SECONDS) {
        memset(meter->counts, 0, sizeof meter->counts);
        meter->newest = second;
    }
    while (meter->newest < second)
        meter->counts[++meter->newest % SIGNER_METER_SECONDS] = 0;
}

bool signer_meter_take(struct signer_meter *meter, int64_t second)
{
    int64_t taken = 0;
    (void)pthread_mutex_lock(&meter->lock);
    move_to(meter, second);
    for (size_t i = 0; i < SIGNER_METER_SECONDS; i++)
        taken += meter->counts[i];
    bool has_room = taken < meter->limit;
    if (has_room)
        meter->counts[meter->newest % SIGNER_METER_SECONDS]++;
    (void)pthread_mutex_unlock(&meter->lock);
    return has_room;
}
