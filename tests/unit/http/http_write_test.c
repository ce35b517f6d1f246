/* SPDX-License-Identifier: Apache-2.0 */
#include "http/http_write.h"

#include "../unit.h"

#define REQUEST_ID_LINE "X-Request-Id: 0123456789ABCDEF\r\n"

static void start(struct exchange *x, int status)
{
    *x = (struct exchange){.now = 784111777, .request_id = "0123456789ABCDEF"};
    arena_init(&x->arena, 16384);
    buf_init_arena(&x->reply.body, &x->arena, 4096);
    x->reply.status = status;
}

static void check_head(const struct exchange *x, enum http_connection connection,
                       const char *expected)
{
    struct http_date date = {0};
    AUTO(buf) struct buf out = {0};
    buf_init(&out, 4096);
    http_write_head(&out, x, connection, &date);
    assert_true(buf_ok(&out));
    assert_span_equal(buf_span(&out), expected);
}

static void reply_with_body(void **state)
{
    (void)state;
    struct exchange x;
    start(&x, 200);
    x.reply.content_type = SPAN("text/plain");
    x.reply.headers[x.reply.header_count++] = (struct header){SPAN("ETag"), SPAN("\"1\"")};
    buf_put(&x.reply.body, SPAN("hello"));
    check_head(&x, CONNECTION_KEPT,
               "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nServer: "
               "postern\r\n" REQUEST_ID_LINE
               "Content-Type: text/plain\r\nContent-Length: 5\r\nETag: \"1\"\r\n\r\n");
    assert_true(http_write_has_body(&x));
    x.method = HTTP_HEAD;
    check_head(&x, CONNECTION_KEPT_SAID,
               "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nServer: "
               "postern\r\n" REQUEST_ID_LINE
               "Content-Type: text/plain\r\nContent-Length: 5\r\nETag: \"1\"\r\n"
               "Connection: keep-alive\r\n\r\n");
    assert_false(http_write_has_body(&x));
    arena_done(&x.arena);
}

static void reply_without_body(void **state)
{
    (void)state;
    struct exchange x;
    start(&x, 204);
    check_head(&x, CONNECTION_CLOSED,
               "HTTP/1.1 204 No Content\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
               "Server: postern\r\n" REQUEST_ID_LINE "Connection: close\r\n\r\n");
    x.reply.status = 304;
    x.reply.content_type = SPAN("text/plain");
    buf_put(&x.reply.body, SPAN("not for the wire"));
    check_head(&x, CONNECTION_KEPT,
               "HTTP/1.1 304 Not Modified\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
               "Server: postern\r\n" REQUEST_ID_LINE "\r\n");
    assert_false(http_write_has_body(&x));
    x.reply.status = 299;
    x.reply.content_type = (struct span){0};
    check_head(&x, CONNECTION_KEPT,
               "HTTP/1.1 299 \r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
               "Server: postern\r\n" REQUEST_ID_LINE "Content-Length: 0\r\n\r\n");
    assert_false(http_write_has_body(&x));
    arena_done(&x.arena);
}

static void header_that_would_split_the_reply_is_left_out(void **state)
{
    (void)state;
    struct exchange x;
    start(&x, 204);
    static const struct header bad[] = {
        {SPAN_INIT("X-A"), SPAN_INIT("1\r\nSet-Cookie: a=b")},
        {SPAN_INIT("X-B"), SPAN_INIT("1\n")},
        {SPAN_INIT("X-C\r\nX-D"), SPAN_INIT("1")},
        {SPAN_INIT("X-E"), SPAN_INIT("a\0b")},
        {SPAN_INIT("X-F"), SPAN_INIT("a\tb\xc3\xa4")},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        x.reply.headers[x.reply.header_count++] = bad[i];
    check_head(&x, CONNECTION_KEPT,
               "HTTP/1.1 204 No Content\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
               "Server: postern\r\n" REQUEST_ID_LINE "X-F: a\tb\xc3\xa4\r\n\r\n");
    arena_done(&x.arena);
}

static void date_follows_the_second(void **state)
{
    (void)state;
    struct http_date date = {0};
    struct exchange x;
    start(&x, 204);
    AUTO(buf) struct buf out = {0};
    buf_init(&out, 4096);
    http_write_head(&out, &x, CONNECTION_KEPT, &date);
    x.now = 951782400;
    buf_clear(&out);
    http_write_head(&out, &x, CONNECTION_KEPT, &date);
    assert_span_equal(
        span_first(span_from(buf_span(&out), sizeof "HTTP/1.1 204 No Content\r\n" - 1), 35),
        "Date: Tue, 29 Feb 2000 00:00:00 GMT");
    arena_done(&x.arena);
}

static void refusal_has_the_contracts_shape(void **state)
{
    (void)state;
    struct exchange x;
    start(&x, 0);
    x.target = SPAN("/v2/corpora");
    http_write_refusal(&x, 414);
    assert_int_equal(x.reply.status, 414);
    assert_true(x.reply.close);
    assert_span_equal(x.reply.content_type, "application/json");
    assert_span_equal(buf_span(&x.reply.body),
                      "{\"messages\":[\"The request target is too long.\"],"
                      "\"request_id\":\"0123456789ABCDEF\"}");
    assert_int_equal(x.reply.header_count, 1);
    assert_span_equal(x.reply.headers[0].name, "Cache-Control");
    arena_done(&x.arena);
}

static void refusal_under_oauth_has_rfc_6749s_shape(void **state)
{
    (void)state;
    struct exchange x;
    start(&x, 0);
    x.target = SPAN("/oauth2/token");
    http_write_refusal(&x, 413);
    assert_span_equal(buf_span(&x.reply.body),
                      "{\"error\":\"invalid_request\","
                      "\"error_description\":\"The request body is too large.\"}");
    http_write_refusal(&x, 503);
    assert_span_equal(buf_span(&x.reply.body),
                      "{\"error\":\"temporarily_unavailable\","
                      "\"error_description\":\"The server is busy; try again.\"}");
    assert_span_equal(x.reply.headers[1].name, "Retry-After");
    arena_done(&x.arena);
}

static void refusal_fits_even_when_the_arena_is_full(void **state)
{
    (void)state;
    struct exchange x;
    start(&x, 0);
    while (arena_alloc(&x.arena, 16) != NULL)
        continue;
    http_write_refusal(&x, 503);
    assert_true(buf_ok(&x.reply.body));
    assert_true(x.reply.body.len > 0);
    arena_done(&x.arena);
}

static void every_status_of_the_edge_has_a_message(void **state)
{
    (void)state;
    static const int statuses[] = {400, 408, 413, 414, 417, 431, 500, 501, 503, 505};
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        struct exchange x;
        start(&x, 0);
        http_write_refusal(&x, statuses[i]);
        assert_false(span_starts(buf_span(&x.reply.body), SPAN("{\"messages\":[\"\"]")));
        arena_done(&x.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reply_with_body),
        cmocka_unit_test(reply_without_body),
        cmocka_unit_test(header_that_would_split_the_reply_is_left_out),
        cmocka_unit_test(date_follows_the_second),
        cmocka_unit_test(refusal_has_the_contracts_shape),
        cmocka_unit_test(refusal_under_oauth_has_rfc_6749s_shape),
        cmocka_unit_test(refusal_fits_even_when_the_arena_is_full),
        cmocka_unit_test(every_status_of_the_edge_has_a_message),
    };
    return RUN_TESTS(tests);
}
