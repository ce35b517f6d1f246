/* SPDX-License-Identifier: Apache-2.0 */
#include "http/http_parse.h"

#include "http/http.h"

#include <stdio.h>
#include <stdlib.h>

#include "../unit.h"

enum { BODY_LIMIT = 64 };

static const struct http_limits limits = {
    .target_bytes_max = 40,
    .header_bytes_max = 200,
    .header_count_max = 5,
    .arena_bytes_max = 16384,
};

struct run {
    struct exchange x;
    struct http_parse *parse;
    enum http_parse_step step;
    bool had_head;
    size_t left; /* bytes after the request */
};

static void run_start(struct run *run)
{
    *run = (struct run){.parse = http_parse_new(&limits), .step = PARSE_MORE};
    assert_non_null(run->parse);
    arena_init(&run->x.arena, limits.arena_bytes_max);
    http_parse_begin(run->parse, &run->x);
}

static void run_end(struct run *run)
{
    http_parse_free(run->parse);
    arena_done(&run->x.arena);
}

/* Feeds a piece from memory of just its size, which is gone afterwards. */
static void run_feed(struct run *run, struct span piece)
{
    char *copy = malloc(piece.len + 1);
    assert_non_null(copy);
    if (piece.len > 0)
        memcpy(copy, piece.ptr, piece.len);
    struct span rest = span_of(copy, piece.len);
    while (run->step == PARSE_MORE && rest.len > 0) {
        run->step = http_parse_feed(run->parse, &rest);
        if (run->step != PARSE_HEAD)
            continue;
        run->had_head = true;
        run->step = http_parse_body_limit(run->parse, BODY_LIMIT)
                        ? http_parse_feed(run->parse, &rest)
                        : PARSE_REFUSED;
    }
    run->left += rest.len;
    memset(copy, 'Z', piece.len);
    free(copy);
}

static void check_same(const struct run *run, const struct run *whole)
{
    assert_int_equal(run->step, whole->step);
    assert_int_equal(run->had_head, whole->had_head);
    if (whole->step == PARSE_REFUSED) {
        assert_int_equal(http_parse_refusal(run->parse), http_parse_refusal(whole->parse));
        return;
    }
    assert_int_equal(run->left, whole->left);
    assert_true(span_equal(run->x.target, whole->x.target));
    assert_true(span_equal(run->x.body, whole->x.body));
    assert_int_equal(run->x.header_count, whole->x.header_count);
    for (size_t i = 0; i < run->x.header_count; i++) {
        assert_true(span_equal(run->x.headers[i].name, whole->x.headers[i].name));
        assert_true(span_equal(run->x.headers[i].value, whole->x.headers[i].value));
    }
}

/* The outcome does not depend on how the bytes are cut. */
static void run_cut(struct span raw, const struct run *whole)
{
    struct run run;
    for (size_t cut = 0; cut <= raw.len; cut++) {
        run_start(&run);
        run_feed(&run, span_first(raw, cut));
        run_feed(&run, span_from(raw, cut));
        check_same(&run, whole);
        run_end(&run);
    }
    run_start(&run);
    for (size_t i = 0; i < raw.len; i++)
        run_feed(&run, span_of(raw.ptr + i, 1));
    check_same(&run, whole);
    run_end(&run);
}

#define POST    "POST /a?b HTTP/1.1\r\nHost: h\r\n"
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"

struct good_case {
    const char *raw;
    const char *body;
    const char *rest;
};

static const struct good_case good_cases[] = {
    {POST "\r\n", "", ""},
    {"\r\n" POST "\r\n", "", ""},
    {POST "Content-Length: 3\r\n\r\nabc", "abc", ""},
    {POST "Content-Length: 3\r\n\r\nabcGET ", "abc", "GET "},
    {POST "Content-Length: 0\r\n\r\nGET ", "", "GET "},
    {CHUNKED "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\nrest", "abcde", "rest"},
    {CHUNKED "0\r\nTrailer: dropped\r\n\r\n", "", ""},
    {POST "Connection: upgrade\r\nUpgrade: h2c\r\n\r\nnext", "", "next"},
    {POST "Connection: upgrade\r\nUpgrade: x\r\nContent-Length: 2\r\n\r\nabnext", "ab", "next"},
    {POST "Empty:\r\nBlanks: \t \r\nValue: \ta b\t \r\n\r\n", "", ""},
};

static void sound_requests_in_any_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good_cases); i++) {
        struct span raw = span_cstr(good_cases[i].raw);
        struct run whole;
        print_message("good %zu\n", i);
        run_start(&whole);
        run_feed(&whole, raw);
        assert_int_equal(whole.step, PARSE_DONE);
        assert_span_equal(whole.x.method_name, "POST");
        assert_span_equal(whole.x.path, "/a");
        assert_span_equal(whole.x.query, "b");
        assert_span_equal(whole.x.body, good_cases[i].body);
        assert_int_equal(whole.x.has_body, good_cases[i].body[0] != '\0');
        assert_int_equal(whole.left, strlen(good_cases[i].rest));
        run_cut(raw, &whole);
        run_end(&whole);
    }
}

static void sound_request_cut_short_is_never_done(void **state)
{
    (void)state;
    struct span raw = SPAN(CHUNKED "3\r\nabc\r\n0\r\nT: x\r\n\r\n");
    for (size_t cut = 0; cut < raw.len; cut++) {
        struct run run;
        run_start(&run);
        run_feed(&run, span_first(raw, cut));
        assert_int_equal(run.step, PARSE_MORE);
        run_end(&run);
    }
}

static void values_lose_blanks_at_their_ends(void **state)
{
    (void)state;
    struct run run;
    run_start(&run);
    run_feed(&run, SPAN(POST "Empty:\r\nBlanks: \t \r\nValue: \ta b\t \r\n\r\n"));
    assert_int_equal(run.step, PARSE_DONE);
    assert_int_equal(run.x.header_count, 4);
    assert_span_equal(run.x.headers[1].value, "");
    assert_span_equal(run.x.headers[2].value, "");
    assert_span_equal(run.x.headers[3].name, "Value");
    assert_span_equal(run.x.headers[3].value, "a b");
    run_end(&run);
}

#define TEN "0123456789"

struct bad_case {
    const char *raw;
    int refused;
};

static const struct bad_case bad_cases[] = {
    {"\r\n\r\n\r\n" POST "\r\n", 400},
    {"\n" POST "\r\n", 400},
    {"\r" POST "\r\n", 400},
    {"GET / HTTP/1.1\nHost: h\r\n\r\n", 400},
    {"FOO / HTTP/1.1\r\n", 501},
    {"post / HTTP/1.1\r\n", 501},
    {"DESCRIBE / HTTP/1.1\r\n", 501},
    {"A23456789012345678901234567890123 / HTTP/1.1\r\n", 400},
    {"GET /" TEN TEN TEN "123456789 HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n", 400},
    {"GET /" TEN TEN TEN TEN " HTTP/1.1\r\nHost: h\r\n\r\n", 414},
    {"GET /" TEN TEN TEN TEN TEN TEN, 414},
    {POST "A: " TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
          "\r\n\r\n",
     431},
    {POST TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN, 431},
    {POST "A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\nE: 5\r\n\r\n", 431},
    {POST "Content-Length: 65\r\n\r\n", 413},
    {POST "Content-Length: 9223372036854775807\r\n\r\n", 413},
    {POST "Content-Length: 18446744073709551616\r\n\r\n", 400},
    {CHUNKED "41\r\n" TEN TEN TEN TEN TEN TEN "01234\r\n0\r\n\r\n", 413},
    {CHUNKED "ffffffffffffffff\r\n", 413},
    {CHUNKED "10000000000000000\r\n", 400},
    {CHUNKED "-1\r\n", 400},
    {CHUNKED "0x4\r\nabcd\r\n0\r\n\r\n", 400},
    {CHUNKED "3\r\nabcd\r\n0\r\n\r\n", 400},
    {CHUNKED "3;a=b\nabc\r\n0\r\n\r\n", 400},
    {CHUNKED "3;a=\"\rb\"\r\nabc\r\n0\r\n\r\n", 400},
    {CHUNKED "0\r\nT : x\r\n\r\n", 400},
    {POST " A: 1\r\n\r\n", 400},
    {POST "A: 1\r\n b\r\n\r\n", 400},
    {POST "A : 1\r\n\r\n", 400},
    {POST ": 1\r\n\r\n", 400},
    {POST "A\r\n\r\n", 400},
    {POST "A: 1\n\r\n", 400},
    {POST "A: 1\rB: 2\r\n\r\n", 400},
    {POST "A: \x01\r\n\r\n", 400},
    {POST "\n", 400},
};

static void bad_requests_in_any_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad_cases); i++) {
        struct span raw = span_cstr(bad_cases[i].raw);
        struct run whole;
        print_message("bad %zu\n", i);
        run_start(&whole);
        run_feed(&whole, raw);
        assert_int_equal(whole.step, PARSE_REFUSED);
        assert_int_equal(http_parse_refusal(whole.parse), bad_cases[i].refused);
        run_cut(raw, &whole);
        run_end(&whole);
    }
}

static void refusal_stays(void **state)
{
    (void)state;
    struct run run;
    run_start(&run);
    run_feed(&run, SPAN("FOO / HTTP/1.1\r\n"));
    struct span more = SPAN(POST "\r\n");
    assert_int_equal(http_parse_feed(run.parse, &more), PARSE_REFUSED);
    run_end(&run);
}

static void chunk_framing_has_a_budget(void **state)
{
    (void)state;
    char extension[1024];
    memset(extension, 'x', sizeof extension);
    struct run run;
    run_start(&run);
    run_feed(&run, SPAN(CHUNKED "1;"));
    for (size_t i = 0; i < 20 && run.step == PARSE_MORE; i++)
        run_feed(&run, span_of(extension, sizeof extension));
    assert_int_equal(run.step, PARSE_REFUSED);
    assert_int_equal(http_parse_refusal(run.parse), 400);
    run_end(&run);

    run_start(&run);
    run_feed(&run, SPAN(CHUNKED "0\r\nT: "));
    for (size_t i = 0; i < 20 && run.step == PARSE_MORE; i++)
        run_feed(&run, span_of(extension, sizeof extension));
    assert_int_equal(run.step, PARSE_REFUSED);
    run_end(&run);

    run_start(&run); /* small chunks are wasteful, but fair */
    run_feed(&run, SPAN(CHUNKED));
    for (size_t i = 0; i < BODY_LIMIT; i++)
        run_feed(&run, SPAN("1\r\nx\r\n"));
    run_feed(&run, SPAN("0\r\n\r\n"));
    assert_int_equal(run.step, PARSE_DONE);
    assert_int_equal(run.x.body.len, BODY_LIMIT);
    run_end(&run);
}

static void arena_that_is_too_small_is_503(void **state)
{
    (void)state;
    struct run run;
    run_start(&run);
    run.x.arena.limit_bytes = 64;
    run_feed(&run, SPAN(POST "\r\n"));
    assert_int_equal(run.step, PARSE_REFUSED);
    assert_int_equal(http_parse_refusal(run.parse), 503);
    run_end(&run);
}

static bool keeps_alive(const char *version_and_headers)
{
    char raw[256];
    (void)snprintf(raw, sizeof raw, "GET / %s\r\n\r\n", version_and_headers);
    struct run run;
    run_start(&run);
    run_feed(&run, span_cstr(raw));
    assert_int_equal(run.step, PARSE_DONE);
    bool answer = http_parse_keeps_alive(run.parse);
    run_end(&run);
    return answer;
}

static void keep_alive_follows_version_and_connection(void **state)
{
    (void)state;
    assert_true(keeps_alive("HTTP/1.1\r\nHost: h"));
    assert_false(keeps_alive("HTTP/1.1\r\nHost: h\r\nConnection: close"));
    assert_false(keeps_alive("HTTP/1.1\r\nHost: h\r\nConnection: x, Close"));
    assert_false(keeps_alive("HTTP/1.0\r\nHost: h"));
    assert_true(keeps_alive("HTTP/1.0\r\nHost: h\r\nConnection: Keep-Alive"));
}

static void parser_is_used_again(void **state)
{
    (void)state;
    struct run run;
    run_start(&run);
    for (int i = 0; i < 3; i++) {
        run_feed(&run, SPAN(POST "Content-Length: 3\r\n\r\nabc"));
        assert_int_equal(run.step, PARSE_DONE);
        assert_span_equal(run.x.body, "abc");
        arena_reset(&run.x.arena);
        http_parse_begin(run.parse, &run.x);
        run.step = PARSE_MORE;
    }
    run_end(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_requests_in_any_cut),
        cmocka_unit_test(sound_request_cut_short_is_never_done),
        cmocka_unit_test(values_lose_blanks_at_their_ends),
        cmocka_unit_test(bad_requests_in_any_cut),
        cmocka_unit_test(refusal_stays),
        cmocka_unit_test(chunk_framing_has_a_budget),
        cmocka_unit_test(arena_that_is_too_small_is_503),
        cmocka_unit_test(keep_alive_follows_version_and_connection),
        cmocka_unit_test(parser_is_used_again),
    };
    return RUN_TESTS(tests);
}
