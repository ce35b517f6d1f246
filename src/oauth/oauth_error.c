/* SPDX-License-Identifier: Apache-2.0 */
#include "oauth/oauth_error.h"

#include "web/reply.h"

static const struct {
    struct span code;
    int http;
} errors[OAUTH_ERROR_COUNT] = {
    [OAUTH_INVALID_REQUEST] = {SPAN_INIT("invalid_request"), 400},
    [OAUTH_INVALID_CLIENT] = {SPAN_INIT("invalid_client"), 401},
    [OAUTH_INVALID_GRANT] = {SPAN_INIT("invalid_grant"), 400},
    [OAUTH_UNAUTHORIZED_CLIENT] = {SPAN_INIT("unauthorized_client"), 400},
    [OAUTH_UNSUPPORTED_TOKEN_TYPE] = {SPAN_INIT("unsupported_token_type"), 400}, /* RFC 7009 */
    [OAUTH_UNSUPPORTED_GRANT_TYPE] = {SPAN_INIT("unsupported_grant_type"), 400},
    [OAUTH_UNSUPPORTED_RESPONSE_TYPE] = {SPAN_INIT("unsupported_response_type"), 400},
    [OAUTH_INVALID_SCOPE] = {SPAN_INIT("invalid_scope"), 400},
    [OAUTH_INVALID_TARGET] = {SPAN_INIT("invalid_target"), 400},
    [OAUTH_TEMPORARILY_UNAVAILABLE] = {SPAN_INIT("temporarily_unavailable"), 503},
    [OAUTH_SERVER_ERROR] = {SPAN_INIT("server_error"), 500},
};

void oauth_fail(struct exchange *x, enum oauth_error error, const char *description)
{
    x->next = NEXT_REPLY;
    x->reply.header_count = 0;
    x->oauth_error = errors[error].code;
    struct json_writer writer = reply_json(x, errors[error].http);
    reply_no_store(x);
    if (error == OAUTH_INVALID_CLIENT)
        reply_header(x, SPAN("WWW-Authenticate"),
                     SPAN("Basic realm=\"postern\", charset=\"UTF-8\""));
    if (error == OAUTH_TEMPORARILY_UNAVAILABLE)
        reply_retry_after(x, 1);
    json_object_open(&writer);
    json_member_text(&writer, SPAN("error"), errors[error].code);
    json_member_text(&writer, SPAN("error_description"), span_cstr(description));
    json_object_close(&writer);
}

void oauth_fail_status(struct exchange *x, enum status status)
{
    if (status == CORRUPT)
        oauth_fail(x, OAUTH_SERVER_ERROR, "Stored data does not hold what it must");
    else
        oauth_fail(x, OAUTH_TEMPORARILY_UNAVAILABLE,
                   "The server cannot do this just now; try again");
}
