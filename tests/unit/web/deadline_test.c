/* SPDX-License-Identifier: Apache-2.0 */
#include "web/deadline.h"

#include "../exchange_fixture.h"

static const int64_t second_ns = 1000000000;

struct row {
    const char *seconds; /* NULL: the header is absent */
    const char *millis;
    int64_t waited_ns;
    bool has_passed;
    bool is_valid;
};

static void the_shorter_of_both_holds(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {NULL, NULL, 1000 * 1000000000LL, false, true},
        {"1", NULL, 1000000000, false, true},
        {"1", NULL, 1000000001, true, true},
        {NULL, "1", 1000000, false, true},
        {NULL, "1", 1000001, true, true},
        {"10", "5", 5000001, true, true},
        {"1", "5000", 1000000001, true, true},
        {"9223372036854775807", NULL, INT64_MAX / 2, false, true},
        {"0", NULL, INT64_MAX / 2, false, false},
        {"-1", NULL, INT64_MAX / 2, false, false},
        {"soon", NULL, INT64_MAX / 2, false, false},
        {"1.5", NULL, INT64_MAX / 2, false, false},
        {"9223372036854775808", NULL, INT64_MAX / 2, false, false},
        {"1", "soon", 1000000001, true, false},
        {NULL, "", INT64_MAX / 2, false, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct row *row = &rows[i];
        struct exchange_fixture f;
        fixture_open(&f, HTTP_GET, "/v2/corpora");
        f.x.began_ns = second_ns;
        if (row->seconds != NULL)
            fixture_header(&f, "request-timeout", row->seconds);
        if (row->millis != NULL)
            fixture_header(&f, "request-timeout-millis", row->millis);
        assert_int_equal(deadline_is_valid(&f.x), row->is_valid);
        assert_int_equal(f.x.reply.status, row->is_valid ? 0 : 400);
        assert_int_equal(deadline_has_passed(&f.x, second_ns + row->waited_ns), row->has_passed);
        if (row->has_passed)
            assert_int_equal(f.x.reply.status, 503);
        fixture_close(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_shorter_of_both_holds)};
    return RUN_TESTS(tests);
}
