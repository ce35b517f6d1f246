/* SPDX-License-Identifier: Apache-2.0 */
/* A body read by a field table: what is taken is written as JSON that reads back to the same, and
 * what is refused makes a reply that is JSON. */
#pragma once

#include "base/arena.h"
#include "codec/json.h"
#include "model/field.h"
#include "web/reply.h"

#include <assert.h>
#include <string.h>

enum { BODY_FUZZ_ARENA_BYTES = 16 << 20, BODY_FUZZ_TEXT_MAX = 8 << 20 };

struct body_fuzz {
    const struct field *fields;
    size_t count;
    void *object;      /* zeroed, with the defaults of a create */
    void *read_back;   /* another one */
    struct exchange x; /* for its arena and its reply */
};

static inline struct span body_fuzz_write(struct body_fuzz *fuzz, const void *object)
{
    struct buf out;
    struct json_writer writer;
    buf_init_arena(&out, &fuzz->x.arena, BODY_FUZZ_TEXT_MAX);
    json_writer_init(&writer, &out);
    json_object_open(&writer);
    fields_write(fuzz->fields, fuzz->count, object, &writer);
    json_object_close(&writer);
    assert(buf_ok(&out));
    return buf_span(&out);
}

/* Without what a create body may not have, and with the constants that it must. */
static inline void body_fuzz_make_create(const struct body_fuzz *fuzz, json_t *body)
{
    for (const struct field *field = fuzz->fields; field < fuzz->fields + fuzz->count; field++) {
        char name[64] = {0};
        assert(field->name.len < sizeof name);
        memcpy(name, field->name.ptr, field->name.len);
        const json_t *value = json_object_get(body, name);
        bool is_empty = field->type == FIELD_TEXT && json_text(value).len == 0;
        if ((field->flags & FIELD_CREATE) == 0 || is_empty)
            (void)json_object_del(body, name);
        if (field->type == FIELD_CONSTANT)
            (void)json_object_set_new(body, name,
                                      json_stringn(field->constant.ptr, field->constant.len));
    }
}

static inline void body_fuzz_read_back(struct body_fuzz *fuzz)
{
    AUTO(json) json_t *body = NULL;
    struct problems problems = {.arena = &fuzz->x.arena};
    uint32_t seen;
    struct span written = body_fuzz_write(fuzz, fuzz->object);
    enum status status = json_parse(written, &json_limits_default, &body, NULL);
    assert(status == OK);
    body_fuzz_make_create(fuzz, body);
    status = fields_read(fuzz->fields, fuzz->count, FIELD_CREATE, body, &fuzz->x.arena,
                         fuzz->read_back, &seen, &problems);
    assert(status == OK);
    assert(span_equal(body_fuzz_write(fuzz, fuzz->read_back), written));
}

static inline void body_fuzz_refuse(struct body_fuzz *fuzz, const struct problems *problems)
{
    AUTO(json) json_t *reply = NULL;
    assert(problems->count > 0 && problems->count <= PROBLEMS_MAX);
    memset(fuzz->x.request_id, 'r', REQUEST_ID_LEN);
    reply_bad_request(&fuzz->x, problems);
    assert(fuzz->x.reply.status == 400);
    enum status status =
        json_parse(buf_span(&fuzz->x.reply.body), &json_limits_default, &reply, NULL);
    assert(status == OK);
    assert(json_object_size(json_object_get(reply, "field_errors")) > 0);
}

/* True when the body was taken. */
static inline bool body_fuzz_run(struct body_fuzz *fuzz, enum field_flag flag, struct span text)
{
    AUTO(json) json_t *body = NULL;
    struct problems problems = {.arena = &fuzz->x.arena};
    uint32_t seen;
    if (text.len > 1 << 16 || json_parse(text, &json_limits_default, &body, NULL) != OK ||
        !json_is_object(body))
        return false;
    enum status status = fields_read(fuzz->fields, fuzz->count, flag, body, &fuzz->x.arena,
                                     fuzz->object, &seen, &problems);
    assert(status == OK || status == INVALID || status == NO_MEMORY);
    if (status == OK && flag == FIELD_CREATE)
        body_fuzz_read_back(fuzz);
    if (status == INVALID)
        body_fuzz_refuse(fuzz, &problems);
    return status == OK;
}
