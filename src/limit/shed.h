/* SPDX-License-Identifier: Apache-2.0 */
/* Whom to turn away when more is asked than can be done, so that what is taken is still done in
 * time.
 *
 * As in CoDel (RFC 8289) the sign of overload is a queue that does not empty: for a whole interval
 * not even the quickest was done within the target. Then only as much is taken as was lately done
 * in the target's time (Little's law), and the newest are refused at once. An interval in which
 * nobody had to be refused ends it. Short bursts are queued, not refused.
 *
 * A value of one thread; times are nanoseconds of one clock. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct shed {
    int64_t target_ns; /* 0: never refuses */
    int64_t began_ns;  /* of this interval */
    int64_t quickest_ns;
    size_t done;
    size_t refused;
    size_t running;
    size_t running_max; /* while is_shedding */
    bool is_shedding;
};

/* Is there room for one more? */
bool shed_admits(struct shed *shed, int64_t now_ns);

/* One more is asked, admitted or not. */
void shed_begin(struct shed *shed);

/* One that was begun is done, and had to wait so long. */
void shed_done(struct shed *shed, int64_t waited_ns, int64_t now_ns);
