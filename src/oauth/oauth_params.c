/* SPDX-License-Identifier: Apache-2.0 */
#include "oauth/oauth_params.h"

#include "oauth/oauth_error.h"
#include "web/body.h"

/* Names whose values must never stand in a URL: proxies and browsers keep those. */
static const struct span secret_names[] = {
    SPAN_INIT("client_secret"), SPAN_INIT("client_assertion"), SPAN_INIT("token"),
    SPAN_INIT("subject_token"), SPAN_INIT("access_token"),
};

static enum status refuse(struct exchange *x, const char *why)
{
    oauth_fail(x, OAUTH_INVALID_REQUEST, why);
    return INVALID;
}

static enum status check_query(struct exchange *x)
{
    struct form query;
    enum status status = form_parse(x->query, &x->arena, &query, NULL);
    if (status == NO_MEMORY) {
        oauth_fail_status(x, status);
        return status;
    }
    if (status != OK)
        return refuse(x, "The query does not decode");
    for (size_t i = 0; i < query.count; i++) {
        for (size_t j = 0; j < ARRAY_LEN(secret_names); j++) {
            if (span_equal(query.fields[i].name, secret_names[j]))
                return refuse(x, "Credentials must not be in the URL; replace this one, it may "
                                 "have been logged");
        }
    }
    return OK;
}

static enum status read_json(struct exchange *x, struct form *form)
{
    AUTO(json) json_t *body = NULL;
    const struct json_limits limits = {.depth_max = 2, .members_max = FORM_FIELDS_MAX};
    enum status status = json_parse(x->body, &limits, &body, NULL);
    if (status == NO_MEMORY) {
        oauth_fail_status(x, status);
        return status;
    }
    if (status != OK || !json_is_object(body))
        return refuse(x, "The body is not a JSON object of strings");
    form->fields = arena_zalloc(&x->arena, json_object_size(body), sizeof *form->fields);
    const char *name;
    json_t *value;
    json_object_foreach(body, name, value)
    {
        if (json_is_null(value))
            continue;
        if (!json_is_string(value))
            return refuse(x, "The body is not a JSON object of strings");
        if (form->fields == NULL)
            break;
        struct form_field *field = &form->fields[form->count++];
        field->name = arena_copy(&x->arena, span_cstr(name));
        field->value = arena_copy(&x->arena, json_text(value));
        if (field->name.ptr == NULL || field->value.ptr == NULL)
            form->fields = NULL;
    }
    if (form->fields == NULL) {
        oauth_fail_status(x, NO_MEMORY);
        return NO_MEMORY;
    }
    return OK;
}

enum status oauth_params_read(struct exchange *x, struct oauth_params *ret_params)
{
    struct oauth_params params = {0};
    enum status status = check_query(x);
    if (status != OK)
        return status;
    params.is_json = body_has_type(x, SPAN("application/json"));
    if (params.is_json) {
        status = read_json(x, &params.form);
    } else if (!body_has_type(x, SPAN("application/x-www-form-urlencoded"))) {
        return refuse(x, "The body must be application/x-www-form-urlencoded");
    } else {
        status = form_parse(x->body, &x->arena, &params.form, NULL);
        _Static_assert(FORM_FIELDS_MAX == 64, "the message says so");
        if (status == INVALID)
            return refuse(x, "The body does not decode: a broken percent escape, NUL, not UTF-8, "
                             "or more than 64 fields");
        if (status != OK)
            oauth_fail_status(x, status);
    }
    *ret_params = params;
    return status;
}

enum status oauth_param(struct exchange *x, const struct oauth_params *params, struct span name,
                        struct span *ret_value)
{
    *ret_value = (struct span){0};
    enum status status = form_get(&params->form, name, ret_value);
    if (status == INVALID)
        return refuse(x, "A parameter stands more than once");
    return OK;
}
