/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/seal.h"

#include "base/buf.h"
#include "unit.h"

#include <stdlib.h>

#define IDENTITY SPAN("acc_1/crd_2")

static struct span test_key(void)
{
    static const char bytes[SEAL_KEY_BYTES + 1] =
        "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"
        "\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f";
    return span_of(bytes, SEAL_KEY_BYTES);
}

/* Sealed by another program under the key and identity above; the IV is 100, 101, …, 111. */
static const char known_box[] = "\x01\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f"
                                "\x38\x77\xbf\x0f\x17\xc9\x22\xfb\x46\x16"
                                "\x33\x07\x62\xd4\x74\x50\xa4\x36\xca\xb0\x72\xd6\xde\xab\x6c\xd1";

static struct span known(void)
{
    return span_of(known_box, sizeof known_box - 1);
}

/* Opens a copy of exactly the box's size, so that a sanitizer sees a read past its end; the
 * out buffer must be as before when it fails. */
static enum status open_box(struct span key, struct span identity, struct span box)
{
    AUTO(buf) struct buf out;
    struct err err = {0};
    char *copy = malloc(box.len == 0 ? 1 : box.len);
    assert_non_null(copy);
    if (box.len > 0)
        memcpy(copy, box.ptr, box.len);
    buf_init(&out, 1 << 20);
    buf_put(&out, SPAN("before"));
    enum status status = unseal(key, identity, span_of(copy, box.len), &out, &err);
    assert_int_equal(err.status, status);
    if (status != OK)
        assert_span_equal(buf_span(&out), "before");
    free(copy);
    return status;
}

static void what_was_sealed_opens(void **state)
{
    (void)state;
    const size_t sizes[] = {0, 1, 15, 16, 17, 4096, 100000};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        AUTO(buf) struct buf box;
        AUTO(buf) struct buf plain;
        char *bytes = malloc(sizes[i] + 1);
        assert_non_null(bytes);
        memset(bytes, 'p', sizes[i]);
        buf_init(&box, 1 << 20);
        buf_init(&plain, 1 << 20);
        buf_put(&box, SPAN("x"));
        seal(test_key(), IDENTITY, span_of(bytes, sizes[i]), &box);
        assert_true(buf_ok(&box));
        assert_int_equal(box.len, 1 + sizes[i] + SEAL_OVERHEAD_BYTES);
        assert_int_equal(unseal(test_key(), IDENTITY, span_from(buf_span(&box), 1), &plain, NULL),
                         OK);
        assert_int_equal(plain.len, sizes[i]);
        if (sizes[i] > 0)
            assert_memory_equal(plain.data, bytes, sizes[i]);
        free(bytes);
    }
}

static void nothing_seals_with_a_null_pointer(void **state)
{
    (void)state;
    AUTO(buf) struct buf box;
    buf_init(&box, 1024);
    seal(test_key(), (struct span){0}, (struct span){0}, &box);
    assert_int_equal(box.len, SEAL_OVERHEAD_BYTES);
    assert_int_equal(open_box(test_key(), (struct span){0}, buf_span(&box)), OK);
}

static void box_of_another_program_opens(void **state)
{
    (void)state;
    AUTO(buf) struct buf plain;
    buf_init(&plain, 1024);
    assert_int_equal(unseal(test_key(), IDENTITY, known(), &plain, NULL), OK);
    assert_span_equal(buf_span(&plain), "plain text");
}

/* S12: a secret copied into another row does not open. */
static void another_row_does_not_open_it(void **state)
{
    (void)state;
    assert_int_equal(open_box(test_key(), IDENTITY, known()), OK);
    assert_int_equal(open_box(test_key(), SPAN("acc_1/crd_3"), known()), CORRUPT);
    assert_int_equal(open_box(test_key(), SPAN("acc_1/crd_"), known()), CORRUPT);
    assert_int_equal(open_box(test_key(), (struct span){0}, known()), CORRUPT);
}

static void another_key_does_not_open_it(void **state)
{
    (void)state;
    char key[SEAL_KEY_BYTES];
    memcpy(key, test_key().ptr, sizeof key);
    key[31] ^= 1;
    assert_int_equal(open_box(span_of(key, sizeof key), IDENTITY, known()), CORRUPT);
}

static void every_altered_bit_is_noticed(void **state)
{
    (void)state;
    for (size_t at = 0; at < known().len; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            char box[sizeof known_box];
            memcpy(box, known_box, sizeof box);
            box[at] = (char)(box[at] ^ (1 << bit));
            assert_int_equal(open_box(test_key(), IDENTITY, span_of(box, known().len)), CORRUPT);
        }
    }
}

static void cut_or_longer_box_is_refused(void **state)
{
    (void)state;
    for (size_t len = 0; len < known().len; len++)
        assert_int_equal(open_box(test_key(), IDENTITY, span_first(known(), len)), CORRUPT);
    assert_int_equal(open_box(test_key(), IDENTITY, span_of(known_box, sizeof known_box)), CORRUPT);
}

static void sealing_twice_gives_two_boxes(void **state)
{
    (void)state;
    AUTO(buf) struct buf first;
    AUTO(buf) struct buf second;
    buf_init(&first, 1024);
    buf_init(&second, 1024);
    seal(test_key(), IDENTITY, SPAN("same"), &first);
    seal(test_key(), IDENTITY, SPAN("same"), &second);
    assert_memory_not_equal(first.data, second.data, first.len);
}

static void buffer_of_exactly_the_size_is_enough(void **state)
{
    (void)state;
    AUTO(buf) struct buf out;
    buf_init(&out, strlen("plain text"));
    assert_int_equal(unseal(test_key(), IDENTITY, known(), &out, NULL), OK);
    assert_span_equal(buf_span(&out), "plain text");
}

static void full_buffer_fails_cleanly(void **state)
{
    (void)state;
    AUTO(buf) struct buf out;
    struct err err = {0};
    buf_init(&out, 4);
    seal(test_key(), IDENTITY, SPAN("plain text"), &out);
    assert_false(buf_ok(&out));
    buf_clear(&out);
    assert_int_equal(unseal(test_key(), IDENTITY, known(), &out, &err), NO_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_sealed_opens),
        cmocka_unit_test(nothing_seals_with_a_null_pointer),
        cmocka_unit_test(box_of_another_program_opens),
        cmocka_unit_test(another_row_does_not_open_it),
        cmocka_unit_test(another_key_does_not_open_it),
        cmocka_unit_test(every_altered_bit_is_noticed),
        cmocka_unit_test(cut_or_longer_box_is_refused),
        cmocka_unit_test(sealing_twice_gives_two_boxes),
        cmocka_unit_test(buffer_of_exactly_the_size_is_enough),
        cmocka_unit_test(full_buffer_fails_cleanly),
    };
    return RUN_TESTS(tests);
}
