/* SPDX-License-Identifier: Apache-2.0 */
/* Regular expressions of callers: the first line is the pattern, the rest the text. It must end. */
#include "codec/pattern.h"
#include "codec/utf8.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(pattern) struct pattern *pattern = NULL;
    struct span text = span_of(data, size < 4096 ? size : 4096);
    struct span expression;
    struct err err = {0};
    bool is_match;
    (void)span_cut(&text, '\n', &expression);
    if (pattern_compile(expression, &pattern, &err) != OK) {
        pattern = NULL;
        return 0;
    }
    if (utf8_is_valid(text)) { /* what the store holds */
        enum status status = pattern_matches(pattern, text, &is_match, &err);
        if (status != OK && status != INVALID)
            abort();
    }
    return 0;
}
