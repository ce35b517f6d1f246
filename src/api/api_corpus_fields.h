/* SPDX-License-Identifier: Apache-2.0 */
/* The members of a corpus on the wire. */
#pragma once

#include "model/field.h"

enum { CORPUS_FIELD_COUNT = 13 };

extern const struct field corpus_fields[CORPUS_FIELD_COUNT];

/* The body that replaces the filter attributes. */
enum { CORPUS_FILTER_FIELD_COUNT = 1 };

extern const struct field corpus_filter_fields[CORPUS_FILTER_FIELD_COUNT];
