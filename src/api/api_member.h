/* SPDX-License-Identifier: Apache-2.0 */
/* Members of a body's objects, one by one, where a table of fields does not reach: nested objects
 * and arrays of them. What is wrong goes to problems, under the member's whole path; the answer is
 * then as if the member were absent. null counts as absent. */
#pragma once

#include "model/field.h"

struct api_object {
    const json_t *json; /* NULL: absent; every member is absent too */
    struct span path;   /* "search.corpora[1]"; empty: the body itself */
    struct arena *arena;
    struct problems *problems;
};

/* Reports members that are not among the NULL-terminated names. */
void api_member_check(const struct api_object *object, const char *const *names);

/* "search.limit". */
struct span api_member_path(const struct api_object *object, const char *name);
void api_member_problem(const struct api_object *object, const char *name, const char *format, ...)
    PRINTF_LIKE(3, 4);

const json_t *api_member_get(const struct api_object *object, const char *name);

/* Any text, borrowed from the body. */
enum api_need { API_OPTIONAL, API_REQUIRED /* and not empty */ };
struct span api_member_text(const struct api_object *object, const char *name, size_t len_max,
                            enum api_need need);
bool api_member_bool(const struct api_object *object, const char *name);

struct api_range {
    int64_t min;
    int64_t max;
    int64_t fallback;
};

int64_t api_member_int(const struct api_object *object, const char *name, struct api_range range);

/* The object as JSON text in the arena; "{}" when absent. */
struct span api_member_json(const struct api_object *object, const char *name, size_t len_max);

/* The same, of numbers (or null) only. */
struct span api_member_numbers(const struct api_object *object, const char *name, size_t len_max);

struct api_object api_member_object(const struct api_object *object, const char *name);

/* An array of 1 to max elements, or NULL; and one of its elements. */
const json_t *api_member_array(const struct api_object *object, const char *name, size_t max);
struct api_object api_member_element(const struct api_object *object, const char *name,
                                     const json_t *array, size_t index);

/* For what this server does not have: anything but null, false, 0, "" and empty containers is a
 * problem. */
void api_member_refuse(const struct api_object *object, const char *name, const char *text);
