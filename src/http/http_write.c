/* SPDX-License-Identifier: Apache-2.0 */
#include "http/http_write.h"

#include "codec/rfc3339.h"

#include <stdio.h>

enum { REFUSAL_BYTES_MAX = 512 };

struct status_text {
    int status;
    struct span reason;  /* RFC 9110 §15 */
    struct span message; /* of the edge's own reply; empty: the edge never makes it */
};

static const struct status_text status_texts[] = {
    {200, SPAN_INIT("OK"), {0}},
    {201, SPAN_INIT("Created"), {0}},
    {202, SPAN_INIT("Accepted"), {0}},
    {204, SPAN_INIT("No Content"), {0}},
    {302, SPAN_INIT("Found"), {0}},
    {303, SPAN_INIT("See Other"), {0}},
    {304, SPAN_INIT("Not Modified"), {0}},
    {400, SPAN_INIT("Bad Request"), SPAN_INIT("The request is not well-formed HTTP.")},
    {401, SPAN_INIT("Unauthorized"), {0}},
    {403, SPAN_INIT("Forbidden"), {0}},
    {404, SPAN_INIT("Not Found"), {0}},
    {405, SPAN_INIT("Method Not Allowed"), {0}},
    {406, SPAN_INIT("Not Acceptable"), {0}},
    {408, SPAN_INIT("Request Timeout"), SPAN_INIT("The request did not arrive in time.")},
    {409, SPAN_INIT("Conflict"), {0}},
    {410, SPAN_INIT("Gone"), {0}},
    {412, SPAN_INIT("Precondition Failed"), {0}},
    {413, SPAN_INIT("Content Too Large"), SPAN_INIT("The request body is too large.")},
    {414, SPAN_INIT("URI Too Long"), SPAN_INIT("The request target is too long.")},
    {415, SPAN_INIT("Unsupported Media Type"), {0}},
    {417, SPAN_INIT("Expectation Failed"), SPAN_INIT("Only 100-continue can be expected.")},
    {422, SPAN_INIT("Unprocessable Content"), {0}},
    {429, SPAN_INIT("Too Many Requests"), {0}},
    {431, SPAN_INIT("Request Header Fields Too Large"),
     SPAN_INIT("The request headers are too large.")},
    {500, SPAN_INIT("Internal Server Error"), SPAN_INIT("The request could not be answered.")},
    {501, SPAN_INIT("Not Implemented"), SPAN_INIT("The method is not implemented.")},
    {502, SPAN_INIT("Bad Gateway"), {0}},
    {503, SPAN_INIT("Service Unavailable"), SPAN_INIT("The server is busy; try again.")},
    {504, SPAN_INIT("Gateway Timeout"), {0}},
    {505, SPAN_INIT("HTTP Version Not Supported"), SPAN_INIT("Only HTTP/1.1 and HTTP/1.0.")},
};

static const struct status_text *status_text_of(int status)
{
    static const struct status_text unnamed = {0};
    for (size_t i = 0; i < ARRAY_LEN(status_texts); i++) {
        if (status_texts[i].status == status)
            return &status_texts[i];
    }
    return &unnamed;
}

/* The Date of this second, written once for all replies in it. */
static struct span date_text(struct http_date *date, int64_t now)
{
    if (date->second != now || date->len == 0) {
        struct buf text = {
            .data = date->text, .capacity = sizeof date->text, .limit = sizeof date->text};
        http_date_write(&text, now);
        date->len = buf_ok(&text) ? text.len : 0;
        date->second = now;
    }
    return span_of(date->text, date->len);
}

/* Neither line ends nor other control characters: RFC 9110 §5.5. */
static bool is_field_text(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.ptr[i];
        if ((byte < ' ' && byte != '\t') || byte == 0x7f)
            return false;
    }
    return true;
}

static void put_header(struct buf *out, struct span name, struct span value)
{
    if (name.len == 0 || !is_field_text(name) || !is_field_text(value))
        return;
    buf_put(out, name);
    buf_put(out, SPAN(": "));
    buf_put(out, value);
    buf_put(out, SPAN("\r\n"));
}

/* RFC 9110 §8.6: no Content-Length with 204; with 304 it would have to be that of a 200. */
static bool has_content(int status)
{
    return status != 204 && status != 304;
}

bool http_write_has_body(const struct exchange *x)
{
    return x->reply.body.len > 0 && x->reply.content_type.len > 0 && x->method != HTTP_HEAD &&
           has_content(x->reply.status);
}

void http_write_head(struct buf *out, const struct exchange *x, enum http_connection connection,
                     struct http_date *date)
{
    const struct reply *reply = &x->reply;
    buf_put(out, SPAN("HTTP/1.1 "));
    buf_int64(out, reply->status);
    buf_byte(out, ' ');
    buf_put(out, status_text_of(reply->status)->reason);
    buf_put(out, SPAN("\r\n"));
    put_header(out, SPAN("Date"), date_text(date, x->now));
    put_header(out, SPAN("Server"), SPAN("postern"));
    put_header(out, SPAN("X-Request-Id"), span_of(x->request_id, REQUEST_ID_LEN));
    if (has_content(reply->status)) {
        if (reply->content_type.len > 0)
            put_header(out, SPAN("Content-Type"), reply->content_type);
        buf_put(out, SPAN("Content-Length: "));
        buf_int64(out, reply->content_type.len > 0 ? (int64_t)reply->body.len : 0);
        buf_put(out, SPAN("\r\n"));
    }
    for (size_t i = 0; i < reply->header_count; i++)
        put_header(out, reply->headers[i].name, reply->headers[i].value);
    if (connection == CONNECTION_CLOSED)
        put_header(out, SPAN("Connection"), SPAN("close"));
    else if (connection == CONNECTION_KEPT_SAID)
        put_header(out, SPAN("Connection"), SPAN("keep-alive"));
    buf_put(out, SPAN("\r\n"));
}

static void put_json_text(struct buf *out, struct span name, struct span text)
{
    buf_byte(out, '"');
    buf_put(out, name);
    buf_put(out, SPAN("\":\""));
    buf_put(out, text);
    buf_byte(out, '"');
}

void http_write_refusal(struct exchange *x, int status)
{
    struct reply *reply = &x->reply;
    *reply = (struct reply){.status = status, .close = true, .is_refusal = true};
    reply->content_type = SPAN("application/json");
    reply->headers[reply->header_count++] =
        (struct header){SPAN("Cache-Control"), SPAN("no-store")};
    if (status == 503)
        reply->headers[reply->header_count++] = (struct header){SPAN("Retry-After"), SPAN("1")};

    struct buf *body = &reply->body;
    struct span message = status_text_of(status)->message;
    /* A full arena is one of the reasons to be here. */
    x->arena.limit_bytes += (size_t)2 * REFUSAL_BYTES_MAX;
    buf_init_arena(body, &x->arena, REFUSAL_BYTES_MAX);
    if (span_starts(x->target, SPAN("/oauth"))) { /* RFC 6749 §5.2 */
        bool is_ours = status >= 500 && status != 501 && status != 505;
        buf_byte(body, '{');
        put_json_text(body, SPAN("error"),
                      is_ours ? SPAN("temporarily_unavailable") : SPAN("invalid_request"));
        buf_byte(body, ',');
        put_json_text(body, SPAN("error_description"), message);
    } else {
        buf_put(body, SPAN("{\"messages\":[\""));
        buf_put(body, message);
        buf_put(body, SPAN("\"],"));
        put_json_text(body, SPAN("request_id"), span_of(x->request_id, REQUEST_ID_LEN));
    }
    buf_byte(body, '}');
}
