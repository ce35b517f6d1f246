/* SPDX-License-Identifier: Apache-2.0 */
/* POST /control/clock: the host's administrator accepts the clock (`postern clock accept`), so that
 * tokens are signed again although earlier ones have a later time. */
#pragma once

#include "web/exchange.h"

void api_clock_accept(struct exchange *x);
