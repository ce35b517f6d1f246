/* SPDX-License-Identifier: Apache-2.0 */
#include "web/reply.h"

#include "web/app.h"

#include <assert.h>

static const struct {
    int http;
    const char *message; /* when x->err says nothing that a caller may read */
} statuses[STATUS_COUNT] = {
    [OK] = {200, "OK."},
    [INVALID] = {400, "The request is not valid."},
    [UNAUTHENTICATED] = {401, "A valid access token or API key is required."},
    [FORBIDDEN] = {403, "The caller's roles do not permit this operation."},
    [NOT_FOUND] = {404, "There is no such resource."},
    [CONFLICT] = {409, "The resource exists already or was changed meanwhile."},
    [TOO_LARGE] = {413, "The request is over a size limit."},
    [UNSUPPORTED] = {415, "The body must be application/json."},
    [RATE_LIMITED] = {429, "Too many attempts; try again later."},
    [NO_MEMORY] = {503, "The server is short of memory; try again."},
    [UNAVAILABLE] = {503, "The server cannot do this just now; try again."},
    [CORRUPT] = {500, "Stored data does not hold what it must; the operator's log says more."},
};

enum { BODY_LEN_MAX = 4 << 20, UNSEAL_WAIT_SECONDS = 30 /* half of the cap's minute */ };

int reply_http_status(enum status status)
{
    return statuses[status].http;
}

struct json_writer reply_json(struct exchange *x, int http_status)
{
    x->reply.status = http_status;
    x->reply.content_type = SPAN("application/json");
    buf_init_arena(&x->reply.body, &x->arena, BODY_LEN_MAX);
    struct json_writer writer;
    json_writer_init(&writer, &x->reply.body);
    return writer;
}

void reply_document(struct exchange *x, struct span content_type, struct span body)
{
    x->reply.status = 200;
    x->reply.content_type = content_type;
    buf_init_arena(&x->reply.body, &x->arena, BODY_LEN_MAX);
    buf_put(&x->reply.body, body);
}

void reply_empty(struct exchange *x, int http_status)
{
    x->reply.status = http_status;
    x->reply.content_type = (struct span){0};
    buf_init_arena(&x->reply.body, &x->arena, 0);
}

void reply_header(struct exchange *x, struct span name, struct span value)
{
    assert(x->reply.header_count < REPLY_HEADERS_MAX);
    x->reply.headers[x->reply.header_count++] = (struct header){name, value};
}

void reply_no_store(struct exchange *x)
{
    reply_header(x, SPAN("Cache-Control"), SPAN("no-store"));
    reply_header(x, SPAN("Pragma"), SPAN("no-cache"));
}

/* RFC 6750 §3.1: no error code when the request carried no authentication at all. */
static void add_challenge(struct exchange *x)
{
    struct span authorization;
    struct span key;
    bool has_credential = exchange_header(x, SPAN("authorization"), &authorization) != NOT_FOUND ||
                          exchange_header(x, SPAN("x-api-key"), &key) != NOT_FOUND;
    if (!has_credential) {
        reply_header(x, SPAN("WWW-Authenticate"), SPAN("Bearer realm=\"postern\""));
        return;
    }
    struct span challenge = arena_printf(
        &x->arena, "Bearer realm=\"postern\", error=\"invalid_token\", error_description=\"%s\"",
        x->err.detail[0] == '\0' ? "The access token is not valid" : x->err.detail);
    if (challenge.ptr != NULL)
        reply_header(x, SPAN("WWW-Authenticate"), challenge);
}

static bool is_oauth(const struct exchange *x)
{
    return span_starts(x->path, SPAN("/oauth"));
}

/* Both shapes of an error: the contract's, and under /oauth that of RFC 6749 §5.2. The caller adds
 * its own members and closes the body. */
static struct json_writer open_body(struct exchange *x, int http_status, const char *message)
{
    x->reply.header_count = 0;
    struct json_writer writer = reply_json(x, http_status);
    if (is_oauth(x))
        reply_no_store(x);
    else
        reply_header(x, SPAN("Cache-Control"), SPAN("no-store"));
    json_object_open(&writer);
    if (is_oauth(x)) {
        x->oauth_error = http_status == 503 || http_status == 429 ? SPAN("temporarily_unavailable")
                         : http_status == 500                     ? SPAN("server_error")
                                                                  : SPAN("invalid_request");
        json_member_text(&writer, SPAN("error"), x->oauth_error);
        json_member_text(&writer, SPAN("error_description"), span_cstr(message));
        return writer;
    }
    json_name(&writer, SPAN("messages"));
    json_array_open(&writer);
    json_write_text(&writer, span_cstr(message));
    json_array_close(&writer);
    json_member_text(&writer, SPAN("request_id"), span_of(x->request_id, REQUEST_ID_LEN));
    return writer;
}

void reply_retry_after(struct exchange *x, unsigned seconds)
{
    unsigned chance = 0; /* of the request's id, whose characters are as good as random */
    for (size_t i = 0; i < 4; i++)
        chance = chance * 62 + (unsigned char)x->request_id[i];
    struct span text = arena_printf(&x->arena, "%u", seconds + chance % (seconds + 1));
    reply_header(x, SPAN("Retry-After"), text.ptr == NULL ? SPAN("60") : text);
}

static struct json_writer open_error_wait(struct exchange *x, enum status status, unsigned seconds)
{
    /* An INVALID or better detail is written for callers; what went wrong inside is for the log. */
    bool is_ours = status == UNAVAILABLE || status == NO_MEMORY || status == CORRUPT;
    const char *message = statuses[status].message;
    if (!is_ours && x->err.status == status && x->err.detail[0] != '\0')
        message = x->err.detail;
    struct json_writer writer = open_body(x, statuses[status].http, message);
    if (status == UNAUTHENTICATED)
        add_challenge(x);
    if (statuses[status].http == 503 || status == RATE_LIMITED)
        reply_retry_after(x, seconds);
    return writer;
}

static struct json_writer open_error(struct exchange *x, enum status status)
{
    return open_error_wait(x, status, status == RATE_LIMITED ? UNSEAL_WAIT_SECONDS : 1);
}

void reply_wait(struct exchange *x, enum status status, unsigned seconds)
{
    struct json_writer writer = open_error_wait(x, status, seconds);
    json_object_close(&writer);
}

void reply_method_not_allowed(struct exchange *x, struct span allow)
{
    struct json_writer writer =
        open_body(x, 405, "This path does not take this method; Allow names those it takes.");
    reply_header(x, SPAN("Allow"), allow);
    json_object_close(&writer);
}

void reply_error(struct exchange *x, enum status status)
{
    struct json_writer writer = open_error(x, status);
    json_object_close(&writer);
}

void reply_not_found(struct exchange *x, struct span id)
{
    struct json_writer writer = open_error(x, NOT_FOUND);
    if (!is_oauth(x))
        json_member_text(&writer, SPAN("id"), id);
    json_object_close(&writer);
}

void reply_bad_request(struct exchange *x, const struct problems *problems)
{
    struct json_writer writer = open_error(x, INVALID);
    json_name(&writer, SPAN("field_errors"));
    json_object_open(&writer);
    for (size_t i = 0; i < problems->count; i++) {
        bool is_repeated = false; /* a JSON member stands once: the first problem of a field wins */
        for (size_t j = 0; j < i; j++)
            is_repeated |= span_equal(problems->items[i].field, problems->items[j].field);
        if (!is_repeated)
            json_member_text(&writer, problems->items[i].field, problems->items[i].text);
    }
    json_object_close(&writer);
    json_object_close(&writer);
}

void reply_bad_field(struct exchange *x, struct span field, const char *text)
{
    struct problems problems = {.arena = &x->arena};
    problems_add(&problems, field, "%s", text);
    reply_bad_request(x, &problems);
}
