/* SPDX-License-Identifier: Apache-2.0 */
/* A corpus of the built-in API: its settings. Values only, as in model/principal.h. */
#pragma once

#include "base/span.h"

struct corpus {
    struct span id;  /* crp_ + a 63-bit decimal */
    struct span key; /* [A-Za-z0-9_=-]{1,50}, unique in its account */
    struct span account_id;
    struct span name;
    struct span description;
    bool has_description;
    bool is_enabled;
    bool save_history;
    bool queries_are_answers;
    bool documents_are_questions;
    struct span encoder_id;        /* empty: not set */
    struct span encoder_name;      /* default boomerang-2023-q3 */
    struct span filter_attributes; /* JSON array text, checked and normalised when taken in */
    struct span custom_dimensions; /* JSON array text, likewise */
    int64_t version;
    int64_t sequence;
    int64_t created_at;
    int64_t updated_at;
};

enum { CORPUS_KEY_LEN_MAX = 50 };
