/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include "../unit.h"

static void init_allocates_nothing_and_done_may_be_called_again(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 4096);
    assert_null(arena.blocks);
    assert_int_equal(arena.used_bytes, 0);
    arena_done(&arena);
    arena_reset(&arena);
    assert_non_null(arena_alloc(&arena, 1));
    arena_done(&arena);
    arena_done(&arena);
    assert_null(arena.blocks);
}

static void the_whole_limit_can_be_used_and_not_a_byte_more(void **state)
{
    (void)state;
    static const size_t limits[] = {16, 4096, 4112, 65536};
    for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
        struct arena arena;
        arena_init(&arena, limits[i]);
        assert_null(arena_alloc(&arena, limits[i] + 1));
        void *all = arena_alloc(&arena, limits[i]);
        assert_non_null(all);
        memset(all, 0xff, limits[i]);
        assert_null(arena_alloc(&arena, 1));
        assert_int_equal(arena.used_bytes, limits[i]);
        arena_done(&arena);
    }
}

static void a_limit_of_nothing_gives_nothing(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 0);
    assert_null(arena_alloc(&arena, 1));
    assert_null(arena_copy(&arena, SPAN("")).ptr); /* its NUL */
    assert_null(arena_cstr(&arena, SPAN("a")));
    assert_null(arena_printf(&arena, "%d", 1).ptr);
    arena_done(&arena);
}

static void an_arena_stays_usable_after_a_refusal(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 8192);
    assert_non_null(arena_alloc(&arena, 4096));
    assert_null(arena_alloc(&arena, 4097));
    assert_null(arena_zalloc(&arena, 4097, 1));
    assert_non_null(arena_alloc(&arena, 4096));
    arena_done(&arena);
}

static void pieces_do_not_overlap_over_many_blocks(void **state)
{
    (void)state;
    enum { PIECES = 200 };
    struct arena arena;
    unsigned char *pieces[PIECES];
    arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < PIECES; i++) {
        pieces[i] = arena_alloc(&arena, i * 7);
        assert_non_null(pieces[i]);
        memset(pieces[i], (int)i, i * 7);
    }
    for (size_t i = 0; i < PIECES; i++) {
        for (size_t j = 0; j < i * 7; j++)
            assert_int_equal(pieces[i][j], i);
    }
    arena_done(&arena);
}

static void zalloc_zeroes_memory_that_was_used_before(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 16);
    for (int round = 0; round < 3; round++) {
        unsigned char *memory = arena_zalloc(&arena, 100, 10);
        assert_non_null(memory);
        for (size_t i = 0; i < 1000; i++)
            assert_int_equal(memory[i], 0);
        memset(memory, 0xff, 1000);
        arena_reset(&arena);
    }
    assert_non_null(arena_zalloc(&arena, 0, 10));
    assert_non_null(arena_zalloc(&arena, 10, 0));
    arena_done(&arena);
}

static void reset_keeps_one_block_and_gives_the_rest_back(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    void *first = arena_alloc(&arena, 64);
    size_t kept_bytes = arena.used_bytes;
    for (int i = 0; i < 100; i++)
        assert_non_null(arena_alloc(&arena, 4000));
    assert_true(arena.used_bytes > kept_bytes);
    arena_reset(&arena);
    assert_int_equal(arena.used_bytes, kept_bytes);
    assert_ptr_equal(arena_alloc(&arena, 64), first);
    assert_int_equal(arena.used_bytes, kept_bytes);
    arena_done(&arena);
}

static void copies_are_copies(void **state)
{
    (void)state;
    struct arena arena;
    char text[] = "abc";
    arena_init(&arena, 1 << 16);
    struct span copy = arena_copy(&arena, span_cstr(text));
    char *cstr = arena_cstr(&arena, span_of(text, 2));
    text[0] = 'x';
    assert_span_equal(copy, "abc");
    assert_string_equal(cstr, "ab");
    copy = arena_copy(&arena, (struct span){0});
    assert_non_null(copy.ptr);
    assert_int_equal(copy.len, 0);
    assert_int_equal(copy.ptr[0], 0);
    arena_done(&arena);
}

static void formatted_text_is_of_any_length(void **state)
{
    (void)state;
    struct arena arena;
    static char text[20001];
    memset(text, 'a', sizeof text - 1);
    arena_init(&arena, 1 << 16);
    struct span made = arena_printf(&arena, "<%s>", text);
    assert_int_equal(made.len, sizeof text + 1);
    assert_int_equal(made.ptr[made.len - 1], '>');
    assert_int_equal(made.ptr[made.len], 0);
    assert_int_equal(arena_printf(&arena, "%s", "").len, 0);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(init_allocates_nothing_and_done_may_be_called_again),
        cmocka_unit_test(the_whole_limit_can_be_used_and_not_a_byte_more),
        cmocka_unit_test(a_limit_of_nothing_gives_nothing),
        cmocka_unit_test(an_arena_stays_usable_after_a_refusal),
        cmocka_unit_test(pieces_do_not_overlap_over_many_blocks),
        cmocka_unit_test(zalloc_zeroes_memory_that_was_used_before),
        cmocka_unit_test(reset_keeps_one_block_and_gives_the_rest_back),
        cmocka_unit_test(copies_are_copies),
        cmocka_unit_test(formatted_text_is_of_any_length),
    };
    return RUN_TESTS(tests);
}
