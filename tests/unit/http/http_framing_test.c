/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that two servers may read differently: each is refused and the connection closed, over
 * a real socket, with a request behind it that must not be answered. The families are those of the
 * request smuggling literature and of RFC 9112 §11. */
#include "server_fixture.h"

#define H       "Host: h\r\n"
#define POST    "POST / HTTP/1.1\r\n" H
#define CHUNKED "Transfer-Encoding: chunked\r\n"

struct framing_case {
    const char *name;
    int status;
    struct span raw;
};

#define ROW(name, status, raw)                                                                     \
    {                                                                                              \
        name, status, SPAN_INIT(raw)                                                               \
    }

static const struct framing_case cases[] = {
    ROW("Transfer-Encoding with Content-Length", 400,
        POST CHUNKED "Content-Length: 4\r\n\r\n0\r\n\r\n"),
    ROW("Content-Length with Transfer-Encoding", 400,
        POST "Content-Length: 4\r\n" CHUNKED "\r\n0\r\n\r\n"),
    ROW("two different Content-Length", 400,
        POST "Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcd"),
    ROW("two equal Content-Length", 400, POST "Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd"),
    ROW("Transfer-Encoding: xchunked", 400, POST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    ROW("Transfer-Encoding: chunked, identity", 400,
        POST "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
    ROW("Transfer-Encoding: gzip", 400, POST "Transfer-Encoding: gzip\r\n\r\nabc"),
    ROW("Transfer-Encoding: identity", 400, POST "Transfer-Encoding: identity\r\n\r\nabc"),
    ROW("Transfer-Encoding: gzip, chunked", 400,
        POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    ROW("Transfer-Encoding: ,chunked", 400, POST "Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n"),
    ROW("Transfer-Encoding: chunked;a=b", 400,
        POST "Transfer-Encoding: chunked;a=b\r\n\r\n0\r\n\r\n"),
    ROW("Transfer-Encoding twice", 400, POST CHUNKED CHUNKED "\r\n0\r\n\r\n"),
    ROW("Transfer-Encoding empty", 400, POST "Transfer-Encoding:\r\n\r\n0\r\n\r\n"),
    ROW("vertical tab before chunked", 400, POST "Transfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n"),
    ROW("form feed after chunked", 400, POST "Transfer-Encoding: chunked\f\r\n\r\n0\r\n\r\n"),
    ROW("NUL after chunked", 400, POST "Transfer-Encoding: chunked\0\r\n\r\n0\r\n\r\n"),
    ROW("Transfer_Encoding", 400, POST "Transfer_Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ROW("space before the colon", 400, POST "Content-Length : 4\r\n\r\nabcd"),
    ROW("space before Transfer-Encoding's colon", 400,
        POST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
    ROW("Content-Length: +4", 400, POST "Content-Length: +4\r\n\r\nabcd"),
    ROW("Content-Length: -1", 400, POST "Content-Length: -1\r\n\r\nabcd"),
    ROW("Content-Length: 4, 4", 400, POST "Content-Length: 4, 4\r\n\r\nabcd"),
    ROW("Content-Length: 4, 5", 400, POST "Content-Length: 4, 5\r\n\r\nabcd"),
    ROW("Content-Length: 0x4", 400, POST "Content-Length: 0x4\r\n\r\nabcd"),
    ROW("Content-Length: 4 4", 400, POST "Content-Length: 4 4\r\n\r\nabcd"),
    ROW("Content-Length empty", 400, POST "Content-Length: \r\n\r\nabcd"),
    ROW("Content-Length: 2^64", 400, POST "Content-Length: 18446744073709551616\r\n\r\nabcd"),
    ROW("Content-Length: 2^64 + 4", 400, POST "Content-Length: 18446744073709551620\r\n\r\nabcd"),
    ROW("Content-Length: 2^63", 400, POST "Content-Length: 9223372036854775808\r\n\r\nabcd"),
    ROW("Content-Length: 2^63 - 1", 413, POST "Content-Length: 9223372036854775807\r\n\r\nabcd"),
    ROW("folded header", 400, POST "X-A: a\r\n b\r\n\r\n"),
    ROW("folded Transfer-Encoding", 400, POST "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"),
    ROW("bare LF line ends", 400, "POST / HTTP/1.1\nHost: h\nContent-Length: 4\n\nabcd"),
    ROW("bare LF after a header", 400, POST "X-A: a\nX-B: b\r\n\r\n"),
    ROW("bare LF before the body", 400, POST "Content-Length: 4\r\n\nabcd"),
    ROW("CR only", 400, "POST / HTTP/1.1\rHost: h\r\rx\n"),
    ROW("bare CR in a header", 400, POST "X-A: a\rb\r\n\r\n"),
    ROW("bare CR before a header", 400, POST "X-A: a\r\rX-B: b\r\n\r\n"),
    ROW("NUL in a header", 400, POST "X-A: a\0b\r\n\r\n"),
    ROW("NUL in a name", 400, POST "X\0A: a\r\n\r\n"),
    ROW("NUL in the target", 400, "GET /a\0b HTTP/1.1\r\n" H "\r\n"),
    ROW("control byte in a header", 400, POST "X-A: a\x01\r\n\r\n"),
    ROW("no Host", 400, "POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nabcd"),
    ROW("two Host", 400, POST "Host: i\r\nContent-Length: 4\r\n\r\nabcd"),
    ROW("two equal Host", 400, POST H "\r\n"),
    ROW("Host with a list", 400, "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n"),
    ROW("Host empty", 400, "GET / HTTP/1.1\r\nHost:\r\n\r\n"),
    ROW("Host with user information", 400, "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n"),
    ROW("absolute form that disagrees with Host", 400, "GET http://i/ HTTP/1.1\r\n" H "\r\n"),
    ROW("chunk extension ended by bare LF", 400, POST CHUNKED "\r\n4;a=b\nabcd\r\n0\r\n\r\n"),
    ROW("chunk extension with bare CR", 400, POST CHUNKED "\r\n4;a=\rb\r\nabcd\r\n0\r\n\r\n"),
    ROW("chunk extension with NUL", 400, POST CHUNKED "\r\n4;a=\0b\r\nabcd\r\n0\r\n\r\n"),
    ROW("chunk size ended by bare LF", 400, POST CHUNKED "\r\n4\nabcd\r\n0\r\n\r\n"),
    ROW("chunk size 0x4", 400, POST CHUNKED "\r\n0x4\r\nabcd\r\n0\r\n\r\n"),
    ROW("chunk size with a space before it", 400, POST CHUNKED "\r\n 4\r\nabcd\r\n0\r\n\r\n"),
    ROW("chunk size with a space after it", 400, POST CHUNKED "\r\n4 \r\nabcd\r\n0\r\n\r\n"),
    ROW("chunk size with an underscore", 400, POST CHUNKED "\r\n1_0\r\nabcd\r\n0\r\n\r\n"),
    ROW("chunk size overflow", 400, POST CHUNKED "\r\n10000000000000004\r\nabcd\r\n0\r\n\r\n"),
    ROW("chunk size negative", 400, POST CHUNKED "\r\n-4\r\nabcd\r\n0\r\n\r\n"),
    ROW("chunk size empty", 400, POST CHUNKED "\r\n\r\nabcd\r\n0\r\n\r\n"),
    ROW("chunk longer than its size", 400, POST CHUNKED "\r\n3\r\nabcd\r\n0\r\n\r\n"),
    ROW("chunk ended by bare LF", 400, POST CHUNKED "\r\n4\r\nabcd\n0\r\n\r\n"),
    ROW("trailer with a space before the colon", 400, POST CHUNKED "\r\n0\r\nA : b\r\n\r\n"),
    ROW("chunked in HTTP/1.0", 400, "POST / HTTP/1.0\r\n" H CHUNKED "\r\n4\r\nabcd\r\n0\r\n\r\n"),
    ROW("HTTP/2.0 in the request line", 505, "POST / HTTP/2.0\r\n" H "\r\n"),
    ROW("HTTP/2 preface", 505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ROW("HTTP/1.2", 505, "GET / HTTP/1.2\r\n" H "\r\n"),
    ROW("HTTP/1.1 in lower case", 400, "GET / http/1.1\r\n" H "\r\n"),
    ROW("HTTP/0.9", 400, "GET /\r\n"),
    ROW("method G@T", 400, "G@T / HTTP/1.1\r\n" H "\r\n"),
    ROW("method in lower case", 501, "post / HTTP/1.1\r\n" H "\r\n"),
    ROW("method that nobody knows", 501, "FOO / HTTP/1.1\r\n" H "\r\n"),
    ROW("CONNECT", 501, "CONNECT h:443 HTTP/1.1\r\n" H "\r\n"),
    ROW("two spaces in the request line", 400, "GET  / HTTP/1.1\r\n" H "\r\n"),
    ROW("tab in the request line", 400, "GET\t/ HTTP/1.1\r\n" H "\r\n"),
    ROW("space in the target", 400, "GET /a b HTTP/1.1\r\n" H "\r\n"),
    ROW("fragment in the target", 400, "GET /a#b HTTP/1.1\r\n" H "\r\n"),
    ROW("raw UTF-8 in the target", 400, "GET /\xc3\xa4 HTTP/1.1\r\n" H "\r\n"),
    ROW("white space before the first header", 400, "GET / HTTP/1.1\r\n X-A: b\r\n" H "\r\n"),
    ROW("header without a colon", 400, POST "X-A\r\n\r\n"),
    ROW("header without a name", 400, POST ": a\r\n\r\n"),
    ROW("unknown expectation", 417, POST "Expect: 200-ok\r\nContent-Length: 4\r\n\r\nabcd"),
    ROW("two Authorization", 400, POST "Authorization: a\r\nAuthorization: b\r\n\r\n"),
    ROW("two Content-Type", 400, POST "Content-Type: a\r\nContent-Type: b\r\n\r\n"),
};

static const char behind[] = "GET /behind HTTP/1.1\r\nHost: h\r\n\r\n";

static void each_is_refused_and_the_connection_closed(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        print_message("%s\n", cases[i].name);
        int fd = client_open(fixture);
        client_send(fd, cases[i].raw);
        client_send(fd, span_of(behind, sizeof behind - 1));
        struct received received = receive_all(fd); /* the server ends it: our side stays open */
        assert_int_equal(status_of(&received), cases[i].status);
        assert_true(has_text(&received, "\r\nConnection: close\r\n"));
        assert_true(has_text(&received, "\r\nContent-Type: application/json\r\n"));
        assert_true(has_text(&received, "{\"messages\":[\""));
        assert_false(has_text(&received, "/behind"));
        size_t end = 0;
        assert_int_equal(replies_in(&received, &end), 1);
        assert_int_equal(end, received.len);
        free(received.data);
        (void)close(fd);
    }
}

/* The same with the segments cut at every byte of one smuggling request and one sound one. */
static void cuts_do_not_change_the_answer(void **state)
{
    struct fixture *fixture = *state;
    struct span bad = SPAN(POST CHUNKED "Content-Length: 4\r\n\r\n0\r\n\r\n");
    struct span good = SPAN(POST CHUNKED "Connection: close\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
    for (size_t cut = 1; cut < good.len; cut++) {
        int fd = client_open(fixture);
        client_send(fd, span_first(good, cut));
        client_send(fd, span_from(good, cut));
        struct received received = receive_all(fd);
        assert_int_equal(status_of(&received), 200);
        assert_true(has_text(&received, "POST|/||3|abc|"));
        free(received.data);
        (void)close(fd);
    }
    for (size_t cut = 1; cut < bad.len; cut++) {
        int fd = client_open(fixture);
        client_send(fd, span_first(bad, cut));
        client_send(fd, span_from(bad, cut));
        struct received received = receive_all(fd);
        assert_int_equal(status_of(&received), 400);
        free(received.data);
        (void)close(fd);
    }
}

static int start(void **state)
{
    struct http_limits limits = fixture_limits();
    struct fixture *fixture = fixture_start(&limits);
    fixture_go(fixture);
    *state = fixture;
    return 0;
}

static int stop(void **state)
{
    fixture_stop(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_is_refused_and_the_connection_closed, start, stop),
        cmocka_unit_test_setup_teardown(cuts_do_not_change_the_answer, start, stop),
    };
    return RUN_TESTS(tests);
}
