/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include "../unit.h"

#include "base/arena.h"

static void growing_keeps_what_was_written(void **state)
{
    (void)state;
    struct buf buf AUTO(buf);
    buf_init(&buf, 1 << 20);
    for (size_t i = 0; i < 100000; i++)
        buf_byte(&buf, (char)('a' + i % 26));
    assert_true(buf_ok(&buf));
    assert_int_equal(buf.len, 100000);
    for (size_t i = 0; i < buf.len; i++)
        assert_int_equal(buf.data[i], 'a' + i % 26);
}

static void the_limit_is_exact(void **state)
{
    (void)state;
    static const size_t limits[] = {1, 255, 256, 257, 1000};
    for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
        struct buf buf AUTO(buf);
        buf_init(&buf, limits[i]);
        for (size_t j = 0; j < limits[i]; j++)
            buf_byte(&buf, 'x');
        assert_true(buf_ok(&buf));
        assert_int_equal(buf.len, limits[i]);
        assert_true(buf.capacity <= limits[i]);
        buf_put(&buf, SPAN(""));
        assert_true(buf_ok(&buf)); /* nothing is always room for */
        buf_byte(&buf, 'x');
        assert_false(buf_ok(&buf));
        assert_int_equal(buf.len, limits[i]);
    }
}

static void after_a_failure_nothing_is_written_though_there_is_room(void **state)
{
    (void)state;
    struct buf buf AUTO(buf);
    buf_init(&buf, 8);
    buf_put(&buf, SPAN("123456789"));
    buf_byte(&buf, 'a');
    buf_put(&buf, SPAN("a"));
    buf_int64(&buf, 1);
    buf_printf(&buf, "%d", 1);
    assert_null(buf_reserve(&buf, 1));
    assert_false(buf_ok(&buf));
    assert_int_equal(buf.len, 0);
    assert_null(buf_reserve(&buf, SIZE_MAX));
}

static void room_for_nothing_is_no_failure(void **state)
{
    (void)state;
    struct buf buf AUTO(buf);
    buf_init(&buf, 8);
    assert_non_null(buf_reserve(&buf, 0));
    assert_true(buf_ok(&buf));
    assert_int_equal(buf.len, 0);
}

static void reserved_room_counts_as_written(void **state)
{
    (void)state;
    struct buf buf AUTO(buf);
    buf_init(&buf, 8);
    char *room = buf_reserve(&buf, 5);
    assert_non_null(room);
    memcpy(room, "hello", 5);
    buf_byte(&buf, '!');
    assert_span_equal(buf_span(&buf), "hello!");
    assert_null(buf_reserve(&buf, SIZE_MAX));
    assert_false(buf_ok(&buf));
}

static void printf_wants_room_for_one_byte_more(void **state)
{
    (void)state;
    struct buf buf AUTO(buf);
    buf_init(&buf, 6);
    buf_printf(&buf, "%s", "hello");
    assert_true(buf_ok(&buf));
    assert_span_equal(buf_span(&buf), "hello");
    buf_clear(&buf);
    buf_printf(&buf, "%s", "hello!");
    assert_false(buf_ok(&buf));
    assert_int_equal(buf.len, 0);
}

static void an_arenas_buffer_lives_as_long_as_the_arena(void **state)
{
    (void)state;
    struct arena arena;
    struct buf buf;
    arena_init(&arena, 1 << 16);
    buf_init_arena(&buf, &arena, 1 << 14);
    for (int i = 0; i < 1000; i++)
        buf_int64(&buf, i);
    assert_true(buf_ok(&buf));
    struct span text = buf_span(&buf);
    buf_done(&buf);
    assert_int_equal(buf.len, 0);
    assert_int_equal(text.len, 10 + 90 * 2 + 900 * 3);
    assert_memory_equal(text.ptr, "012345678910111213", 18);
    buf_byte(&buf, 'x'); /* and it can be used again */
    assert_span_equal(buf_span(&buf), "x");
    arena_done(&arena);
}

static void an_arena_that_is_full_fails_the_buffer(void **state)
{
    (void)state;
    struct arena arena;
    struct buf buf;
    arena_init(&arena, 1024);
    buf_init_arena(&buf, &arena, 1 << 20);
    for (int i = 0; i < 2000; i++)
        buf_byte(&buf, 'x');
    assert_false(buf_ok(&buf));
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(growing_keeps_what_was_written),
        cmocka_unit_test(the_limit_is_exact),
        cmocka_unit_test(after_a_failure_nothing_is_written_though_there_is_room),
        cmocka_unit_test(room_for_nothing_is_no_failure),
        cmocka_unit_test(reserved_room_counts_as_written),
        cmocka_unit_test(printf_wants_room_for_one_byte_more),
        cmocka_unit_test(an_arenas_buffer_lives_as_long_as_the_arena),
        cmocka_unit_test(an_arena_that_is_full_fails_the_buffer),
    };
    return RUN_TESTS(tests);
}
