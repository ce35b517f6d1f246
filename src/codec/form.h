/* SPDX-License-Identifier: Apache-2.0 */
/* application/x-www-form-urlencoded (RFC 6749 appendix B), also for query strings. */
#pragma once

#include "base/attr.h"
#include "base/span.h"
#include "base/status.h"

struct arena;

struct form_field {
    struct span name;
    struct span value;
};

enum { FORM_FIELDS_MAX = 64 };

struct form {
    struct form_field *fields; /* in the order received, decoded, in the arena */
    size_t count;
};

/* INVALID: a broken percent escape, %00, or text that is not UTF-8 after decoding; more than
 * FORM_FIELDS_MAX fields. '+' is a space; a literal space is tolerated. NO_MEMORY. Empty pieces
 * ("a=1&&b=2") are skipped. */
enum status form_parse(struct span text, struct arena *arena, struct form *ret_form,
                       struct err *err) MUST_USE;

/* The one non-empty value of name: an empty value is an absent parameter (RFC 6749 §3.2).
 * NOT_FOUND when absent; INVALID when there are two or more non-empty ones. */
enum status form_get(const struct form *form, struct span name, struct span *ret_value) MUST_USE;

/* One piece, decoded ('+' is a space when plus_is_space). INVALID, NO_MEMORY as form_parse.
 * Without anything to decode the answer borrows text. */
enum status percent_decode(struct span text, bool plus_is_space, struct arena *arena,
                           struct span *ret_text) MUST_USE;

/* Percent-encodes everything but RFC 3986 §2.3 unreserved characters. */
struct buf;
void percent_encode(struct buf *out, struct span text);
