/* SPDX-License-Identifier: Apache-2.0 */
#include "state/token_clock.h"

#include "../unit.h"

static const int64_t second = 1000000;
static const int64_t day = 86400000000;

static void it_goes_on_by_the_boot_clock_between_answers(void **state)
{
    (void)state;
    struct token_clock clock = {0};
    assert_true(token_clock_follow(&clock, 100 * day, 5 * day));
    assert_int_equal(token_clock_at(&clock, 5 * day), 100 * day / second);
    assert_int_equal(token_clock_at(&clock, 6 * day), 101 * day / second);
}

static void it_follows_small_steps_and_any_step_forward(void **state)
{
    (void)state;
    struct token_clock clock = {0};
    assert_true(token_clock_follow(&clock, 100 * day, 5 * day));
    assert_true(token_clock_follow(&clock, 100 * day + second, 5 * day + 2 * second));
    assert_int_equal(token_clock_at(&clock, 5 * day + 2 * second), 100 * day / second + 1);
    assert_true(token_clock_follow(&clock, 200 * day, 5 * day + 3 * second));
    assert_int_equal(token_clock_at(&clock, 5 * day + 3 * second), 200 * day / second);
}

static void it_does_not_go_back_unless_it_is_accepted(void **state)
{
    (void)state;
    struct token_clock clock = {0};
    assert_true(token_clock_follow(&clock, 100 * day, 5 * day));
    assert_false(token_clock_follow(&clock, 99 * day, 5 * day + second));
    assert_int_equal(token_clock_at(&clock, 5 * day + second), 100 * day / second + 1);
    token_clock_accept(&clock, 99 * day, 100 * day / second);
    assert_int_equal(token_clock_at(&clock, 5 * day), 99 * day / second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_goes_on_by_the_boot_clock_between_answers),
        cmocka_unit_test(it_follows_small_steps_and_any_step_forward),
        cmocka_unit_test(it_does_not_go_back_unless_it_is_accepted),
    };
    return RUN_TESTS(tests);
}
