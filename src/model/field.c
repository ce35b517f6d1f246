/* SPDX-License-Identifier: Apache-2.0 */
#include "model/field.h"

#include "base/arena.h"
#include "base/buf.h"
#include "codec/json.h"
#include "codec/utf8.h"
#include "model/principal.h"
#include "model/corpus.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

/* One value on its way in: what every reader below needs. */
struct input {
    const struct field *field;
    const json_t *value;
    struct arena *arena;
    char *object;
    struct problems *problems;
    enum status status;
};

void problems_add(struct problems *problems, struct span field, const char *format, ...)
{
    if (problems->count == PROBLEMS_MAX)
        return;
    char text[400];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    struct span kept = arena_copy(problems->arena, span_cstr(text));
    struct span name = arena_copy(problems->arena, field);
    if (kept.ptr == NULL || name.ptr == NULL) { /* a problem is told, if not well */
        name = SPAN("body");
        kept = SPAN("is not valid");
    }
    problems->items[problems->count].field = name;
    problems->items[problems->count].text = kept;
    problems->count++;
}

static bool is_corpus_key(struct span text)
{
    return text.len > 0 && text.len <= CORPUS_KEY_LEN_MAX &&
           span_only(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_=-");
}

static bool has_line_text(struct span text)
{
    /* Line ends and tabs are fine in long text; what would spoof a reader is not. */
    struct span rest = text;
    struct span line;
    bool is_more = true;
    while (is_more) {
        is_more = span_cut(&rest, '\n', &line);
        while (line.len > 0 && (line.ptr[line.len - 1] == '\r'))
            line.len--;
        struct span piece;
        bool is_more_pieces = true;
        while (is_more_pieces) {
            is_more_pieces = span_cut(&line, '\t', &piece);
            if (!utf8_is_plain(piece))
                return false;
        }
    }
    return true;
}

static void keep_text(struct input *in, struct span text, struct span *ret_text)
{
    *ret_text = arena_copy(in->arena, text);
    if (ret_text->ptr == NULL)
        in->status = NO_MEMORY;
}

static void read_text(struct input *in)
{
    const struct field *field = in->field;
    struct span text = json_text(in->value);
    bool is_long = field->type == FIELD_LONG_TEXT;
    if (!json_is_string(in->value))
        problems_add(in->problems, field->name, "must be a string");
    else if (text.len == 0 && !is_long)
        problems_add(in->problems, field->name, "must not be empty");
    else if (text.len > field->len_max)
        problems_add(in->problems, field->name, "must be at most %zu bytes of UTF-8",
                     field->len_max);
    else if (is_long ? !has_line_text(text) : !utf8_is_plain(text))
        problems_add(in->problems, field->name,
                     "must not contain control, direction-changing or invisible characters");
    else {
        keep_text(in, text, (struct span *)(void *)(in->object + field->offset));
        if (is_long)
            *(bool *)(in->object + field->presence_offset) = true;
    }
}

static void read_corpus_key(struct input *in)
{
    if (!is_corpus_key(json_text(in->value)))
        problems_add(in->problems, in->field->name,
                     "must be 1 to %d characters of A-Z, a-z, 0-9, '_', '=' and '-'",
                     CORPUS_KEY_LEN_MAX);
    else
        keep_text(in, json_text(in->value),
                  (struct span *)(void *)(in->object + in->field->offset));
}

static void read_bool(struct input *in)
{
    if (!json_is_boolean(in->value))
        problems_add(in->problems, in->field->name, "must be true or false");
    else
        *(bool *)(in->object + in->field->offset) = json_is_true(in->value);
}

static void read_int(struct input *in)
{
    json_int_t value = json_integer_value(in->value);
    if (!json_is_integer(in->value) || value < 0 || value > in->field->number_max)
        problems_add(in->problems, in->field->name, "must be a whole number from 0 to %lld",
                     (long long)in->field->number_max);
    else
        *(int64_t *)(void *)(in->object + in->field->offset) = value;
}

static void read_constant(struct input *in)
{
    if (!span_equal(json_text(in->value), in->field->constant))
        problems_add(in->problems, in->field->name, "must be \"%.*s\"",
                     SPAN_FMT(in->field->constant));
}

/* The path of element index of the field being read: "corpus_roles[3]". */
static struct span element_path(const struct input *in, size_t index)
{
    struct span path = arena_printf(in->arena, "%.*s[%zu]", SPAN_FMT(in->field->name), index);
    return path.ptr == NULL ? in->field->name : path;
}

static bool is_array_within(struct input *in, size_t max)
{
    if (!json_is_array(in->value))
        problems_add(in->problems, in->field->name, "must be an array");
    else if (json_array_size(in->value) > max)
        problems_add(in->problems, in->field->name, "must have at most %zu elements", max);
    else
        return true;
    return false;
}

static void no_such_role(struct input *in, struct span path, const struct span *names, size_t count)
{
    struct buf list;
    buf_init_arena(&list, in->arena, 512);
    for (size_t i = 0; i < count; i++)
        buf_printf(&list, "%s%.*s", i > 0 ? ", " : "", SPAN_FMT(names[i]));
    problems_add(in->problems, path, "must be one of the roles %.*s", (int)list.len, list.data);
}

static void read_api_roles(struct input *in)
{
    if (!is_array_within(in, GRANTS_MAX))
        return;
    api_role_set set = 0;
    for (size_t i = 0; i < json_array_size(in->value); i++) {
        size_t role;
        if (role_find(api_role_names, API_ROLE_COUNT, json_text(json_array_get(in->value, i)),
                      &role))
            set |= 1u << role;
        else
            no_such_role(in, element_path(in, i), api_role_names, API_ROLE_COUNT);
    }
    *(api_role_set *)(void *)(in->object + in->field->offset) = set;
}

/* Reads {key_name, "role"} of one grant; false when it names no role. */
static bool read_grant(struct input *in, size_t index, const char *key_name,
                       const struct span *roles, size_t role_count, struct span *ret_key,
                       size_t *ret_role)
{
    const json_t *grant = json_array_get(in->value, index);
    struct span path = element_path(in, index);
    if (!json_is_object(grant)) {
        problems_add(in->problems, path, "must be an object with \"%s\" and \"role\"", key_name);
        return false;
    }
    if (json_object_size(grant) != 2)
        problems_add(in->problems, path, "must have \"%s\" and \"role\" and nothing else",
                     key_name);
    struct span key = json_text(json_object_get(grant, key_name));
    bool has_role =
        role_find(roles, role_count, json_text(json_object_get(grant, "role")), ret_role);
    if (!is_corpus_key(key))
        problems_add(in->problems, path, "has no valid \"%s\"", key_name);
    if (!has_role)
        no_such_role(in, path, roles, role_count);
    keep_text(in, key, ret_key);
    return has_role;
}

static void read_corpus_roles(struct input *in)
{
    if (!is_array_within(in, GRANTS_MAX))
        return;
    size_t count = json_array_size(in->value);
    struct corpus_grant *grants = arena_zalloc(in->arena, count, sizeof *grants);
    if (grants == NULL) {
        in->status = NO_MEMORY;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        size_t role;
        if (read_grant(in, i, "corpus_key", corpus_role_names, CORPUS_ROLE_COUNT,
                       &grants[i].corpus_key, &role))
            grants[i].role = (enum corpus_role)role;
    }
    *(struct corpus_grant **)(void *)(in->object + in->field->offset) = grants;
    *(size_t *)(void *)(in->object + in->field->presence_offset) = count;
}

static void read_corpus_keys(struct input *in)
{
    if (!is_array_within(in, GRANTS_MAX))
        return;
    size_t count = json_array_size(in->value);
    struct span *keys = arena_zalloc(in->arena, count, sizeof *keys);
    if (keys == NULL) {
        in->status = NO_MEMORY;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct span key = json_text(json_array_get(in->value, i));
        if (!is_corpus_key(key))
            problems_add(in->problems, element_path(in, i), "is not a valid corpus key");
        keep_text(in, key, &keys[i]);
    }
    *(struct span **)(void *)(in->object + in->field->offset) = keys;
    *(size_t *)(void *)(in->object + in->field->presence_offset) = count;
}

static void read_agent_roles(struct input *in)
{
    if (!is_array_within(in, GRANTS_MAX))
        return;
    size_t count = json_array_size(in->value);
    struct agent_grant *grants = arena_zalloc(in->arena, count, sizeof *grants);
    if (grants == NULL) {
        in->status = NO_MEMORY;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        size_t role;
        if (read_grant(in, i, "agent_key", agent_role_names, AGENT_ROLE_COUNT, &grants[i].agent_key,
                       &role))
            grants[i].role = (enum agent_role)role;
    }
    *(struct agent_grant **)(void *)(in->object + in->field->offset) = grants;
    *(size_t *)(void *)(in->object + in->field->presence_offset) = count;
}

/* Has an earlier element the name of this one? */
static bool repeats_name(const json_t *array, size_t index)
{
    struct span name = json_text(json_object_get(json_array_get(array, index), "name"));
    size_t at = 0;
    while (at < index &&
           !span_equal(json_text(json_object_get(json_array_get(array, at), "name")), name))
        at++;
    return name.len > 0 && at < index;
}

static void read_json_array(struct input *in)
{
    if (!is_array_within(in, GRANTS_MAX))
        return;
    struct buf text;
    struct json_writer writer;
    buf_init_arena(&text, in->arena, in->field->len_max);
    json_writer_init(&writer, &text);
    json_array_open(&writer);
    for (size_t i = 0; i < json_array_size(in->value); i++) {
        struct span path = element_path(in, i);
        in->field->element(json_array_get(in->value, i), path, &writer, in->problems);
        if (repeats_name(in->value, i))
            problems_add(in->problems, path, "has the name of an earlier element");
    }
    json_array_close(&writer);
    if (!buf_ok(&text))
        problems_add(in->problems, in->field->name, "is too long: at most %zu bytes",
                     in->field->len_max);
    *(struct span *)(void *)(in->object + in->field->offset) = buf_span(&text);
}

static void read_value(struct input *in)
{
    switch (in->field->type) {
    case FIELD_TEXT:
    case FIELD_LONG_TEXT:
        read_text(in);
        return;
    case FIELD_CORPUS_KEY:
        read_corpus_key(in);
        return;
    case FIELD_BOOL:
        read_bool(in);
        return;
    case FIELD_INT:
        read_int(in);
        return;
    case FIELD_CONSTANT:
        read_constant(in);
        return;
    case FIELD_API_ROLES:
        read_api_roles(in);
        return;
    case FIELD_CORPUS_ROLES:
        read_corpus_roles(in);
        return;
    case FIELD_AGENT_ROLES:
        read_agent_roles(in);
        return;
    case FIELD_CORPUS_KEYS:
        read_corpus_keys(in);
        return;
    case FIELD_JSON_ARRAY:
        read_json_array(in);
        return;
    case FIELD_TIME:
        assert(in->field->type != FIELD_TIME); /* times are only written */
        return;
    }
}

/* The row that takes this member, or count. */
static size_t find_row(const struct field *fields, size_t count, enum field_flag flag,
                       struct span name)
{
    size_t row = 0;
    while (row < count && ((fields[row].flags & flag) == 0 || !span_equal(fields[row].name, name)))
        row++;
    return row;
}

enum status fields_read(const struct field *fields, size_t count, enum field_flag flag,
                        const json_t *body, struct arena *arena, void *object, uint32_t *ret_seen,
                        struct problems *problems)
{
    assert(count <= 32);
    struct input in = {.arena = arena, .object = object, .problems = problems, .status = OK};
    uint32_t seen = 0;
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)body, name, value)
    {
        size_t row = find_row(fields, count, flag, span_cstr(name));
        if (row == count) {
            problems_add(problems, span_cstr(name),
                         flag == FIELD_UPDATE ? "cannot be set by an update" : "is not known");
        } else if (!json_is_null(value)) {
            in.field = &fields[row];
            in.value = value;
            read_value(&in);
            seen |= 1u << row;
        }
    }
    for (size_t row = 0; flag == FIELD_CREATE && row < count; row++) {
        if ((fields[row].flags & FIELD_REQUIRED) != 0 && (seen & 1u << row) == 0)
            problems_add(problems, fields[row].name, "is required");
    }
    *ret_seen = seen;
    if (in.status != OK)
        return in.status;
    return problems->count == 0 ? OK : INVALID;
}

struct span field_element_text(const json_t *element, const char *name, bool is_required,
                               size_t len_max, struct span path, struct problems *problems)
{
    const json_t *value = json_object_get(element, name);
    if (value == NULL || json_is_null(value)) {
        if (is_required)
            problems_add(problems, path, "has no \"%s\"", name);
        return (struct span){0};
    }
    struct span text = json_text(value);
    if (!json_is_string(value) || text.len > len_max || (is_required && text.len == 0) ||
        !utf8_is_plain(text)) {
        problems_add(problems, path, "\"%s\" must be plain text of at most %zu bytes", name,
                     len_max);
        return (struct span){0};
    }
    return text;
}

static void write_roles(const struct field *field, const char *object, struct json_writer *writer)
{
    json_array_open(writer);
    if (field->type == FIELD_API_ROLES) {
        api_role_set set = *(const api_role_set *)(const void *)(object + field->offset);
        for (unsigned role = 0; role < API_ROLE_COUNT; role++) {
            if ((set & 1u << role) != 0)
                json_write_text(writer, api_role_names[role]);
        }
        json_array_close(writer);
        return;
    }
    bool is_corpus = field->type == FIELD_CORPUS_ROLES;
    const void *grants = *(const void *const *)(const void *)(object + field->offset);
    size_t count = *(const size_t *)(const void *)(object + field->presence_offset);
    for (size_t i = 0; i < count; i++) {
        const struct corpus_grant *corpus = (const struct corpus_grant *)grants + i;
        const struct agent_grant *agent = (const struct agent_grant *)grants + i;
        if (is_corpus && corpus->corpus_key.len == 0)
            continue; /* its corpus is gone; ids never come back */
        json_object_open(writer);
        json_member_text(writer, is_corpus ? SPAN("corpus_key") : SPAN("agent_key"),
                         is_corpus ? corpus->corpus_key : agent->agent_key);
        json_member_text(writer, SPAN("role"),
                         is_corpus ? corpus_role_names[corpus->role]
                                   : agent_role_names[agent->role]);
        json_object_close(writer);
    }
    json_array_close(writer);
}

static void write_value(const struct field *field, const char *object, struct json_writer *writer)
{
    const void *value = object + field->offset;
    switch (field->type) {
    case FIELD_TEXT:
    case FIELD_LONG_TEXT:
    case FIELD_CORPUS_KEY:
        json_member_text(writer, field->name, *(const struct span *)value);
        return;
    case FIELD_BOOL:
        json_member_bool(writer, field->name, *(const bool *)value);
        return;
    case FIELD_INT:
        json_member_int(writer, field->name, *(const int64_t *)value);
        return;
    case FIELD_TIME:
        json_member_time(writer, field->name, *(const int64_t *)value);
        return;
    case FIELD_JSON_ARRAY:
        json_name(writer, field->name);
        json_write_raw(writer, *(const struct span *)value);
        return;
    case FIELD_API_ROLES:
    case FIELD_CORPUS_ROLES:
    case FIELD_AGENT_ROLES:
        json_name(writer, field->name);
        write_roles(field, object, writer);
        return;
    case FIELD_CONSTANT:
        json_member_text(writer, field->name, field->constant);
        return;
    case FIELD_CORPUS_KEYS:
        assert(field->type != FIELD_CORPUS_KEYS); /* they are only read */
        return;
    }
}

static bool is_empty(const struct field *field, const char *object)
{
    const void *value = object + field->offset;
    if (field->type == FIELD_TEXT || field->type == FIELD_LONG_TEXT)
        return ((const struct span *)value)->len == 0;
    return (field->type == FIELD_INT || field->type == FIELD_TIME) && *(const int64_t *)value == 0;
}

void fields_write(const struct field *fields, size_t count, const void *object,
                  struct json_writer *writer)
{
    for (const struct field *field = fields; field < fields + count; field++) {
        if ((field->flags & FIELD_OUT) != 0 ||
            ((field->flags & FIELD_OUT_FILLED) != 0 && !is_empty(field, object)))
            write_value(field, object, writer);
    }
}
