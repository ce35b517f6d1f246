/* SPDX-License-Identifier: Apache-2.0 */
#include "limit/shed.h"

#include "../unit.h"

#include <stdlib.h>

#define MS     1000000LL
#define TARGET (100 * MS)

enum { QUEUE_MAX = 100000 };

/* A server that does one a millisecond, in order, and whoever asks it. */
struct world {
    struct shed shed;
    int64_t now;
    int64_t asked[QUEUE_MAX];
    size_t first;
    size_t last;
    size_t done;
    size_t in_time; /* within twice the target */
    size_t refused;
};

static void run(struct world *world, int milliseconds, int asked_each)
{
    for (int ms = 0; ms < milliseconds; ms++) {
        for (int i = 0; i < asked_each; i++) {
            if (!shed_admits(&world->shed, world->now)) {
                world->refused++;
                continue;
            }
            shed_begin(&world->shed);
            assert_true(world->last < QUEUE_MAX);
            world->asked[world->last++] = world->now;
        }
        world->now += MS;
        if (world->first < world->last) {
            int64_t waited = world->now - world->asked[world->first++];
            shed_done(&world->shed, waited, world->now);
            world->done++;
            world->in_time += waited <= 2 * TARGET;
        }
    }
}

static void forget_counts(struct world *world)
{
    world->done = 0;
    world->in_time = 0;
    world->refused = 0;
}

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    world->shed.target_ns = TARGET;
    world->now = 1000 * MS;
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

static void nobody_is_refused_at_full_load(void **state)
{
    struct world *world = *state;
    run(world, 5000, 1);
    assert_int_equal(world->refused, 0);
    assert_int_equal(world->done, 5000);
}

static void a_burst_is_queued(void **state)
{
    struct world *world = *state;
    run(world, 1, 90);
    run(world, 500, 0);
    assert_int_equal(world->refused, 0);
    assert_int_equal(world->done, 90);
}

static void five_times_the_load_keeps_the_goodput(void **state)
{
    struct world *world = *state;
    run(world, 1500, 5); /* begins, with what was taken before it showed */
    forget_counts(world);
    run(world, 10000, 5);
    assert_int_equal(world->done, 10000); /* never without work */
    assert_true(world->in_time > 9900);
    assert_true(world->refused > 39000);
}

static void it_ends_with_the_overload(void **state)
{
    struct world *world = *state;
    run(world, 5000, 5);
    run(world, 500, 0);
    forget_counts(world);
    run(world, 1000, 1);
    assert_int_equal(world->refused, 0);
    assert_int_equal(world->in_time, 1000);
    assert_false(world->shed.is_shedding);
}

static void without_a_target_nobody_is_refused(void **state)
{
    struct world *world = *state;
    world->shed.target_ns = 0;
    run(world, 2000, 5);
    assert_int_equal(world->refused, 0);
}

/* The other side stands still, then goes on: what is known of it is kept meanwhile. */
static void a_standstill_is_no_measure(void **state)
{
    struct world *world = *state;
    run(world, 1000, 1);
    world->now += 3000 * MS;
    run(world, 500, 1);
    assert_int_equal(world->refused, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nobody_is_refused_at_full_load),        TEST(a_burst_is_queued),
        TEST(five_times_the_load_keeps_the_goodput), TEST(it_ends_with_the_overload),
        TEST(without_a_target_nobody_is_refused),    TEST(a_standstill_is_no_measure),
    };
    return RUN_TESTS(tests);
}
