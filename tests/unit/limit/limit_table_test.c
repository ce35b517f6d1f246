/* SPDX-License-Identifier: Apache-2.0 */
#include "limit/limit_table.h"

#include "../unit.h"

#include <pthread.h>
#include <stdatomic.h>

#define SECOND 1000000000LL
#define START  (1000 * SECOND)

enum { SHARDS = 64, WAYS = 8, ONE_SET_EACH = SHARDS * WAYS };

static int setup(void **state)
{
    *state = limit_table_new(ONE_SET_EACH);
    return *state == NULL ? -1 : 0;
}

static int teardown(void **state)
{
    limit_table_free(*state);
    return 0;
}

static void a_budget_is_spent_at_once_and_earned_again_evenly(void **state)
{
    const struct limit_budget budget = limit_budget_of(5, 10 * SECOND);
    for (int i = 0; i < 5; i++)
        assert_int_equal(limit_table_take(*state, 7, budget, START), 0);
    assert_int_equal(limit_table_take(*state, 7, budget, START), 2 * SECOND);
    assert_int_equal(limit_table_wait_ns(*state, 7, budget, START + SECOND), SECOND);
    assert_int_equal(limit_table_take(*state, 7, budget, START + 2 * SECOND), 0);
    assert_int_equal(limit_table_take(*state, 7, budget, START + 2 * SECOND), 2 * SECOND);
    /* Never more than all of it, however long nobody came. */
    for (int i = 0; i < 5; i++)
        assert_int_equal(limit_table_take(*state, 7, budget, START + 5000 * SECOND), 0);
    assert_true(limit_table_take(*state, 7, budget, START + 5000 * SECOND) > 0);
}

static void going_on_when_nothing_is_left_makes_no_debt(void **state)
{
    const struct limit_budget budget = limit_budget_of(5, 10 * SECOND);
    for (int i = 0; i < 1000; i++)
        limit_table_count(*state, 7, budget, START);
    assert_int_equal(limit_table_wait_ns(*state, 7, budget, START), 2 * SECOND);
    assert_int_equal(limit_table_wait_ns(*state, 7, budget, START + 2 * SECOND), 0);
}

static void no_limit_keeps_nothing(void **state)
{
    const struct limit_budget none = limit_budget_of(0, SECOND);
    for (int i = 0; i < 100; i++) {
        limit_table_count(*state, 7, none, START);
        assert_int_equal(limit_table_take(*state, 7, none, START), 0);
    }
    assert_false(limit_table_is_marked(*state, 7, START - 1));
}

/* Threads read the clock one after the other, and count in another order. */
static void an_earlier_time_takes_nothing_back(void **state)
{
    const struct limit_budget budget = limit_budget_of(2, 10 * SECOND);
    limit_table_count(*state, 7, budget, START + SECOND);
    limit_table_count(*state, 7, budget, START);
    assert_true(limit_table_wait_ns(*state, 7, budget, START) > 0);
    limit_table_count(*state, 7, budget, START - 500 * SECOND);
    assert_true(limit_table_wait_ns(*state, 7, budget, START) > 0);
}

/* Keys of one shard, and so of its only set. */
static uint64_t key_number(size_t number)
{
    return 3 + number * SHARDS;
}

static void the_one_nearest_to_full_makes_room(void **state)
{
    const struct limit_budget budget = limit_budget_of(10, 10 * SECOND);
    for (size_t i = 0; i < WAYS; i++) {
        for (size_t n = 0; n <= i + 1; n++)
            limit_table_count(*state, key_number(i), budget, START);
    }
    limit_table_count(*state, key_number(WAYS), budget, START);
    for (size_t i = 1; i < WAYS; i++) {
        for (size_t n = i + 2; n < 10; n++)
            assert_int_equal(limit_table_take(*state, key_number(i), budget, START), 0);
        assert_true(limit_table_take(*state, key_number(i), budget, START) > 0);
    }
    for (size_t n = 0; n < 10; n++) /* forgotten, so all of it is there again */
        assert_int_equal(limit_table_take(*state, key_number(0), budget, START), 0);
}

/* Who is over the budget cannot wash that away with keys made up for the purpose. */
static void a_flood_of_new_keys_leaves_the_spent_budget(void **state)
{
    const struct limit_budget budget = limit_budget_of(10, 60 * SECOND);
    for (int i = 0; i < 10; i++)
        limit_table_count(*state, key_number(0), budget, START);
    for (size_t i = 1; i < 100000; i++)
        limit_table_count(*state, key_number(i), budget, START);
    assert_true(limit_table_wait_ns(*state, key_number(0), budget, START) > 0);
}

static void marks_last_until_their_time(void **state)
{
    assert_false(limit_table_is_marked(*state, 9, START));
    limit_table_mark(*state, 9, START + SECOND);
    limit_table_mark(*state, 9, START); /* an earlier end shortens nothing */
    assert_true(limit_table_is_marked(*state, 9, START));
    assert_false(limit_table_is_marked(*state, 10, START));
    assert_false(limit_table_is_marked(*state, 9, START + SECOND));
}

struct takers {
    struct limit_table *table;
    atomic_int taken;
};

enum { TAKES = 20000, KEYS = 4, BURST = 1000, THREADS = 4 };

static void *take_all(void *context)
{
    struct takers *takers = context;
    const struct limit_budget budget = limit_budget_of(BURST, 3600 * SECOND);
    for (uint64_t i = 0; i < TAKES; i++) {
        limit_table_mark(takers->table, 5 + SHARDS * (i % 32), START + SECOND);
        if (limit_table_take(takers->table, i % KEYS, budget, START) == 0)
            atomic_fetch_add(&takers->taken, 1);
    }
    return NULL;
}

static void threads_together_get_no_more_than_the_budget(void **state)
{
    struct takers takers = {.table = *state};
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_all, &takers), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(takers.taken, KEYS * BURST);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_budget_is_spent_at_once_and_earned_again_evenly),
        TEST(going_on_when_nothing_is_left_makes_no_debt),
        TEST(no_limit_keeps_nothing),
        TEST(an_earlier_time_takes_nothing_back),
        TEST(the_one_nearest_to_full_makes_room),
        TEST(a_flood_of_new_keys_leaves_the_spent_budget),
        TEST(marks_last_until_their_time),
        TEST(threads_together_get_no_more_than_the_budget),
    };
    return RUN_TESTS(tests);
}
