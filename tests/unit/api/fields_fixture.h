/* SPDX-License-Identifier: Apache-2.0 */
/* A body through a field table, with what came of it. */
#pragma once

#include "../unit.h"

#include "base/arena.h"
#include "codec/json.h"
#include "model/field.h"

#include <stdlib.h>

struct reading {
    struct arena arena;
    struct problems problems;
    uint32_t seen;
    enum status status;
};

struct table {
    const struct field *fields;
    size_t count;
};

/* ' stands for " in body: JSON that people can read. */
static inline json_t *reading_parse(const char *body)
{
    json_t *json = NULL;
    char *text = strdup(body);
    assert_non_null(text);
    for (char *at = text; *at != '\0'; at++)
        *at = *at == '\'' ? '"' : *at;
    assert_int_equal(json_parse(span_cstr(text), &json_limits_default, &json, NULL), OK);
    free(text);
    return json;
}

static inline void reading_open(struct reading *r, const struct table *table, enum field_flag flag,
                                const char *body, void *object)
{
    *r = (struct reading){.problems.arena = &r->arena};
    AUTO(json) json_t *json = reading_parse(body);
    arena_init(&r->arena, 1 << 22);
    r->status = fields_read(table->fields, table->count, flag, json, &r->arena, object, &r->seen,
                            &r->problems);
}

static inline void reading_close(struct reading *r)
{
    arena_done(&r->arena);
}

/* The text about a field, or an empty span. */
static inline struct span reading_problem(const struct reading *r, const char *field)
{
    for (size_t i = 0; i < r->problems.count; i++) {
        if (span_equal(r->problems.items[i].field, span_cstr(field)))
            return r->problems.items[i].text;
    }
    return (struct span){0};
}

/* Whatever the memory runs out on, a wrong body is never taken for a right one. */
static inline void reading_without_memory(const struct table *table, const char *body, void *object)
{
    AUTO(json) json_t *json = reading_parse(body);
    for (size_t limit = 0; limit < 2048; limit += 16) {
        struct arena arena;
        struct problems problems = {.arena = &arena};
        uint32_t seen;
        arena_init(&arena, limit);
        enum status status = fields_read(table->fields, table->count, FIELD_CREATE, json, &arena,
                                         object, &seen, &problems);
        assert_int_not_equal(status, OK);
        arena_done(&arena);
    }
}

/* The object as the table writes it. */
static inline void reading_written(const struct table *table, const void *object, struct buf *text)
{
    struct json_writer writer;
    buf_init(text, 1 << 20);
    json_writer_init(&writer, text);
    json_object_open(&writer);
    fields_write(table->fields, table->count, object, &writer);
    json_object_close(&writer);
    buf_byte(text, '\0');
    assert_true(buf_ok(text));
}
