/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs: /v2/jobs (the contract's Jobs API). A caller sees those of the corpora that it may read. */
#pragma once

#include "web/exchange.h"

void api_job_list(struct exchange *x);
void api_job_get(struct exchange *x);
