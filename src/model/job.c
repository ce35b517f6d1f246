/* SPDX-License-Identifier: Apache-2.0 */
#include "model/job.h"

const struct span job_states[JOB_STATE_COUNT] = {
    SPAN_INIT("unknown"),   SPAN_INIT("queued"), SPAN_INIT("started"),
    SPAN_INIT("completed"), SPAN_INIT("failed"), SPAN_INIT("failed_will_retry"),
    SPAN_INIT("aborted"),
};
