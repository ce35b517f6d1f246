/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_corpus_fields.h"

#include "codec/json.h"
#include "model/principal.h"
#include "model/corpus.h"

#include <stddef.h>

enum { ATTRIBUTE_NAME_LEN_MAX = 64, ATTRIBUTES_TEXT_MAX = 32768 };

static const struct span levels[] = {SPAN_INIT("document"), SPAN_INIT("part")};
static const struct span types[] = {
    SPAN_INIT("integer"),    SPAN_INIT("real_number"),   SPAN_INIT("text"),
    SPAN_INIT("boolean"),    SPAN_INIT("list[integer]"), SPAN_INIT("list[real_number]"),
    SPAN_INIT("list[text]"),
};

static bool is_one_of(struct span text, const struct span *choices, size_t count)
{
    size_t at = 0;
    while (at < count && !span_equal(text, choices[at]))
        at++;
    return at < count;
}

/* Reports members that are not among the NULL-terminated names. */
static void check_members(const json_t *element, const char *const *names, struct span path,
                          struct problems *problems)
{
    const char *member;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)element, member, value)
    {
        const char *const *name = names;
        while (*name != NULL && !span_equal(span_cstr(*name), span_cstr(member)))
            name++;
        if (*name == NULL)
            problems_add(problems, path, "has a member that is not known");
    }
}

static void read_filter_attribute(const json_t *element, struct span path, struct json_writer *out,
                                  struct problems *problems)
{
    static const char *const names[] = {"name", "level", "type", "description", "indexed", NULL};
    check_members(element, names, path, problems);
    struct span name =
        field_element_text(element, "name", true, ATTRIBUTE_NAME_LEN_MAX, path, problems);
    struct span level = field_element_text(element, "level", true, 16, path, problems);
    struct span type = field_element_text(element, "type", true, 32, path, problems);
    struct span description =
        field_element_text(element, "description", false, DESCRIPTION_LEN_MAX, path, problems);
    const json_t *indexed = json_object_get(element, "indexed");
    if (!is_one_of(level, levels, ARRAY_LEN(levels)))
        problems_add(problems, path, "\"level\" must be document or part");
    if (!is_one_of(type, types, ARRAY_LEN(types)))
        problems_add(problems, path, "\"type\" is not one of the attribute types");
    if (indexed != NULL && !json_is_null(indexed) && !json_is_boolean(indexed))
        problems_add(problems, path, "\"indexed\" must be true or false");
    json_object_open(out);
    json_member_text(out, SPAN("name"), name);
    json_member_text(out, SPAN("level"), level);
    json_member_text(out, SPAN("type"), type);
    if (description.ptr != NULL) /* comes back as sent, also when empty */
        json_member_text(out, SPAN("description"), description);
    json_member_bool(out, SPAN("indexed"), !json_is_false(indexed));
    json_object_close(out);
}

static void write_number(const json_t *element, const char *name, struct span path,
                         struct json_writer *out, struct problems *problems)
{
    const json_t *value = json_object_get(element, name);
    char text[40] = "0";
    json_name(out, span_cstr(name));
    if (value != NULL && !json_is_null(value)) {
        if (!json_is_number(value))
            problems_add(problems, path, "\"%s\" must be a number", name);
        else if (json_dumpb(value, text, sizeof text, JSON_ENCODE_ANY | JSON_REAL_PRECISION(17)) >=
                 sizeof text)
            problems_add(problems, path, "\"%s\" is too long a number", name);
        else
            text[json_dumpb(value, text, sizeof text, JSON_ENCODE_ANY | JSON_REAL_PRECISION(17))] =
                '\0';
    }
    json_write_raw(out, span_cstr(text));
}

static void read_custom_dimension(const json_t *element, struct span path, struct json_writer *out,
                                  struct problems *problems)
{
    static const char *const names[] = {"name", "description", "indexing_default",
                                        "querying_default", NULL};
    check_members(element, names, path, problems);
    struct span name =
        field_element_text(element, "name", true, ATTRIBUTE_NAME_LEN_MAX, path, problems);
    struct span description =
        field_element_text(element, "description", false, DESCRIPTION_LEN_MAX, path, problems);
    json_object_open(out);
    json_member_text(out, SPAN("name"), name);
    if (description.ptr != NULL) /* comes back as sent, also when empty */
        json_member_text(out, SPAN("description"), description);
    write_number(element, "indexing_default", path, out, problems);
    write_number(element, "querying_default", path, out, problems);
    json_object_close(out);
}

#define AT(member) offsetof(struct corpus, member)

const struct field corpus_fields[CORPUS_FIELD_COUNT] = {
    {.name = SPAN_INIT("id"), .type = FIELD_TEXT, .flags = FIELD_OUT, .offset = AT(id)},
    {.name = SPAN_INIT("key"),
     .type = FIELD_CORPUS_KEY,
     .flags = FIELD_OUT | FIELD_CREATE | FIELD_REQUIRED,
     .offset = AT(key)},
    {.name = SPAN_INIT("name"),
     .type = FIELD_TEXT,
     .flags = FIELD_OUT | FIELD_CREATE | FIELD_UPDATE,
     .offset = AT(name),
     .len_max = NAME_LEN_MAX},
    {.name = SPAN_INIT("description"),
     .type = FIELD_LONG_TEXT,
     .flags = FIELD_OUT_FILLED | FIELD_CREATE | FIELD_UPDATE,
     .offset = AT(description),
     .presence_offset = AT(has_description),
     .len_max = DESCRIPTION_LEN_MAX},
    {.name = SPAN_INIT("enabled"),
     .type = FIELD_BOOL,
     .flags = FIELD_OUT | FIELD_UPDATE,
     .offset = AT(is_enabled)},
    {.name = SPAN_INIT("save_history"),
     .type = FIELD_BOOL,
     .flags = FIELD_OUT | FIELD_CREATE | FIELD_UPDATE,
     .offset = AT(save_history)},
    {.name = SPAN_INIT("queries_are_answers"),
     .type = FIELD_BOOL,
     .flags = FIELD_OUT | FIELD_CREATE,
     .offset = AT(queries_are_answers)},
    {.name = SPAN_INIT("documents_are_questions"),
     .type = FIELD_BOOL,
     .flags = FIELD_OUT | FIELD_CREATE,
     .offset = AT(documents_are_questions)},
    {.name = SPAN_INIT("encoder_id"),
     .type = FIELD_TEXT,
     .flags = FIELD_OUT_FILLED | FIELD_CREATE,
     .offset = AT(encoder_id),
     .len_max = 64},
    {.name = SPAN_INIT("encoder_name"),
     .type = FIELD_TEXT,
     .flags = FIELD_OUT | FIELD_CREATE,
     .offset = AT(encoder_name),
     .len_max = 64},
    {.name = SPAN_INIT("filter_attributes"),
     .type = FIELD_JSON_ARRAY,
     .flags = FIELD_OUT | FIELD_CREATE,
     .offset = AT(filter_attributes),
     .len_max = ATTRIBUTES_TEXT_MAX,
     .element = read_filter_attribute},
    {.name = SPAN_INIT("custom_dimensions"),
     .type = FIELD_JSON_ARRAY,
     .flags = FIELD_OUT | FIELD_CREATE,
     .offset = AT(custom_dimensions),
     .len_max = ATTRIBUTES_TEXT_MAX,
     .element = read_custom_dimension},
    {.name = SPAN_INIT("created_at"),
     .type = FIELD_TIME,
     .flags = FIELD_OUT,
     .offset = AT(created_at)},
};

const struct field corpus_filter_fields[CORPUS_FILTER_FIELD_COUNT] = {
    {.name = SPAN_INIT("filter_attributes"),
     .type = FIELD_JSON_ARRAY,
     .flags = FIELD_CREATE | FIELD_REQUIRED,
     .offset = AT(filter_attributes),
     .len_max = ATTRIBUTES_TEXT_MAX,
     .element = read_filter_attribute},
};
