/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/signer_clock.h"

#include "../unit.h"

static const int64_t second = 1000000000;

static struct signer_clock started_at(int64_t wall_seconds)
{
    struct signer_clock clock = {0};
    const struct signer_clock_reading reading = {.wall_ns = wall_seconds * second,
                                                 .boot_ns = 50 * second};
    signer_clock_start(&clock, &reading);
    return clock;
}

/* Seconds since the clock was started at 1000, at these times of the machine's clocks. */
static int64_t advance(struct signer_clock *clock, int64_t wall, int64_t boot, bool is_synchronised)
{
    const struct signer_clock_reading reading = {.wall_ns = (1000 + wall) * second,
                                                 .boot_ns = (50 + boot) * second,
                                                 .is_synchronised = is_synchronised};
    return signer_clock_advance(clock, &reading) / second - 1000;
}

static void it_goes_with_a_wall_clock_that_goes_right(void **state)
{
    (void)state;
    struct signer_clock clock = started_at(1000);
    assert_int_equal(advance(&clock, 1, 1, false), 1);
    assert_int_equal(advance(&clock, 5000, 5000, true), 5000);
}

static void a_wall_clock_set_back_only_slows_it(void **state)
{
    (void)state;
    struct signer_clock clock = started_at(1000);
    assert_int_equal(advance(&clock, -900, 10, true), 9);
    assert_int_equal(advance(&clock, -890, 20, true), 18);
    assert_int_equal(advance(&clock, -890, 20, true), 18);
}

static void a_wall_clock_a_little_behind_is_met_exactly(void **state)
{
    (void)state;
    struct signer_clock clock = started_at(1000);
    assert_int_equal(advance(&clock, 98, 100, false), 98);
    assert_int_equal(advance(&clock, 99, 101, false), 99);
}

static void a_wall_clock_ahead_and_not_synchronised_is_slewed_to(void **state)
{
    (void)state;
    struct signer_clock clock = started_at(1000);
    assert_int_equal(advance(&clock, 100010, 10, false), 11);
    assert_int_equal(advance(&clock, 100020, 20, false), 22);
}

static void a_synchronised_wall_clock_ahead_is_jumped_to(void **state)
{
    (void)state;
    struct signer_clock clock = started_at(1000);
    assert_int_equal(advance(&clock, 100010, 10, true), 100010);
    assert_int_equal(advance(&clock, 20, 20, true), 100019); /* and never back */
}

static void readings_out_of_order_do_not_move_it(void **state)
{
    (void)state;
    struct signer_clock clock = started_at(1000);
    assert_int_equal(advance(&clock, 20, 20, false), 20);
    assert_int_equal(advance(&clock, 19, 19, false), 20);
    assert_int_equal(advance(&clock, 90000, 20, true), 20);
    assert_int_equal(advance(&clock, 21, 21, false), 21);
}

static void whatever_the_wall_clock_does_it_never_goes_back(void **state)
{
    (void)state;
    struct signer_clock clock = started_at(1000);
    int64_t before = 0;
    uint64_t noise = 1;
    for (int64_t boot = 0; boot < 10000; boot++) {
        noise = noise * 6364136223846793005U + 1442695040888963407U;
        int64_t wall = (int64_t)(noise >> 44) - (1 << 19);
        int64_t now = advance(&clock, wall, boot / 2, (noise >> 40 & 7) == 0);
        assert_true(now >= before);
        before = now;
    }
}

static void the_machines_clock_goes_on(void **state)
{
    (void)state;
    struct signer_clock clock;
    signer_clock_init(&clock);
    int64_t first = signer_clock_now(&clock);
    assert_true(first > 1600000000);
    assert_true(signer_clock_now(&clock) >= first);
    signer_clock_done(&clock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_goes_with_a_wall_clock_that_goes_right),
        cmocka_unit_test(a_wall_clock_set_back_only_slows_it),
        cmocka_unit_test(a_wall_clock_a_little_behind_is_met_exactly),
        cmocka_unit_test(a_wall_clock_ahead_and_not_synchronised_is_slewed_to),
        cmocka_unit_test(a_synchronised_wall_clock_ahead_is_jumped_to),
        cmocka_unit_test(readings_out_of_order_do_not_move_it),
        cmocka_unit_test(whatever_the_wall_clock_does_it_never_goes_back),
        cmocka_unit_test(the_machines_clock_goes_on),
    };
    return RUN_TESTS(tests);
}
