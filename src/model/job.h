/* SPDX-License-Identifier: Apache-2.0 */
/* A job of the built-in API: something done to a corpus that may take a while. Values only, as in
 * model/principal.h. */
#pragma once

#include "base/span.h"

struct job {
    struct span id; /* job_… */
    struct span account_id;
    struct span type; /* "replace_filter_attributes" */
    struct span corpus_id;
    struct span corpus_key;
    struct span state;      /* "completed", …: job_states */
    struct span created_by; /* the caller: app_… */
    int64_t sequence;
    int64_t created_at; /* seconds; it is started then too */
    int64_t completed_at;
};

enum { JOB_STATE_COUNT = 7 };

extern const struct span job_states[JOB_STATE_COUNT]; /* the contract's words */
