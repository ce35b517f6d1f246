/* SPDX-License-Identifier: Apache-2.0 */
/* What the host's operator asks of a running server: metrics in Prometheus text (GET /metrics), and
 * the facts that `postern doctor` judges (GET /control/status). No secret, no client's name or id.
 */
#pragma once

#include "web/exchange.h"

void api_metrics_get(struct exchange *x);
void api_status_get(struct exchange *x);
