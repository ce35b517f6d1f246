/* SPDX-License-Identifier: Apache-2.0 */
#include "limit/limits.h"

#include "../unit.h"

#define SECOND 1000000000LL
#define START  (1000 * SECOND)
#define HERE   SPAN("192.0.2.1")
#define THERE  SPAN("192.0.2.2")
#define CLIENT SPAN("client-a")
#define OTHER  SPAN("client-b")

static struct limits *make(struct limit_options options)
{
    struct limits *limits = limits_new(&options);
    assert_non_null(limits);
    return limits;
}

static void fail_times(struct limits *limits, int times, struct span address, struct span client)
{
    unsigned wait;
    for (int i = 0; i < times; i++)
        assert_int_not_equal(limits_failed(limits, address, client, START, &wait), UNAVAILABLE);
}

static enum status before(struct limits *limits, struct span address, struct span client)
{
    unsigned wait;
    return limits_before_check(limits, address, client, START, &wait);
}

static void a_guesser_is_refused_and_the_client_elsewhere_is_not(void **state)
{
    (void)state;
    unsigned wait = 0;
    struct limits *limits = make((struct limit_options){.client_failures_per_minute = 3});
    for (int i = 0; i < 3; i++) {
        assert_int_equal(limits_before_check(limits, HERE, CLIENT, START, &wait), OK);
        assert_int_equal(limits_failed(limits, HERE, CLIENT, START, &wait), OK);
    }
    assert_int_equal(limits_before_check(limits, HERE, CLIENT, START, &wait), RATE_LIMITED);
    assert_int_equal(wait, 20);
    assert_int_equal(before(limits, THERE, CLIENT), OK);
    assert_int_equal(before(limits, HERE, OTHER), OK);
    assert_int_equal(limits_before_check(limits, HERE, CLIENT, START + 20 * SECOND, &wait), OK);
    limits_free(limits);
}

static void many_clients_from_one_address_are_one_guesser(void **state)
{
    (void)state;
    struct limits *limits = make(
        (struct limit_options){.address_failures_per_minute = 10, .client_failures_per_minute = 3});
    for (int i = 0; i < 10; i++) {
        char name[] = {'c', (char)('0' + i)};
        assert_int_equal(before(limits, HERE, span_of(name, sizeof name)), OK);
        fail_times(limits, 1, HERE, span_of(name, sizeof name));
    }
    assert_int_equal(before(limits, HERE, OTHER), RATE_LIMITED);
    assert_int_equal(before(limits, THERE, OTHER), OK);
    limits_free(limits);
}

/* Many addresses, one client: nothing adds up to a lock of the client (T29). */
static void guesses_from_everywhere_lock_nobody_out(void **state)
{
    (void)state;
    struct limits *limits = make(
        (struct limit_options){.address_failures_per_minute = 10, .client_failures_per_minute = 3});
    for (int i = 0; i < 100000; i++) {
        char address[32];
        (void)snprintf(address, sizeof address, "10.%d.%d.%d", i >> 16, i >> 8 & 255, i & 255);
        fail_times(limits, 1, span_cstr(address), CLIENT);
    }
    assert_int_equal(before(limits, HERE, CLIENT), OK);
    limits_free(limits);
}

/* A NAT, or a proxy that is not listed as trusted: the neighbour's guesses are not ours. */
static void where_the_right_secret_came_from_it_goes_on_being_checked(void **state)
{
    (void)state;
    unsigned wait = 0;
    struct limits *limits = make(
        (struct limit_options){.address_failures_per_minute = 10, .client_failures_per_minute = 3});
    limits_succeeded(limits, HERE, CLIENT, START);
    fail_times(limits, 50, HERE, CLIENT);
    assert_int_equal(before(limits, HERE, CLIENT), OK);
    assert_int_equal(limits_failed(limits, HERE, CLIENT, START, &wait), RATE_LIMITED);
    assert_true(wait > 0);
    assert_int_equal(before(limits, HERE, OTHER), RATE_LIMITED);
    fail_times(limits, 3, THERE, CLIENT);
    assert_int_equal(before(limits, THERE, CLIENT), RATE_LIMITED);
    /* A day later the budget is full again; spent anew, nothing is remembered. */
    for (int i = 0; i < 3; i++)
        assert_int_equal(limits_failed(limits, HERE, CLIENT, START + 25 * 3600 * SECOND, &wait),
                         OK);
    assert_int_equal(limits_before_check(limits, HERE, CLIENT, START + 25 * 3600 * SECOND, &wait),
                     RATE_LIMITED);
    limits_free(limits);
}

static void one_source_has_one_budget_however_it_is_written(void **state)
{
    (void)state;
    static const struct {
        const char *failed;
        const char *asks;
        bool is_same;
    } cases[] = {
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.3", false},
        {"192.0.2.1", "::ffff:192.0.2.1", true},
        {"2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true},
        {"2001:db8:1:2::1", "2001:0DB8:1:2::9", true},
        {"2001:db8:1:2::1", "2001:db8:1:3::1", false},
        {"::1", "0.0.0.1", false},
        {"", "unknown", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct limits *limits = make((struct limit_options){.client_failures_per_minute = 3});
        fail_times(limits, 3, span_cstr(cases[i].failed), CLIENT);
        assert_int_equal(before(limits, span_cstr(cases[i].asks), CLIENT),
                         cases[i].is_same ? RATE_LIMITED : OK);
        limits_free(limits);
    }
}

static void rates_are_off_unless_configured(void **state)
{
    (void)state;
    unsigned wait;
    struct limits *limits = make((struct limit_options){0});
    fail_times(limits, 1000, HERE, CLIENT);
    assert_int_equal(before(limits, HERE, CLIENT), OK);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(limits_request(limits, HERE, START, &wait), OK);
        limits_token_made(limits, CLIENT, START);
    }
    assert_int_equal(limits_before_token(limits, CLIENT, START, &wait), OK);
    limits_free(limits);
}

static void rates_that_are_configured_hold(void **state)
{
    (void)state;
    unsigned wait = 0;
    struct limit_counts counts;
    struct limits *limits = make((struct limit_options){
        .address_requests_per_second = 2, .requests_per_second = 3, .client_tokens_per_second = 1});
    assert_int_equal(limits_request(limits, HERE, START, &wait), OK);
    assert_int_equal(limits_request(limits, HERE, START, &wait), OK);
    assert_int_equal(limits_request(limits, HERE, START, &wait), RATE_LIMITED);
    assert_int_equal(wait, 1);
    assert_int_equal(limits_request(limits, THERE, START, &wait), OK);
    assert_int_equal(limits_request(limits, THERE, START, &wait), UNAVAILABLE);
    assert_int_equal(wait, 1);
    assert_int_equal(limits_request(limits, HERE, START + SECOND, &wait), OK);
    assert_int_equal(limits_before_token(limits, CLIENT, START, &wait), OK);
    limits_token_made(limits, CLIENT, START);
    assert_int_equal(limits_before_token(limits, CLIENT, START, &wait), RATE_LIMITED);
    assert_int_equal(limits_before_token(limits, OTHER, START, &wait), OK);
    limits_counts(limits, &counts);
    assert_int_equal(counts.requests_refused, 1);
    assert_int_equal(counts.overall_refused, 1);
    assert_int_equal(counts.tokens_refused, 1);
    assert_int_equal(counts.failures, 0);
    limits_free(limits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_guesser_is_refused_and_the_client_elsewhere_is_not),
        cmocka_unit_test(many_clients_from_one_address_are_one_guesser),
        cmocka_unit_test(guesses_from_everywhere_lock_nobody_out),
        cmocka_unit_test(where_the_right_secret_came_from_it_goes_on_being_checked),
        cmocka_unit_test(one_source_has_one_budget_however_it_is_written),
        cmocka_unit_test(rates_are_off_unless_configured),
        cmocka_unit_test(rates_that_are_configured_hold),
    };
    return RUN_TESTS(tests);
}
