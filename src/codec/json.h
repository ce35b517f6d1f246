/* SPDX-License-Identifier: Apache-2.0 */
/* JSON in (jansson, strict) and JSON out (a small writer of our own over struct buf).
 *
 * In: UTF-8 only, no duplicate members, no NUL in strings, no trailing data, depth and member
 * limits checked before memory is spent on the tree. Numbers are int64 or double; what overflows is
 * INVALID. Out: the writer places commas; errors stick in the buf. Strings are written as UTF-8
 * with the escapes that RFC 8259 §7 requires, and DEL, U+2028 and U+2029 escaped too. */
#pragma once

#include "base/attr.h"
#include "base/buf.h"
#include "base/span.h"
#include "base/status.h"

#include <jansson.h>

struct json_limits {
    size_t depth_max;   /* nesting of arrays and objects */
    size_t members_max; /* of one object, and elements of one array */
};

enum { JSON_VALUES_PER_MEMBER = 8 }; /* values of a whole text: at most this times members_max */

extern const struct json_limits json_limits_default; /* depth 16, 1,024 members */

/* For a program's start, before any thread: from then on json_parse() notices each want of memory.
 * What Jansson allocates is then not free()'s: json_dumpb(), not json_dumps(). */
void json_init(void);

/* Parses one JSON text of any type. INVALID with a position in err->detail, never echoing input.
 * The caller owns *ret_json (AUTO(json)). */
enum status json_parse(struct span text, const struct json_limits *limits, json_t **ret_json,
                       struct err *err) MUST_USE;

static inline void auto_json(json_t **json)
{
    json_decref(*json);
}

/* The text of a JSON string, borrowed from it; empty for anything else. */
struct span json_text(const json_t *string);

enum { JSON_WRITER_DEPTH = 16 }; /* nesting of arrays and objects, as json_limits_default */

struct json_writer {
    struct buf *out;
    unsigned depth;
    bool has_member[JSON_WRITER_DEPTH + 1]; /* a comma is due before the next member */
    bool is_after_name;
};

void json_writer_init(struct json_writer *writer, struct buf *out);

void json_object_open(struct json_writer *writer);
void json_object_close(struct json_writer *writer);
void json_array_open(struct json_writer *writer);
void json_array_close(struct json_writer *writer);
void json_name(struct json_writer *writer, struct span name); /* the next value's member name */

void json_write_text(struct json_writer *writer, struct span text);
void json_write_int(struct json_writer *writer, int64_t value);
void json_write_bool(struct json_writer *writer, bool value);
void json_write_null(struct json_writer *writer);
void json_write_raw(struct json_writer *writer, struct span json); /* JSON text that we made */

/* Name and value in one line. */
void json_member_text(struct json_writer *writer, struct span name, struct span text);
void json_member_int(struct json_writer *writer, struct span name, int64_t value);
void json_member_bool(struct json_writer *writer, struct span name, bool value);
void json_member_time(struct json_writer *writer, struct span name, int64_t seconds); /* RFC 3339 */
