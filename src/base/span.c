/* SPDX-License-Identifier: Apache-2.0 */
#include "base/span.h"

#include <limits.h>
#include <string.h>

struct span span_cstr(const char *text)
{
    return (struct span){text, text == NULL ? 0 : strlen(text)};
}

bool span_equal(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* Not strncasecmp: that follows the locale and stops at NUL. */
static char lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
}

bool span_equal_nocase(struct span a, struct span b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        if (lower(a.ptr[i]) != lower(b.ptr[i]))
            return false;
    }
    return true;
}

bool span_starts(struct span text, struct span prefix)
{
    return text.len >= prefix.len && span_equal(span_first(text, prefix.len), prefix);
}

bool span_starts_nocase(struct span text, struct span prefix)
{
    return text.len >= prefix.len && span_equal_nocase(span_first(text, prefix.len), prefix);
}

int span_compare(struct span a, struct span b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common == 0 ? 0 : memcmp(a.ptr, b.ptr, common);
    if (order != 0)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

struct span span_trim(struct span text)
{
    while (text.len > 0 && is_blank(text.ptr[0]))
        text = span_from(text, 1);
    while (text.len > 0 && is_blank(text.ptr[text.len - 1]))
        text.len--;
    return text;
}

size_t span_find(struct span text, char byte)
{
    const char *found = text.len == 0 ? NULL : memchr(text.ptr, byte, text.len);
    return found == NULL ? text.len : (size_t)(found - text.ptr);
}

bool span_cut(struct span *rest, char separator, struct span *ret_piece)
{
    size_t at = span_find(*rest, separator);
    bool found = at < rest->len;
    *ret_piece = span_first(*rest, at);
    *rest = span_from(*rest, found ? at + 1 : at);
    return found;
}

bool span_to_int64(struct span text, int64_t *ret_value)
{
    int64_t value = 0;
    if (text.len == 0 || text.len > 19)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        int64_t digit = text.ptr[i] - '0';
        if (value > (INT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *ret_value = value;
    return true;
}

bool span_only(struct span text, const char *set)
{
    bool is_member[UCHAR_MAX + 1] = {false};
    for (; *set != '\0'; set++)
        is_member[(unsigned char)*set] = true;
    for (size_t i = 0; i < text.len; i++) {
        if (!is_member[(unsigned char)text.ptr[i]])
            return false;
    }
    return true;
}
