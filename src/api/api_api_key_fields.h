/* SPDX-License-Identifier: Apache-2.0 */
/* The members of an API key on the wire. */
#pragma once

#include "model/field.h"
#include "model/principal.h"

/* A create body: the key, and what the contract's older form says instead of roles. */
struct api_key_body {
    struct principal key; /* first: the rows' offsets are its */
    struct span api_key_role;
    struct span *corpus_keys;
    size_t corpus_key_count;
    struct span username; /* beyond the contract: whose personal key, by who may act for others */
    int64_t expires_in_seconds; /* beyond the contract */
};

enum { API_KEY_FIELD_COUNT = 14, API_KEY_LIFE_SECONDS_MAX = 315360000 };

extern const struct field api_key_fields[API_KEY_FIELD_COUNT];
