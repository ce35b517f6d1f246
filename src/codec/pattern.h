/* SPDX-License-Identifier: Apache-2.0 */
/* Regular expressions that callers send (list filters): PCRE2 with bounds on length and work. */
#pragma once

#include "base/attr.h"
#include "base/span.h"
#include "base/status.h"

struct pattern;

enum { PATTERN_LEN_MAX = 128 };

/* Compiles with UTF, without JIT or \C. INVALID: too long, or a syntax error (position
 * and PCRE2's message in err->detail). NO_MEMORY. The caller owns *ret_pattern. */
enum status pattern_compile(struct span text, struct pattern **ret_pattern,
                            struct err *err) MUST_USE;
void pattern_free(struct pattern *pattern);

/* Sets *ret_matches to whether the pattern is found anywhere in text. INVALID when a match, heap or
 * depth limit was hit, or when all calls with this pattern took too many steps together: it is too
 * costly. */
enum status pattern_matches(struct pattern *pattern, struct span text, bool *ret_matches,
                            struct err *err) MUST_USE;

static inline void auto_pattern(struct pattern **pattern)
{
    pattern_free(*pattern);
}
