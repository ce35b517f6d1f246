/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/pattern.h"

#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* PCRE2 counts a match limit anew at each place where a match may start, and knows nothing of the
 * texts before: STEPS_MAX bounds what one pattern costs over all texts of a request. */
enum {
    MATCH_LIMIT = 100000,
    DEPTH_LIMIT = 1000,
    HEAP_LIMIT_KIB = 1024,
    STEPS_MAX = 4000000,
    BYTES_PER_STEP = 16
};

struct pattern {
    size_t steps_left;
    size_t position; /* in the text, at the last step */
    pcre2_code *code;
    pcre2_match_data *match;
    pcre2_match_context *limits;
};

void pattern_free(struct pattern *pattern)
{
    if (pattern == NULL)
        return;
    pcre2_match_context_free(pattern->limits);
    pcre2_match_data_free(pattern->match);
    pcre2_code_free(pattern->code);
    free(pattern);
}

static size_t distance(size_t a, size_t b)
{
    return a > b ? a - b : b - a;
}

/* Called before every item of the pattern (PCRE2_AUTO_CALLOUT). A run such as [^x]* is one item,
 * however far it goes. */
static int on_step(pcre2_callout_block *block, void *context)
{
    struct pattern *pattern = context;
    size_t cost = 1 + distance(block->current_position, pattern->position) / BYTES_PER_STEP;
    pattern->position = block->current_position;
    if (cost > pattern->steps_left)
        return PCRE2_ERROR_MATCHLIMIT;
    pattern->steps_left -= cost;
    return 0;
}

enum status pattern_compile(struct span text, struct pattern **ret_pattern, struct err *err)
{
    if (text.len > PATTERN_LEN_MAX)
        return fail(err, INVALID, "is longer than %d characters", PATTERN_LEN_MAX);
    AUTO(pattern) struct pattern *pattern = calloc(1, sizeof *pattern);
    if (pattern == NULL)
        return fail(err, NO_MEMORY, "no memory for a pattern");
    int code;
    PCRE2_SIZE offset;
    pattern->code = pcre2_compile((PCRE2_SPTR)(text.len == 0 ? "" : text.ptr), text.len,
                                  PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_AUTO_CALLOUT, &code,
                                  &offset, NULL);
    if (pattern->code == NULL && code == PCRE2_ERROR_HEAP_FAILED)
        return fail(err, NO_MEMORY, "no memory for a pattern");
    if (pattern->code == NULL) {
        PCRE2_UCHAR message[80];
        (void)pcre2_get_error_message(code, message, sizeof message);
        return fail(err, INVALID, "is not a regular expression, at character %zu: %s", offset + 1,
                    (const char *)message);
    }
    pattern->match = pcre2_match_data_create(1, NULL);
    pattern->limits = pcre2_match_context_create(NULL);
    if (pattern->match == NULL || pattern->limits == NULL)
        return fail(err, NO_MEMORY, "no memory for a pattern");
    (void)pcre2_set_match_limit(pattern->limits, MATCH_LIMIT);
    (void)pcre2_set_depth_limit(pattern->limits, DEPTH_LIMIT);
    (void)pcre2_set_heap_limit(pattern->limits, HEAP_LIMIT_KIB);
    (void)pcre2_set_callout(pattern->limits, on_step, pattern);
    pattern->steps_left = STEPS_MAX;
    *ret_pattern = pattern;
    pattern = NULL;
    return OK;
}

enum status pattern_matches(struct pattern *pattern, struct span text, bool *ret_matches,
                            struct err *err)
{
    PCRE2_SPTR subject = (PCRE2_SPTR)(text.len == 0 ? "" : text.ptr);
    pattern->position = 0;
    int result =
        pcre2_match(pattern->code, subject, text.len, 0, 0, pattern->match, pattern->limits);
    if (result < 0 && result != PCRE2_ERROR_NOMATCH)
        return fail(err, INVALID, "the filter is too costly to match");
    *ret_matches = result >= 0;
    return OK;
}
