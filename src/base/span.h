/* SPDX-License-Identifier: Apache-2.0 */
/* Text and bytes as pointer and length: borrowed, never owned, not NUL-terminated.
 *
 * Parsers cut spans; they do not compute on raw pointers. An empty span may have a NULL pointer. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {
    const char *ptr;
    size_t len;
};

#define SPAN(literal) ((struct span){"" literal, sizeof(literal) - 1})
#define SPAN_INIT(literal)                                                                         \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }                                              /* in static tables */
#define SPAN_FMT(span) (int)(span).len, (span).ptr /* for %.*s */

static inline struct span span_of(const void *ptr, size_t len)
{
    return (struct span){ptr, len};
}

/* text is NUL-terminated, or NULL for an empty span. */
struct span span_cstr(const char *text);

bool span_equal(struct span a, struct span b);
bool span_equal_nocase(struct span a, struct span b); /* ASCII letters only */
bool span_starts(struct span text, struct span prefix);
bool span_starts_nocase(struct span text, struct span prefix);

/* <0, 0, >0 as memcmp, shorter first among equals: a total order for sorting and searching. */
int span_compare(struct span a, struct span b);

/* The part from start to the end; empty when start is past the end. */
static inline struct span span_from(struct span text, size_t start)
{
    if (start >= text.len)
        return (struct span){text.ptr == NULL ? NULL : text.ptr + text.len, 0};
    return (struct span){text.ptr + start, text.len - start};
}
/* At most len bytes from the front. */
static inline struct span span_first(struct span text, size_t len)
{
    return (struct span){text.ptr, len < text.len ? len : text.len};
}
/* Without spaces and tabs at both ends (RFC 9110 §5.6.3 OWS). */
struct span span_trim(struct span text);

/* Cuts rest at the first separator: *ret_piece is what stands before it, *rest what follows.
 * Without a separator the piece is all of rest, rest becomes empty, and the answer is false. */
bool span_cut(struct span *rest, char separator, struct span *ret_piece);

/* Position of the first such byte, or text.len. */
size_t span_find(struct span text, char byte);

/* A whole decimal number without sign or spaces, at most INT64_MAX. */
bool span_to_int64(struct span text, int64_t *ret_value);

/* Is every byte of text in the NUL-terminated set? True for an empty text. */
bool span_only(struct span text, const char *set);
