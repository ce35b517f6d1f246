/* SPDX-License-Identifier: Apache-2.0 */
#include "base/random.h"

#include "../unit.h"

static void every_byte_of_the_memory_is_filled_and_none_beyond(void **state)
{
    (void)state;
    unsigned char memory[66];
    bool has_changed[64] = {0};
    for (int round = 0; round < 64; round++) {
        memset(memory, 0xa5, sizeof memory);
        random_bytes(memory + 1, 64);
        assert_int_equal(memory[0], 0xa5);
        assert_int_equal(memory[65], 0xa5);
        for (size_t i = 0; i < 64; i++)
            has_changed[i] |= memory[i + 1] != 0xa5;
    }
    for (size_t i = 0; i < 64; i++)
        assert_true(has_changed[i]); /* fails once in 2^500 by chance */
    random_bytes(memory, 0);
}

/* More than one getrandom answers at once without a signal in between (256 bytes). */
static void long_requests_are_filled_to_their_end(void **state)
{
    (void)state;
    static unsigned char memory[1 << 16];
    size_t zeros = 0;
    random_bytes(memory, sizeof memory);
    for (size_t i = sizeof memory - 256; i < sizeof memory; i++)
        zeros += memory[i] == 0;
    assert_true(zeros < 32); /* one is expected */
}

static void the_alphabet_is_the_one_of_62_letters_and_digits(void **state)
{
    (void)state;
    assert_int_equal(strlen(random_base62), 62);
    for (size_t i = 0; i < 62; i++) {
        assert_true(span_only(span_of(random_base62 + i, 1),
                              "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"));
        assert_null(strchr(random_base62 + i + 1, random_base62[i]));
    }
}

/* 62 does not divide 256: a plain remainder gives the first eight letters a quarter more. */
static void no_letter_is_favoured(void **state)
{
    (void)state;
    enum { DRAWN = 620000, EXPECTED = DRAWN / 62 };
    static char text[DRAWN];
    size_t counts[256] = {0};
    random_text(text, sizeof text, random_base62);
    for (size_t i = 0; i < sizeof text; i++)
        counts[(unsigned char)text[i]]++;
    for (const char *letter = random_base62; *letter != '\0'; letter++) {
        /* Ten standard deviations of 99. */
        assert_true(counts[(unsigned char)*letter] > EXPECTED - 1000);
        assert_true(counts[(unsigned char)*letter] < EXPECTED + 1000);
    }
}

static void alphabets_of_two_and_of_255_letters_work(void **state)
{
    (void)state;
    char text[10000];
    char alphabet[256];
    bool seen[256] = {0};
    random_text(text, sizeof text, "ab");
    assert_true(span_only(span_of(text, sizeof text), "ab"));
    assert_non_null(memchr(text, 'a', sizeof text));
    assert_non_null(memchr(text, 'b', sizeof text));
    for (size_t i = 0; i < 255; i++)
        alphabet[i] = (char)(i + 1);
    alphabet[255] = '\0';
    random_text(text, sizeof text, alphabet);
    for (size_t i = 0; i < sizeof text; i++)
        seen[(unsigned char)text[i]] = true;
    assert_false(seen[0]);
    for (size_t i = 1; i < 256; i++)
        assert_true(seen[i]); /* one letter is missing once in 4e14 runs by chance */
    memset(text, 'x', 2);
    random_text(text, 1, "ab");
    assert_int_equal(text[1], 'x'); /* no NUL behind it */
}

static void numbers_use_all_their_bits_but_the_sign(void **state)
{
    (void)state;
    uint64_t ones = 0;
    uint64_t zeros = 0;
    for (int i = 0; i < 500; i++) {
        int64_t number = random_int63();
        assert_true(number >= 0);
        ones |= (uint64_t)number;
        zeros |= ~(uint64_t)number;
    }
    assert_true(ones == INT64_MAX);
    assert_true(zeros == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_of_the_memory_is_filled_and_none_beyond),
        cmocka_unit_test(long_requests_are_filled_to_their_end),
        cmocka_unit_test(the_alphabet_is_the_one_of_62_letters_and_digits),
        cmocka_unit_test(no_letter_is_favoured),
        cmocka_unit_test(alphabets_of_two_and_of_255_letters_work),
        cmocka_unit_test(numbers_use_all_their_bits_but_the_sign),
    };
    return RUN_TESTS(tests);
}
