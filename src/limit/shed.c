/* SPDX-License-Identifier: Apache-2.0 */
#include "limit/shed.h"

enum { RUNNING_MIN = 64 }; /* keeps the other side busy, whatever was measured */

static const int64_t interval_ns = 50000000;

static size_t room_of(const struct shed *shed, int64_t elapsed_ns)
{
    size_t room = (size_t)((double)shed->done * (double)shed->target_ns / (double)elapsed_ns);
    /* One slow interval is no measure: what was done before still counts half. */
    if (shed->is_shedding)
        room = (room + shed->running_max) / 2;
    return room > RUNNING_MIN ? room : RUNNING_MIN;
}

static void end_interval(struct shed *shed, int64_t now_ns)
{
    int64_t elapsed_ns = now_ns - shed->began_ns;
    if (elapsed_ns < interval_ns)
        return;
    bool is_over = shed->done > 0 && shed->quickest_ns > shed->target_ns;
    if (is_over || (shed->is_shedding && shed->refused > 0)) {
        if (shed->done > 0)
            shed->running_max = room_of(shed, elapsed_ns);
        shed->is_shedding = true;
    } else if (shed->done > 0 || shed->running == 0) {
        shed->is_shedding = false;
    }
    shed->began_ns = now_ns;
    shed->done = 0;
    shed->refused = 0;
    shed->quickest_ns = INT64_MAX;
}

bool shed_admits(struct shed *shed, int64_t now_ns)
{
    end_interval(shed, now_ns);
    if (shed->target_ns == 0 || !shed->is_shedding || shed->running < shed->running_max)
        return true;
    shed->refused++;
    return false;
}

void shed_begin(struct shed *shed)
{
    shed->running++;
}

void shed_done(struct shed *shed, int64_t waited_ns, int64_t now_ns)
{
    shed->running--;
    shed->done++;
    if (waited_ns < shed->quickest_ns)
        shed->quickest_ns = waited_ns;
    end_interval(shed, now_ns);
}
