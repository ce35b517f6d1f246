/* SPDX-License-Identifier: Apache-2.0 */
#include "documents/documents_terms.h"

static bool is_of_word(char byte)
{
    unsigned char value = (unsigned char)byte;
    return value >= 0x80 || (value >= '0' && value <= '9') || (value >= 'a' && value <= 'z') ||
           (value >= 'A' && value <= 'Z');
}

/* False: there is no further word. */
static bool next_word(struct span *rest, struct span *ret_word)
{
    while (rest->len > 0 && !is_of_word(rest->ptr[0]))
        *rest = span_from(*rest, 1);
    size_t len = 0;
    while (len < rest->len && is_of_word(rest->ptr[len]))
        len++;
    *ret_word = span_first(*rest, len);
    *rest = span_from(*rest, len);
    return len > 0;
}

size_t documents_terms_write(struct span text, struct buf *out)
{
    struct span words[DOCUMENTS_TERMS_MAX];
    size_t count = 0;
    struct span word;
    while (count < DOCUMENTS_TERMS_MAX && next_word(&text, &word)) {
        size_t known = 0;
        while (known < count && !span_equal_nocase(words[known], word))
            known++;
        if (known < count)
            continue;
        words[count] = word;
        buf_put(out, count == 0 ? SPAN("\"") : SPAN(" OR \""));
        buf_put(out, word);
        buf_byte(out, '"');
        count++;
    }
    return count;
}
