/* SPDX-License-Identifier: Apache-2.0 */
#include "base/wire.h"

#include "../unit.h"

static void integers_are_little_endian_and_strings_carry_their_length(void **state)
{
    (void)state;
    static const char expected[] = "\x01"
                                   "\x03\x02"
                                   "\x07\x06\x05\x04"
                                   "\x0f\x0e\x0d\x0c\x0b\x0a\x09\x08"
                                   "\xff\xff\xff\xff\xff\xff\xff\xff"
                                   "\x03\0\0\0a\0b"
                                   "\0\0\0\0";
    struct buf buf AUTO(buf);
    buf_init(&buf, 256);
    wire_write_u8(&buf, 0x01);
    wire_write_u16(&buf, 0x0203);
    wire_write_u32(&buf, 0x04050607);
    wire_write_u64(&buf, 0x08090a0b0c0d0e0f);
    wire_write_i64(&buf, -1);
    wire_write_bytes(&buf, span_of("a\0b", 3));
    wire_write_bytes(&buf, (struct span){0});
    assert_true(span_equal(buf_span(&buf), span_of(expected, sizeof expected - 1)));
}

static void every_integer_reads_back_at_its_ends(void **state)
{
    (void)state;
    struct buf buf AUTO(buf);
    buf_init(&buf, 256);
    wire_write_u8(&buf, UINT8_MAX);
    wire_write_u16(&buf, UINT16_MAX);
    wire_write_u32(&buf, UINT32_MAX);
    wire_write_u64(&buf, UINT64_MAX);
    wire_write_i64(&buf, INT64_MIN);
    wire_write_i64(&buf, INT64_MAX);
    struct wire_reader reader = wire_reader_of(buf_span(&buf));
    assert_true(wire_read_u8(&reader) == UINT8_MAX);
    assert_true(wire_read_u16(&reader) == UINT16_MAX);
    assert_true(wire_read_u32(&reader) == UINT32_MAX);
    assert_true(wire_read_u64(&reader) == UINT64_MAX);
    assert_true(wire_read_i64(&reader) == INT64_MIN);
    assert_true(wire_read_i64(&reader) == INT64_MAX);
    assert_true(wire_end(&reader));
}

static void after_a_failure_every_read_answers_nothing(void **state)
{
    (void)state;
    struct wire_reader reader = wire_reader_of(SPAN("\xff\xff\xff"));
    assert_int_equal(wire_read_u32(&reader), 0);
    assert_int_equal(wire_read_u8(&reader), 0); /* though a byte is there */
    assert_int_equal(wire_read_u16(&reader), 0);
    assert_true(wire_read_u64(&reader) == 0);
    assert_true(wire_read_i64(&reader) == 0);
    assert_int_equal(wire_read_fixed(&reader, 1).len, 0);
    assert_int_equal(wire_read_fixed(&reader, 0).len, 0);
    assert_int_equal(wire_read_bytes(&reader, 10).len, 0);
    assert_false(wire_end(&reader));
}

static void a_string_is_cut_at_no_byte(void **state)
{
    (void)state;
    struct span message = SPAN("\x04\0\0\0text");
    for (size_t len = 0; len < message.len; len++) {
        struct wire_reader reader = wire_reader_of(span_first(message, len));
        assert_int_equal(wire_read_bytes(&reader, 100).len, 0);
        assert_false(wire_end(&reader));
    }
    struct wire_reader reader = wire_reader_of(message);
    struct span text = wire_read_bytes(&reader, 4);
    assert_ptr_equal(text.ptr, message.ptr + 4); /* borrowed */
    assert_int_equal(text.len, 4);
    assert_true(wire_end(&reader));
}

static void what_is_left_over_is_no_end(void **state)
{
    (void)state;
    struct wire_reader reader = wire_reader_of((struct span){0});
    assert_true(wire_end(&reader));
    assert_int_equal(wire_read_fixed(&reader, 0).len, 0);
    assert_true(wire_end(&reader));
    reader = wire_reader_of(SPAN("ab"));
    assert_span_equal(wire_read_fixed(&reader, 1), "a");
    assert_false(wire_end(&reader));
    assert_span_equal(wire_read_fixed(&reader, 1), "b");
    assert_true(wire_end(&reader));
}

static void a_string_that_does_not_fit_fails_the_buffer(void **state)
{
    (void)state;
    struct buf buf AUTO(buf);
    buf_init(&buf, 7);
    wire_write_bytes(&buf, SPAN("text"));
    assert_false(buf_ok(&buf));
    buf_clear(&buf);
    wire_write_bytes(&buf, span_of("", (size_t)UINT32_MAX + 1)); /* nothing of it is read */
    assert_false(buf_ok(&buf));
    assert_int_equal(buf.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_little_endian_and_strings_carry_their_length),
        cmocka_unit_test(every_integer_reads_back_at_its_ends),
        cmocka_unit_test(after_a_failure_every_read_answers_nothing),
        cmocka_unit_test(a_string_is_cut_at_no_byte),
        cmocka_unit_test(what_is_left_over_is_no_end),
        cmocka_unit_test(a_string_that_does_not_fit_fails_the_buffer),
    };
    return RUN_TESTS(tests);
}
