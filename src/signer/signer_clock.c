/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/signer_clock.h"

#include "base/clock.h"

#include <sys/timex.h>

enum { SLEW_DIVISOR = 10 };

static const int64_t second_ns = 1000000000;

void signer_clock_start(struct signer_clock *clock, const struct signer_clock_reading *reading)
{
    clock->now_ns = reading->wall_ns;
    clock->boot_ns = reading->boot_ns;
}

int64_t signer_clock_advance(struct signer_clock *clock, const struct signer_clock_reading *reading)
{
    int64_t elapsed = reading->boot_ns - clock->boot_ns;
    if (elapsed <= 0) /* another thread read the machine's clock later and came first */
        return clock->now_ns;
    int64_t now = clock->now_ns + elapsed;
    int64_t gap = reading->wall_ns - now;
    int64_t slew = elapsed / SLEW_DIVISOR;
    if (gap > second_ns && reading->is_synchronised)
        now = reading->wall_ns;
    else if (gap > 0)
        now += gap < slew ? gap : slew;
    else
        now -= -gap < slew ? -gap : slew;
    clock->now_ns = now;
    clock->boot_ns = reading->boot_ns;
    return now;
}

static struct signer_clock_reading read_clocks(void)
{
    return (struct signer_clock_reading){
        .wall_ns = clock_wall_microseconds() * 1000,
        .boot_ns = clock_boot_ns(),
    };
}

static bool is_wall_synchronised(void)
{
    struct timex kernel = {.modes = 0}; /* only asks; needs no privilege */
    int state = adjtimex(&kernel);
    return state >= 0 && state != TIME_ERROR && (kernel.status & STA_UNSYNC) == 0;
}

void signer_clock_init(struct signer_clock *clock)
{
    const struct signer_clock_reading reading = read_clocks();
    (void)pthread_mutex_init(&clock->lock, NULL);
    signer_clock_start(clock, &reading);
}

void signer_clock_done(struct signer_clock *clock)
{
    (void)pthread_mutex_destroy(&clock->lock);
}

int64_t signer_clock_now(struct signer_clock *clock)
{
    struct signer_clock_reading reading = read_clocks();
    (void)pthread_mutex_lock(&clock->lock);
    int64_t expected = clock->now_ns + (reading.boot_ns - clock->boot_ns);
    if (reading.wall_ns - expected > second_ns)
        reading.is_synchronised = is_wall_synchronised();
    int64_t now = signer_clock_advance(clock, &reading);
    (void)pthread_mutex_unlock(&clock->lock);
    return now / 1000;
}
