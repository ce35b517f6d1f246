/* SPDX-License-Identifier: Apache-2.0 */
#include "web/reply.h"

#include "../exchange_fixture.h"

static void each_status_has_its_http_status(void **state)
{
    (void)state;
    static const int expected[STATUS_COUNT] = {
        [OK] = 200,           [INVALID] = 400,   [UNAUTHENTICATED] = 401, [FORBIDDEN] = 403,
        [NOT_FOUND] = 404,    [CONFLICT] = 409,  [TOO_LARGE] = 413,       [UNSUPPORTED] = 415,
        [RATE_LIMITED] = 429, [NO_MEMORY] = 503, [UNAVAILABLE] = 503,     [CORRUPT] = 500,
    };
    for (unsigned status = 0; status < STATUS_COUNT; status++) {
        struct exchange_fixture f;
        fixture_open(&f, HTTP_GET, "/");
        reply_error(&f.x, (enum status)status);
        assert_int_equal(f.x.reply.status, expected[status]);
        assert_true(fixture_reply_has(&f, "{\"messages\":[\""));
        assert_true(fixture_reply_has(&f, "\"request_id\":\"0123456789abcdef\""));
        bool wants_retry = expected[status] == 503 || expected[status] == 429;
        assert_int_equal(fixture_reply_header(&f, "Retry-After").len > 0, wants_retry);
        fixture_close(&f);
    }
}

/* RFC 6750 §3.1: no error code when the request carried no authentication. */
static void the_challenge_tells_nothing_to_who_sent_nothing(void **state)
{
    (void)state;
    struct exchange_fixture f;
    fixture_open(&f, HTTP_GET, "/");
    reply_error(&f.x, UNAUTHENTICATED);
    assert_span_equal(fixture_reply_header(&f, "WWW-Authenticate"), "Bearer realm=\"postern\"");
    fixture_close(&f);
    fixture_open(&f, HTTP_GET, "/");
    fixture_header(&f, "Authorization", "Bearer x");
    (void)fail(&f.x.err, UNAUTHENTICATED, "The access token has expired");
    reply_error(&f.x, UNAUTHENTICATED);
    assert_span_equal(fixture_reply_header(&f, "WWW-Authenticate"),
                      "Bearer realm=\"postern\", error=\"invalid_token\", "
                      "error_description=\"The access token has expired\"");
    fixture_close(&f);
}

/* What went wrong inside is for the log, not for the caller. */
static void inner_failures_keep_their_detail(void **state)
{
    (void)state;
    struct exchange_fixture f;
    fixture_open(&f, HTTP_GET, "/");
    (void)fail(&f.x.err, UNAVAILABLE, "disk I/O error in postern.db");
    reply_error(&f.x, UNAVAILABLE);
    assert_false(fixture_reply_has(&f, "postern.db"));
    fixture_close(&f);
}

static void a_second_problem_of_a_field_is_not_a_second_member(void **state)
{
    (void)state;
    struct exchange_fixture f;
    fixture_open(&f, HTTP_POST, "/");
    struct problems problems = {.arena = &f.x.arena};
    problems_add(&problems, SPAN("a"), "one");
    problems_add(&problems, SPAN("b"), "two");
    problems_add(&problems, SPAN("a"), "three");
    reply_bad_request(&f.x, &problems);
    assert_true(fixture_reply_has(&f, "\"field_errors\":{\"a\":\"one\",\"b\":\"two\"}"));
    fixture_close(&f);
}

static void a_not_found_names_what_was_sought_escaped(void **state)
{
    (void)state;
    struct exchange_fixture f;
    fixture_open(&f, HTTP_GET, "/");
    reply_not_found(&f.x, SPAN("a\"\x1b[31m"));
    assert_true(fixture_reply_has(&f, "\"id\":\"a\\\"\\u001b[31m\""));
    fixture_close(&f);
}

/* Retry-After is the wait and up to as many seconds again, by chance. */
static void those_who_wait_do_not_come_back_together(void **state)
{
    (void)state;
    unsigned seen[21] = {0};
    unsigned distinct = 0;
    for (int i = 0; i < 400; i++) {
        struct exchange_fixture f;
        int64_t seconds = 0;
        fixture_open(&f, HTTP_GET, "/");
        char id[REQUEST_ID_LEN + 1]; /* which is random in a server */
        (void)snprintf(id, sizeof id, "%04d000000000000", i);
        memcpy(f.x.request_id, id, REQUEST_ID_LEN);
        reply_wait(&f.x, UNAVAILABLE, 10);
        assert_true(span_to_int64(fixture_reply_header(&f, "Retry-After"), &seconds));
        assert_in_range(seconds, 10, 20);
        distinct += seen[seconds]++ == 0;
        fixture_close(&f);
    }
    assert_true(distinct > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_status_has_its_http_status),
        cmocka_unit_test(the_challenge_tells_nothing_to_who_sent_nothing),
        cmocka_unit_test(inner_failures_keep_their_detail),
        cmocka_unit_test(a_second_problem_of_a_field_is_not_a_second_member),
        cmocka_unit_test(a_not_found_names_what_was_sought_escaped),
        cmocka_unit_test(those_who_wait_do_not_come_back_together),
    };
    return RUN_TESTS(tests);
}
