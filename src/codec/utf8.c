/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/utf8.h"

#include <string.h>

/* Cuts one code point off the front of text; false when it is not well-formed (RFC 3629 §4). */
static bool cut_point(struct span *text, uint32_t *ret_point)
{
    unsigned char first = (unsigned char)text->ptr[0];
    size_t size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (first >= 0xf8 || (first >= 0x80 && first < 0xc0) || text->len < size)
        return false;
    static const unsigned char masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t point = first & masks[size];
    for (size_t i = 1; i < size; i++) {
        unsigned char next = (unsigned char)text->ptr[i];
        if ((next & 0xc0) != 0x80)
            return false;
        point = point << 6 | (next & 0x3f);
    }
    if (point < smallest[size] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
        return false;
    *text = span_from(*text, size);
    *ret_point = point;
    return true;
}

/* How far text is ASCII from its start, eight bytes a step: most requests are nothing else. */
static size_t ascii_len(struct span text)
{
    uint64_t step;
    size_t len = 0;
    for (; text.len - len >= sizeof step; len += sizeof step) {
        memcpy(&step, text.ptr + len, sizeof step);
        if ((step & UINT64_C(0x8080808080808080)) != 0)
            break;
    }
    while (len < text.len && (unsigned char)text.ptr[len] < 0x80)
        len++;
    return len;
}

bool utf8_is_valid(struct span text)
{
    uint32_t point;
    text = span_from(text, ascii_len(text));
    while (text.len > 0) {
        if (!cut_point(&text, &point))
            return false;
    }
    return true;
}

size_t utf8_length(struct span text)
{
    size_t length = 0;
    for (size_t i = 0; i < text.len; i++)
        length += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
    return length;
}

/* What changes how a line reads without being seen: Unicode's Cc, line and paragraph separators,
 * the bidirectional controls, zero-width characters and the byte order mark. */
static bool is_deceptive(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x061c ||
           (point >= 0x200b && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
           (point >= 0x2060 && point <= 0x2069) || point == 0xfeff;
}

bool utf8_is_plain(struct span text)
{
    uint32_t point;
    while (text.len > 0) {
        if (!cut_point(&text, &point) || is_deceptive(point))
            return false;
    }
    return true;
}
