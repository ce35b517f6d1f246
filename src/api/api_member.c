/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_member.h"

#include "base/arena.h"
#include "codec/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MESSAGE_MAX = 200 };

void api_member_check(const struct api_object *object, const char *const *names)
{
    const char *member;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object->json, member, value)
    {
        const char *const *name = names;
        while (*name != NULL && strcmp(*name, member) != 0)
            name++;
        if (*name == NULL)
            api_member_problem(object, member, "is not known");
    }
}

struct span api_member_path(const struct api_object *object, const char *name)
{
    if (object->path.len == 0)
        return span_cstr(name);
    struct span path = arena_printf(object->arena, "%.*s.%s", SPAN_FMT(object->path), name);
    return path.ptr == NULL ? object->path : path;
}

void api_member_problem(const struct api_object *object, const char *name, const char *format, ...)
{
    char text[MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    problems_add(object->problems, api_member_path(object, name), "%s", text);
}

const json_t *api_member_get(const struct api_object *object, const char *name)
{
    const json_t *value = json_object_get(object->json, name);
    return json_is_null(value) ? NULL : value;
}

struct span api_member_text(const struct api_object *object, const char *name, size_t len_max,
                            enum api_need need)
{
    const json_t *value = api_member_get(object, name);
    struct span text = json_text(value);
    if (value == NULL && need == API_REQUIRED)
        api_member_problem(object, name, "is required");
    else if (value != NULL && !json_is_string(value))
        api_member_problem(object, name, "must be a string");
    else if (value != NULL && need == API_REQUIRED && text.len == 0)
        api_member_problem(object, name, "must not be empty");
    else if (text.len > len_max)
        api_member_problem(object, name, "must be at most %zu bytes of UTF-8", len_max);
    else
        return text;
    return (struct span){0};
}

bool api_member_bool(const struct api_object *object, const char *name)
{
    const json_t *value = api_member_get(object, name);
    if (value != NULL && !json_is_boolean(value))
        api_member_problem(object, name, "must be true or false");
    return json_is_true(value);
}

int64_t api_member_int(const struct api_object *object, const char *name, struct api_range range)
{
    const json_t *value = api_member_get(object, name);
    if (value == NULL)
        return range.fallback;
    json_int_t number = json_integer_value(value);
    if (json_is_integer(value) && number >= range.min && number <= range.max)
        return number;
    api_member_problem(object, name, "must be a whole number from %lld to %lld",
                       (long long)range.min, (long long)range.max);
    return range.fallback;
}

struct span api_member_json(const struct api_object *object, const char *name, size_t len_max)
{
    const json_t *value = api_member_get(object, name);
    if (value == NULL)
        return SPAN("{}");
    size_t len = json_is_object(value) ? json_dumpb(value, NULL, 0, JSON_COMPACT) : 0;
    char *text = len == 0 || len > len_max ? NULL : arena_alloc(object->arena, len);
    if (len == 0)
        api_member_problem(object, name, "must be an object");
    else if (len > len_max)
        api_member_problem(object, name, "must be at most %zu bytes of JSON", len_max);
    else if (text == NULL || json_dumpb(value, text, len, JSON_COMPACT) != len)
        api_member_problem(object, name, "is too large together with the rest");
    else
        return span_of(text, len);
    return SPAN("{}");
}

struct span api_member_numbers(const struct api_object *object, const char *name, size_t len_max)
{
    const char *member;
    json_t *value;
    const json_t *numbers = api_member_get(object, name);
    json_object_foreach((json_t *)(uintptr_t)numbers, member, value)
    {
        if (!json_is_number(value) && !json_is_null(value))
            api_member_problem(object, name, "must hold numbers only");
    }
    return api_member_json(object, name, len_max);
}

struct api_object api_member_object(const struct api_object *object, const char *name)
{
    struct api_object member = *object;
    member.json = api_member_get(object, name);
    member.path = api_member_path(object, name);
    if (member.json != NULL && !json_is_object(member.json)) {
        api_member_problem(object, name, "must be an object");
        member.json = NULL;
    }
    return member;
}

const json_t *api_member_array(const struct api_object *object, const char *name, size_t max)
{
    const json_t *value = api_member_get(object, name);
    size_t count = json_array_size(value);
    if (json_is_array(value) && count > 0 && count <= max)
        return value;
    if (value == NULL)
        api_member_problem(object, name, "is required");
    else
        api_member_problem(object, name, "must be an array of 1 to %zu elements", max);
    return NULL;
}

struct api_object api_member_element(const struct api_object *object, const char *name,
                                     const json_t *array, size_t index)
{
    struct api_object element = *object;
    struct span path = api_member_path(object, name);
    element.json = json_array_get(array, index);
    element.path = arena_printf(object->arena, "%.*s[%zu]", SPAN_FMT(path), index);
    if (element.path.ptr == NULL)
        element.path = path;
    if (!json_is_object(element.json)) {
        problems_add(object->problems, element.path, "must be an object");
        element.json = NULL;
    }
    return element;
}

void api_member_refuse(const struct api_object *object, const char *name, const char *text)
{
    const json_t *value = api_member_get(object, name);
    bool is_empty = value == NULL || json_is_false(value) ||
                    (json_is_number(value) && json_number_value(value) == 0) ||
                    (json_is_string(value) && json_string_length(value) == 0) ||
                    (json_is_array(value) && json_array_size(value) == 0) ||
                    (json_is_object(value) && json_object_size(value) == 0);
    if (!is_empty)
        api_member_problem(object, name, "%s", text);
}
