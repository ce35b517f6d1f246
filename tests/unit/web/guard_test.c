/* SPDX-License-Identifier: Apache-2.0 */
#include "web/guard.h"

#include "limit/limits.h"
#include "web/reply.h"

#include "../exchange_fixture.h"

#include <stdlib.h>

#define CLIENT SPAN("client-a")

static void open_at(struct exchange_fixture *f, const char *path, struct limits *limits)
{
    fixture_open(f, HTTP_POST, path);
    f->app.limits = limits;
    f->x.peer.address = SPAN("192.0.2.1");
    f->x.began_ns = 1000000000;
}

static long retry_after(const struct exchange_fixture *f)
{
    char text[16] = "";
    struct span value = fixture_reply_header(f, "Retry-After");
    assert_true(value.len > 0 && value.len < sizeof text);
    memcpy(text, value.ptr, value.len);
    return strtol(text, NULL, 10);
}

static void who_is_over_a_budget_is_told_in_the_paths_shape(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        const char *text;
    } cases[] = {
        {"/oauth2/token", "{\"error\":\"temporarily_unavailable\",\"error_description\":"},
        {"/v2/corpora", "{\"messages\":[\"Too many attempts; try again later.\"]"},
    };
    const struct limit_options options = {.client_failures_per_minute = 2};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct exchange_fixture f;
        struct limits *limits = limits_new(&options);
        open_at(&f, cases[i].path, limits);
        assert_true(guard_tells_failure(&f.x, CLIENT));
        assert_true(guard_admits_check(&f.x, CLIENT));
        assert_true(guard_tells_failure(&f.x, CLIENT));
        assert_int_equal(f.x.reply.status, 0);
        assert_false(guard_admits_check(&f.x, CLIENT));
        assert_int_equal(f.x.reply.status, 429);
        assert_true(fixture_reply_has(&f, cases[i].text));
        assert_in_range(retry_after(&f), 30, 60);
        assert_span_equal(fixture_reply_header(&f, "Cache-Control"), "no-store");
        assert_span_equal(fixture_reply_header(&f, "WWW-Authenticate"), "");
        fixture_close(&f);
        limits_free(limits);
    }
}

static void the_rate_of_all_is_503(void **state)
{
    (void)state;
    const struct limit_options options = {.requests_per_second = 1};
    struct exchange_fixture f;
    struct limits *limits = limits_new(&options);
    open_at(&f, "/v2/corpora", limits);
    assert_true(guard_admits_request(&f.x));
    assert_false(guard_admits_request(&f.x));
    assert_int_equal(f.x.reply.status, 503);
    assert_in_range(retry_after(&f), 1, 2);
    fixture_close(&f);
    limits_free(limits);
}

static void a_clients_tokens_are_counted_when_they_are_made(void **state)
{
    (void)state;
    const struct limit_options options = {.client_tokens_per_second = 1};
    struct exchange_fixture f;
    struct limits *limits = limits_new(&options);
    open_at(&f, "/oauth2/token", limits);
    assert_true(guard_admits_token(&f.x, CLIENT));
    assert_true(guard_admits_token(&f.x, CLIENT));
    guard_token_made(&f.x, CLIENT);
    assert_false(guard_admits_token(&f.x, CLIENT));
    assert_int_equal(f.x.reply.status, 429);
    fixture_close(&f);
    limits_free(limits);
}

static void the_control_socket_is_never_limited(void **state)
{
    (void)state;
    const struct limit_options options = {.address_failures_per_minute = 1,
                                          .requests_per_second = 1,
                                          .address_requests_per_second = 1};
    struct exchange_fixture f;
    struct limits *limits = limits_new(&options);
    open_at(&f, "/v2/corpora", limits);
    f.x.peer = (struct peer){.is_control = true};
    for (int i = 0; i < 3; i++) {
        assert_true(guard_admits_request(&f.x));
        assert_true(guard_admits_check(&f.x, CLIENT));
        assert_true(guard_tells_failure(&f.x, CLIENT));
    }
    assert_int_equal(f.x.reply.status, 0);
    fixture_close(&f);
    limits_free(limits);
}

/* Those who were refused in one moment come back in several. */
static void retry_after_differs_between_requests(void **state)
{
    (void)state;
    bool has_come[61] = {0};
    size_t different = 0;
    for (int i = 0; i < 62; i++) {
        struct exchange_fixture f;
        open_at(&f, "/v2/corpora", NULL);
        f.x.request_id[3] = (char)('0' + i);
        reply_wait(&f.x, RATE_LIMITED, 30);
        long seconds = retry_after(&f);
        assert_in_range(seconds, 30, 60);
        different += !has_come[seconds];
        has_come[seconds] = true;
        fixture_close(&f);
    }
    assert_true(different > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_over_a_budget_is_told_in_the_paths_shape),
        cmocka_unit_test(the_rate_of_all_is_503),
        cmocka_unit_test(a_clients_tokens_are_counted_when_they_are_made),
        cmocka_unit_test(the_control_socket_is_never_limited),
        cmocka_unit_test(retry_after_differs_between_requests),
    };
    return RUN_TESTS(tests);
}
