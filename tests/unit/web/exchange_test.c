/* SPDX-License-Identifier: Apache-2.0 */
#include "web/exchange.h"

#include "../unit.h"

static void header_is_found_whatever_its_case_and_only_once(void **state)
{
    (void)state;
    struct header headers[] = {{SPAN("Accept"), SPAN("*/*")},
                               {SPAN("X-One"), SPAN("1")},
                               {SPAN("ACCEPT"), SPAN("text/plain")}};
    struct exchange x = {.headers = headers, .header_count = 3};
    struct span value = {0};
    assert_int_equal(exchange_header(&x, SPAN("x-one"), &value), OK);
    assert_span_equal(value, "1");
    assert_int_equal(exchange_header(&x, SPAN("Accept"), &value), INVALID);
    assert_int_equal(exchange_header(&x, SPAN("X-On"), &value), NOT_FOUND);
    assert_span_equal(value, "1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_is_found_whatever_its_case_and_only_once),
    };
    return RUN_TESTS(tests);
}
