/* SPDX-License-Identifier: Apache-2.0 */
/* Arenas, buffers, binary reading and writing, random text. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/random.h"
#include "base/status.h"
#include "base/wire.h"

#include "../unit.h"

static void an_arena_stays_within_its_limit(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 10000);
    size_t got = 0;
    while (arena_alloc(&arena, 100) != NULL)
        got += 100;
    assert_true(got >= 8000 && got <= 10000);
    assert_null(arena_alloc(&arena, SIZE_MAX));
    assert_null(arena_zalloc(&arena, SIZE_MAX, 2));
    arena_done(&arena);
    assert_int_equal(arena.used_bytes, 0);
    assert_non_null(arena_alloc(&arena, 9000)); /* usable again */
    arena_done(&arena);
}

static void a_reset_arena_has_wiped_what_it_keeps(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 16);
    char *secret = arena_cstr(&arena, SPAN("pst_cs_secret"));
    assert_non_null(secret);
    arena_reset(&arena);
    for (size_t i = 0; i < 13; i++)
        assert_int_equal(secret[i], 0); /* the first block is kept */
    assert_ptr_equal(arena_cstr(&arena, SPAN("x")), secret);
    arena_done(&arena);
}

static void memory_is_aligned_and_copies_end_with_nul(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 16);
    for (size_t size = 0; size < 64; size++) {
        const void *memory = arena_alloc(&arena, size);
        assert_int_equal((uintptr_t)memory % 16, 0);
    }
    struct span copy = arena_copy(&arena, span_of("a\0b", 3));
    assert_int_equal(copy.len, 3);
    assert_int_equal(copy.ptr[3], 0);
    assert_span_equal(arena_printf(&arena, "%d-%s", 7, "x"), "7-x");
    arena_done(&arena);
}

static void a_buffer_keeps_its_first_failure(void **state)
{
    (void)state;
    struct buf buf AUTO(buf);
    buf_init(&buf, 8);
    buf_put(&buf, SPAN("12345678"));
    assert_true(buf_ok(&buf));
    buf_byte(&buf, '9');
    assert_false(buf_ok(&buf));
    assert_null(buf_reserve(&buf, 0));
    assert_span_equal(buf_span(&buf), "12345678");
    buf_clear(&buf);
    buf_int64(&buf, -42);
    buf_printf(&buf, "%s", "ab");
    assert_true(buf_ok(&buf));
    assert_span_equal(buf_span(&buf), "-42ab");
}

static void numbers_print_to_their_ends(void **state)
{
    (void)state;
    struct buf buf AUTO(buf);
    buf_init(&buf, 64);
    buf_int64(&buf, INT64_MIN);
    buf_int64(&buf, INT64_MAX);
    buf_int64(&buf, 0);
    assert_span_equal(buf_span(&buf), "-922337203685477580892233720368547758070");
}

static void write_message(struct buf *buf)
{
    wire_write_u8(buf, 0xfe);
    wire_write_u16(buf, 0xfedc);
    wire_write_u32(buf, 0xfedcba98);
    wire_write_u64(buf, 0xfedcba9876543210);
    wire_write_i64(buf, -2);
    wire_write_bytes(buf, SPAN("text"));
}

static bool read_message(struct span message)
{
    struct wire_reader reader = wire_reader_of(message);
    bool is_same = wire_read_u8(&reader) == 0xfe;
    is_same &= wire_read_u16(&reader) == 0xfedc;
    is_same &= wire_read_u32(&reader) == 0xfedcba98;
    is_same &= wire_read_u64(&reader) == 0xfedcba9876543210;
    is_same &= wire_read_i64(&reader) == -2;
    is_same &= span_equal(wire_read_bytes(&reader, 4), SPAN("text"));
    return wire_end(&reader) && is_same;
}

static void a_message_reads_as_it_was_written_and_no_other_way(void **state)
{
    (void)state;
    struct buf buf AUTO(buf);
    buf_init(&buf, 256);
    write_message(&buf);
    assert_true(read_message(buf_span(&buf)));
    for (size_t len = 0; len < buf.len; len++)
        assert_false(read_message(span_first(buf_span(&buf), len)));
    buf_byte(&buf, 0);
    assert_false(read_message(buf_span(&buf)));
}

static void a_length_over_the_limit_fails_the_reader(void **state)
{
    (void)state;
    struct wire_reader reader = wire_reader_of(SPAN("\x05\0\0\0abcdef"));
    assert_int_equal(wire_read_bytes(&reader, 4).len, 0);
    assert_false(wire_end(&reader));
    reader = wire_reader_of(SPAN("\xff\xff\xff\xff"));
    assert_int_equal(wire_read_bytes(&reader, SIZE_MAX).len, 0);
    assert_int_equal(wire_read_u8(&reader), 0);
    assert_false(wire_end(&reader));
}

static void random_text_uses_its_whole_alphabet(void **state)
{
    (void)state;
    char text[4096];
    bool seen[256] = {0};
    random_text(text, sizeof text, random_base62);
    for (size_t i = 0; i < sizeof text; i++)
        seen[(unsigned char)text[i]] = true;
    for (const char *letter = random_base62; *letter != '\0'; letter++)
        assert_true(seen[(unsigned char)*letter]);
    assert_true(random_int63() >= 0);
}

static void the_first_failure_is_kept(void **state)
{
    (void)state;
    struct err err = {0};
    assert_int_equal((fail)(&err, INVALID, "first %d", 1), INVALID);
    assert_int_equal((fail)(&err, CORRUPT, "second"), CORRUPT);
    assert_int_equal(err.status, INVALID);
    assert_string_equal(err.detail, "first 1");
    assert_string_equal(status_name(NOT_FOUND), "not found");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_arena_stays_within_its_limit),
        cmocka_unit_test(a_reset_arena_has_wiped_what_it_keeps),
        cmocka_unit_test(memory_is_aligned_and_copies_end_with_nul),
        cmocka_unit_test(a_buffer_keeps_its_first_failure),
        cmocka_unit_test(numbers_print_to_their_ends),
        cmocka_unit_test(a_message_reads_as_it_was_written_and_no_other_way),
        cmocka_unit_test(a_length_over_the_limit_fails_the_reader),
        cmocka_unit_test(random_text_uses_its_whole_alphabet),
        cmocka_unit_test(the_first_failure_is_kept),
    };
    return RUN_TESTS(tests);
}
