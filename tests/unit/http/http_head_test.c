/* SPDX-License-Identifier: Apache-2.0 */
#include "http/http_head.h"

#include "../unit.h"

struct line_case {
    const char *line;
    int refused;
    enum http_method method;
    const char *path;
    const char *query;
};

static const struct line_case line_cases[] = {
    {"GET / HTTP/1.1", 0, HTTP_GET, "/", ""},
    {"HEAD /a?b=c?d HTTP/1.0", 0, HTTP_HEAD, "/a", "b=c?d"},
    {"POST /a%00b HTTP/1.1", 0, HTTP_POST, "/a%00b", ""},
    {"PATCH //x HTTP/1.1", 0, HTTP_PATCH, "//x", ""},
    {"DELETE /a? HTTP/1.1", 0, HTTP_DELETE, "/a", ""},
    {"TRACE / HTTP/1.1", 0, HTTP_OTHER, "/", ""},
    {"get / HTTP/1.1", 0, HTTP_OTHER, "/", ""},
    {"OPTIONS * HTTP/1.1", 0, HTTP_OPTIONS, "*", ""},
    {"PUT http://h:1/p?q HTTP/1.1", 0, HTTP_PUT, "/p", "q"},
    {"GET HTTPS://h HTTP/1.1", 0, HTTP_GET, "/", ""},
    {"GET http://h?q HTTP/1.1", 0, HTTP_GET, "/", "q"},
    {"CONNECT h:443 HTTP/1.1", 501, 0, NULL, NULL},
    {"CONNECT / HTTP/1.1", 501, 0, NULL, NULL},
    {"GET * HTTP/1.1", 400, 0, NULL, NULL},
    {"GET a HTTP/1.1", 400, 0, NULL, NULL},
    {"GET ?a HTTP/1.1", 400, 0, NULL, NULL},
    {"GET ftp://h/ HTTP/1.1", 400, 0, NULL, NULL},
    {"GET /a#b HTTP/1.1", 400, 0, NULL, NULL},
    {"GET /a?\"b HTTP/1.1", 400, 0, NULL, NULL},
    {"GET /a?<b HTTP/1.1", 400, 0, NULL, NULL},
    {"GET /a?b> HTTP/1.1", 400, 0, NULL, NULL},
    {"GET /a\tb HTTP/1.1", 400, 0, NULL, NULL},
    {"GET /a\rb HTTP/1.1", 400, 0, NULL, NULL},
    {"GET /\xc3\xa4 HTTP/1.1", 400, 0, NULL, NULL},
    {"GET /\x7f HTTP/1.1", 400, 0, NULL, NULL},
    {"G@T / HTTP/1.1", 400, 0, NULL, NULL},
    {" GET / HTTP/1.1", 400, 0, NULL, NULL},
    {"GET  / HTTP/1.1", 400, 0, NULL, NULL},
    {"GET /  HTTP/1.1", 400, 0, NULL, NULL},
    {"GET / HTTP/1.1 ", 400, 0, NULL, NULL},
    {"GET\t/ HTTP/1.1", 400, 0, NULL, NULL},
    {"GET /", 400, 0, NULL, NULL},
    {"GET / ", 400, 0, NULL, NULL},
    {"GET", 400, 0, NULL, NULL},
    {"", 400, 0, NULL, NULL},
    {"GET / http/1.1", 400, 0, NULL, NULL},
    {"GET / HTTP/1", 400, 0, NULL, NULL},
    {"GET / HTTP/1.10", 400, 0, NULL, NULL},
    {"GET / HTTP/..1", 400, 0, NULL, NULL},
    {"GET / HTTP/0.9", 505, 0, NULL, NULL},
    {"GET / HTTP/1.2", 505, 0, NULL, NULL},
    {"PRI * HTTP/2.0", 505, 0, NULL, NULL},
};

static void request_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof line_cases / sizeof line_cases[0]; i++) {
        const struct line_case *row = &line_cases[i];
        struct exchange x = {0};
        struct http_head head;
        print_message("line: %s\n", row->line);
        assert_int_equal(http_head_line(span_cstr(row->line), &x, &head), row->refused);
        if (row->refused != 0)
            continue;
        assert_int_equal(x.method, row->method);
        assert_span_equal(x.path, row->path);
        assert_span_equal(x.query, row->query);
    }
}

struct fields_case {
    const char *line;
    const char *name_and_value[6];
    int refused;
};

static const struct fields_case fields_cases[] = {
    {"GET / HTTP/1.1", {"Host", "a"}, 0},
    {"GET / HTTP/1.1", {"host", "a.b-c_d:65535"}, 0},
    {"GET / HTTP/1.1", {"Host", "[::1]:80"}, 0},
    {"GET / HTTP/1.1", {"Host", "[::ffff:1.2.3.4]"}, 0},
    {"GET / HTTP/1.0", {NULL}, 0},
    {"GET / HTTP/1.1", {NULL}, 400},
    {"GET / HTTP/1.1", {"Host", ""}, 400},
    {"GET / HTTP/1.0", {"Host", ""}, 400},
    {"GET / HTTP/1.1", {"Host", "a", "Host", "a"}, 400},
    {"GET / HTTP/1.0", {"Host", "a", "Host", "b"}, 400},
    {"GET / HTTP/1.1", {"Host", "a,b"}, 400},
    {"GET / HTTP/1.1", {"Host", "a b"}, 400},
    {"GET / HTTP/1.1", {"Host", "u@a"}, 400},
    {"GET / HTTP/1.1", {"Host", "a/b"}, 400},
    {"GET / HTTP/1.1", {"Host", "a:"}, 400},
    {"GET / HTTP/1.1", {"Host", ":80"}, 400},
    {"GET / HTTP/1.1", {"Host", "a:8x"}, 400},
    {"GET / HTTP/1.1", {"Host", "a:123456"}, 400},
    {"GET / HTTP/1.1", {"Host", "[::1"}, 400},
    {"GET / HTTP/1.1", {"Host", "[]"}, 400},
    {"GET / HTTP/1.1", {"Host", "[::1]x"}, 400},
    {"GET / HTTP/1.1", {"Host", "[::1]:"}, 400},
    {"GET http://a:1/ HTTP/1.1", {"Host", "A:1"}, 0},
    {"GET http://a:1/ HTTP/1.1", {"Host", "a"}, 400},
    {"GET http://a/ HTTP/1.1", {"Host", "b"}, 400},
    {"GET http:/// HTTP/1.1", {"Host", ""}, 400},
    {"GET http://a/ HTTP/1.0", {NULL}, 400},
    {"POST / HTTP/1.1", {"Host", "a", "Content-Length", "9223372036854775807"}, 0},
    {"POST / HTTP/1.1", {"Host", "a", "Content-Length", "9223372036854775808"}, 400},
    {"POST / HTTP/1.1", {"Host", "a", "Content-Length", "+1"}, 400},
    {"POST / HTTP/1.1", {"Host", "a", "Content-Length", "1,1"}, 400},
    {"POST / HTTP/1.1", {"Host", "a", "Content-Length", ""}, 400},
    {"POST / HTTP/1.1", {"Host", "a", "Content-Length", "1", "Content-Length", "1"}, 400},
    {"POST / HTTP/1.1", {"Host", "a", "Transfer-Encoding", "Chunked"}, 0},
    {"POST / HTTP/1.0", {"Host", "a", "Transfer-Encoding", "chunked"}, 400},
    {"POST / HTTP/1.1", {"Host", "a", "Transfer-Encoding", "identity"}, 400},
    {"POST / HTTP/1.1", {"Host", "a", "Transfer-Encoding", "gzip, chunked"}, 400},
    {"POST / HTTP/1.1", {"Host", "a", "Transfer-Encoding", ",chunked"}, 400},
    {"POST / HTTP/1.1", {"Host", "a", "Transfer-Encoding", ""}, 400},
    {"POST / HTTP/1.1", {"Host", "a", "Transfer-Encoding", "chunked", "Content-Length", "1"}, 400},
    {"POST / HTTP/1.1", {"Host", "a", "Transfer_Encoding", "chunked"}, 400},
    {"POST / HTTP/1.1", {"Host", "a", "content_length", "1"}, 400},
    {"POST / HTTP/1.1", {"Host", "a", "Expect", "100-Continue"}, 0},
    {"POST / HTTP/1.1", {"Host", "a", "Expect", "200-ok"}, 417},
    {"POST / HTTP/1.1", {"Host", "a", "Expect", ""}, 417},
    {"POST / HTTP/1.0", {"Host", "a", "Expect", "200-ok"}, 0},
    {"GET / HTTP/1.1", {"Host", "a", "Authorization", "x", "authorization", "x"}, 400},
    {"GET / HTTP/1.1", {"Host", "a", "Content-Type", "x", "content-type", "x"}, 400},
    {"GET / HTTP/1.1", {"Host", "a", "Accept", "x", "Accept", "y"}, 0},
};

static void fields(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof fields_cases / sizeof fields_cases[0]; i++) {
        const struct fields_case *row = &fields_cases[i];
        struct header headers[3];
        struct exchange x = {.headers = headers};
        struct http_head head;
        assert_int_equal(http_head_line(span_cstr(row->line), &x, &head), 0);
        for (; x.header_count < 3 && row->name_and_value[x.header_count * 2] != NULL;
             x.header_count++) {
            headers[x.header_count].name = span_cstr(row->name_and_value[x.header_count * 2]);
            headers[x.header_count].value = span_cstr(row->name_and_value[x.header_count * 2 + 1]);
        }
        print_message("%s, case %zu\n", row->line, i);
        assert_int_equal(http_head_fields(&x, &head), row->refused);
    }
}

static void continue_is_expected_only_with_a_body_and_http_1_1(void **state)
{
    (void)state;
    struct header headers[] = {{SPAN("Host"), SPAN("a")},
                               {SPAN("Expect"), SPAN("100-continue")},
                               {SPAN("Content-Length"), SPAN("1")}};
    struct exchange x = {.headers = headers, .header_count = 3};
    struct http_head head;
    assert_int_equal(http_head_line(SPAN("POST / HTTP/1.1"), &x, &head), 0);
    assert_int_equal(http_head_fields(&x, &head), 0);
    assert_true(head.expects_continue);
    assert_true(head.has_length && head.length == 1);
    x.header_count = 2;
    assert_int_equal(http_head_line(SPAN("POST / HTTP/1.1"), &x, &head), 0);
    assert_int_equal(http_head_fields(&x, &head), 0);
    assert_false(head.expects_continue);
    x.header_count = 3;
    assert_int_equal(http_head_line(SPAN("POST / HTTP/1.0"), &x, &head), 0);
    assert_int_equal(http_head_fields(&x, &head), 0);
    assert_false(head.expects_continue);
    assert_true(head.is_http_1_0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_lines),
        cmocka_unit_test(fields),
        cmocka_unit_test(continue_is_expected_only_with_a_body_and_http_1_1),
    };
    return RUN_TESTS(tests);
}
