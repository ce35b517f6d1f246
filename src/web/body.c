/* SPDX-License-Identifier: Apache-2.0 */
#include "web/body.h"

#include "web/reply.h"

bool body_has_type(const struct exchange *x, struct span media_type)
{
    struct span value;
    if (exchange_header(x, SPAN("content-type"), &value) != OK)
        return false;
    struct span essence;
    (void)span_cut(&value, ';', &essence);
    return span_equal_nocase(span_trim(essence), media_type);
}

enum status body_json_object_within(struct exchange *x, const struct json_limits *limits,
                                    json_t **ret_body)
{
    if (!body_has_type(x, SPAN("application/json"))) {
        reply_error(x, UNSUPPORTED);
        reply_header(x, SPAN("Accept"), SPAN("application/json"));
        return UNSUPPORTED;
    }
    AUTO(json) json_t *body = NULL;
    enum status status = x->body.len == 0
                             ? fail(&x->err, INVALID, "A body is required: a JSON object.")
                             : json_parse(x->body, limits, &body, &x->err);
    if (status == OK && !json_is_object(body))
        status = fail(&x->err, INVALID, "The body must be a JSON object.");
    if (status != OK) {
        struct problems none = {.arena = &x->arena};
        if (status == INVALID)
            reply_bad_request(x, &none);
        else
            reply_error(x, status);
        return status;
    }
    *ret_body = json_incref(body);
    return OK;
}

enum status body_json_object(struct exchange *x, json_t **ret_body)
{
    return body_json_object_within(x, &json_limits_default, ret_body);
}

enum status query_parse(struct exchange *x, struct form *ret_query)
{
    enum status status = form_parse(x->query, &x->arena, ret_query, &x->err);
    if (status != OK)
        reply_error(x, status);
    return status;
}
