/* SPDX-License-Identifier: Apache-2.0 */
/* Request-Timeout (seconds) and Request-Timeout-Millis: how long the caller of /v2 will wait. Best
 * effort, as the contract has it: what waited longer for a worker is not begun. */
#pragma once

#include "web/exchange.h"

/* Has the request waited longer than its caller will? Then the reply (503) is made. now_ns: boot
 * clock. A header that says no such time counts as absent here. */
bool deadline_has_passed(struct exchange *x, int64_t now_ns);

/* Are the headers whole numbers from 1, once each? Else the reply (400) is made. */
bool deadline_is_valid(struct exchange *x);
