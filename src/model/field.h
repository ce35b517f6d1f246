/* SPDX-License-Identifier: Apache-2.0 */
/* Field tables: one row per JSON member of a resource drives reading a create or update body, the
 * messages about what is wrong with it, and writing the resource. */
#pragma once

#include "base/attr.h"
#include "base/span.h"
#include "base/status.h"

#include <jansson.h>

struct arena;
struct json_writer;

enum field_type {
    FIELD_TEXT,      /* struct span; one line of plain text, not empty */
    FIELD_LONG_TEXT, /* struct span and bool at presence_offset; may be empty, may hold line ends */
    FIELD_BOOL,      /* bool */
    FIELD_INT,       /* int64_t from 0 to number_max; 0 counts as not filled */
    FIELD_TIME,      /* int64_t seconds, RFC 3339 on the wire; only written */
    FIELD_CONSTANT,  /* must equal .constant; nothing is stored */
    FIELD_CORPUS_KEY,   /* struct span; [A-Za-z0-9_=-]{1,50} */
    FIELD_API_ROLES,    /* api_role_set; array of names */
    FIELD_CORPUS_ROLES, /* struct corpus_grant * at offset, size_t at presence_offset */
    FIELD_AGENT_ROLES,  /* struct agent_grant *, likewise */
    FIELD_CORPUS_KEYS,  /* struct span * at offset, size_t at presence_offset; only read */
    FIELD_JSON_ARRAY,   /* struct span of JSON text; each element is checked by .element, no name
                           twice */
};

enum field_flag {
    FIELD_CREATE = 1,      /* may stand in a create body */
    FIELD_UPDATE = 2,      /* may stand in an update body */
    FIELD_REQUIRED = 4,    /* of a create body */
    FIELD_OUT = 8,         /* is written */
    FIELD_OUT_FILLED = 16, /* is written when not empty */
};

struct problems;

struct field {
    struct span name;
    enum field_type type;
    unsigned flags;
    size_t offset;
    size_t presence_offset;
    size_t len_max; /* bytes */
    int64_t number_max;
    struct span constant;
    /* FIELD_JSON_ARRAY: writes the element, normalised, or reports what is wrong with it. */
    void (*element)(const json_t *element, struct span path, struct json_writer *out,
                    struct problems *problems);
};

enum { PROBLEMS_MAX = 16 };

/* What is wrong with a body, by member: field_errors of the contract's BadRequestError. Those over
 * PROBLEMS_MAX are dropped. */
struct problems {
    struct arena *arena;
    size_t count;
    struct {
        struct span field; /* "name", "corpus_roles[1].role" */
        struct span text;
    } items[PROBLEMS_MAX];
};

void problems_add(struct problems *problems, struct span field, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* Reads body into object by the rows with flag (FIELD_CREATE or FIELD_UPDATE). Members that are
 * null count as absent. *ret_seen: bit n is set when row n was given. Everything wrong goes to
 * problems; the answer is OK when nothing was, INVALID, or NO_MEMORY. At most 32 rows. */
enum status fields_read(const struct field *fields, size_t count, enum field_flag flag,
                        const json_t *body, struct arena *arena, void *object, uint32_t *ret_seen,
                        struct problems *problems) MUST_USE;

/* Writes the members with FIELD_OUT and FIELD_OUT_FILLED into the open object. */
void fields_write(const struct field *fields, size_t count, const void *object,
                  struct json_writer *writer);

/* For .element functions: one text member of an element, checked like FIELD_TEXT. Empty and a
 * problem when it is wrong, or required and absent. */
struct span field_element_text(const json_t *element, const char *name, bool is_required,
                               size_t len_max, struct span path, struct problems *problems);
