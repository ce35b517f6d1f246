/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/signer_meter.h"

#include "../unit.h"

static unsigned take_all(struct signer_meter *meter, int64_t second)
{
    unsigned taken = 0;
    while (taken < 1000 && signer_meter_take(meter, second))
        taken++;
    return taken;
}

static void no_sixty_seconds_hold_more_than_the_limit(void **state)
{
    (void)state;
    struct signer_meter meter;
    signer_meter_init(&meter, 10);
    for (int i = 0; i < 6; i++)
        assert_true(signer_meter_take(&meter, 100));
    assert_int_equal(take_all(&meter, 130), 4);
    assert_int_equal(take_all(&meter, 159), 0);
    assert_int_equal(take_all(&meter, 160), 6); /* those of second 100 are over */
    assert_int_equal(take_all(&meter, 189), 0);
    assert_int_equal(take_all(&meter, 190), 4);
    signer_meter_done(&meter);
}

static void a_long_pause_frees_everything(void **state)
{
    (void)state;
    struct signer_meter meter;
    signer_meter_init(&meter, 3);
    assert_int_equal(take_all(&meter, 5), 3);
    assert_int_equal(take_all(&meter, INT64_C(1) << 40), 3);
    assert_int_equal(take_all(&meter, (INT64_C(1) << 40) + 59), 0);
    signer_meter_done(&meter);
}

static void a_reading_from_before_counts_as_now(void **state)
{
    (void)state;
    struct signer_meter meter;
    signer_meter_init(&meter, 3);
    assert_true(signer_meter_take(&meter, 100));
    assert_int_equal(take_all(&meter, 99), 2);
    assert_int_equal(take_all(&meter, 159), 0);
    assert_int_equal(take_all(&meter, 160), 3);
    signer_meter_done(&meter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_sixty_seconds_hold_more_than_the_limit),
        cmocka_unit_test(a_long_pause_frees_everything),
        cmocka_unit_test(a_reading_from_before_counts_as_now),
    };
    return RUN_TESTS(tests);
}
