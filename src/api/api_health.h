/* SPDX-License-Identifier: Apache-2.0 */
/* Is the process serving (/healthz)? Do store and signer answer (/readyz)? */
#pragma once

#include "web/exchange.h"

void api_health_live(struct exchange *x);
void api_health_ready(struct exchange *x);
