/* SPDX-License-Identifier: Apache-2.0 */
/* What a loop tells the operator about each reply: metrics, event log, log. One for each loop, used
 * on its thread alone.
 *
 * The log gets refusals and failures at a bounded rate: the first few of a second, then their
 * number. Of a request stand in it its id, its address, the method and the route's name: nothing
 * that the peer could have made up. */
#pragma once

#include "web/exchange.h"

struct front_watch {
    int64_t second; /* of the lines counted below */
    unsigned shown;
    unsigned hidden;
};

void front_watch_reply(struct front_watch *watch, const struct exchange *x);

/* Once in a while, so that a number of hidden lines is told also when no more come. */
void front_watch_tick(struct front_watch *watch, int64_t now);
