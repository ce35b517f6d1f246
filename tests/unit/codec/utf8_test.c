/* SPDX-License-Identifier: Apache-2.0 */
/* Where in a text a sequence stands, sequences of four bytes, and the ends of what is deceptive;
 * the rest of UTF-8 is in text_test.c. */
#include "codec/utf8.h"

#include "../unit.h"

#include <stdlib.h>

static const char *const good[] = {"",
                                   "a",
                                   "\xc2\x80",
                                   "\xdf\xbf",
                                   "\xe0\xa0\x80",
                                   "\xed\x9f\xbf",
                                   "\xee\x80\x80",
                                   "\xef\xbf\xbf",
                                   "\xf0\x90\x80\x80",
                                   "\xf4\x8f\xbf\xbf"};

/* Overlong forms, surrogates, over U+10FFFF, lone and missing continuations (RFC 3629 §3, §4). */
static const char *const bad[] = {"\x80",
                                  "\xbf",
                                  "\xc0\x80",
                                  "\xc1\xbf",
                                  "\xe0\x80\x80",
                                  "\xe0\x9f\xbf",
                                  "\xed\xa0\x80",
                                  "\xed\xbf\xbf",
                                  "\xf0\x80\x80\x80",
                                  "\xf0\x8f\xbf\xbf",
                                  "\xf4\x90\x80\x80",
                                  "\xf5\x80\x80\x80",
                                  "\xf8\x88\x80\x80\x80",
                                  "\xfe",
                                  "\xff",
                                  "\xc2",
                                  "\xe2\x82",
                                  "\xf0\x9f\x98",
                                  "\xc2\x41",
                                  "\xe2\x82\x41",
                                  "\xf0\x9f\x98\x41",
                                  "\xc3\xc3\xa9"};

/* In memory of just its size: a sanitizer sees a step behind the end. */
static bool is_valid_alone(const char *text, size_t len)
{
    char *copy = malloc(len);
    if (len > 0)
        memcpy(copy, text, len);
    bool is_valid = utf8_is_valid(span_of(copy, len));
    free(copy);
    return is_valid;
}

/* ASCII is passed over in long steps: what stands at any place of a step is seen all the same. */
static void where_a_sequence_stands_does_not_matter(void **state)
{
    (void)state;
    char text[64];
    for (size_t before = 0; before < 20; before++) {
        for (size_t after = 0; after < 20; after += 3) {
            for (size_t i = 0; i < ARRAY_LEN(good) + ARRAY_LEN(bad); i++) {
                bool is_good = i < ARRAY_LEN(good);
                struct span part = span_cstr(is_good ? good[i] : bad[i - ARRAY_LEN(good)]);
                memset(text, 'a', sizeof text);
                if (part.len > 0)
                    memcpy(text + before, part.ptr, part.len);
                assert_int_equal(is_valid_alone(text, before + part.len + after), is_good);
            }
        }
    }
}

/* RFC 3629 §4: all pairs of these, with continuations that are in order. */
static void lead_and_second_byte_decide(void **state)
{
    (void)state;
    for (unsigned first = 0x80; first < 0x100; first++) {
        for (unsigned second = 0; second < 0x100; second++) {
            bool is_tail = second >= 0x80 && second <= 0xbf;
            bool is_two = first >= 0xc2 && first <= 0xdf && is_tail;
            bool is_three = first >= 0xe0 && first <= 0xef && is_tail &&
                            (first != 0xe0 || second >= 0xa0) && (first != 0xed || second <= 0x9f);
            bool is_four = first >= 0xf0 && first <= 0xf4 && is_tail &&
                           (first != 0xf0 || second >= 0x90) && (first != 0xf4 || second <= 0x8f);
            char text[] = {(char)first, (char)second, '\x80', '\x80'};
            assert_int_equal(utf8_is_valid(span_of(text, 2)), is_two);
            assert_int_equal(utf8_is_valid(span_of(text, 3)), is_three);
            assert_int_equal(utf8_is_valid(span_of(text, 4)), is_four);
        }
    }
}

/* C16: what would make a line read as another. Both ends of each range and its neighbours. */
static void deceptive_characters_are_not_plain(void **state)
{
    (void)state;
    static const char *const deceptive[] = {
        "a\nb",         "\x01",         "\x1f",         "\x7f",         "\xc2\x80",
        "\xc2\x85",     "\xc2\x9f",     "\xd8\x9c",     "\xe2\x80\x8b", "\xe2\x80\x8f",
        "\xe2\x80\xa8", "\xe2\x80\xae", "\xe2\x81\xa0", "\xe2\x81\xa6", "\xe2\x81\xa9",
        "\xef\xbb\xbf", "a\xff",        "\xc3"};
    static const char *const plain[] = {
        "",
        " ~",
        "\xc2\xa0",
        "\xe2\x80\x8a",
        "\xe2\x80\x90",
        "\xe2\x80\xa7",
        "\xe2\x80\xaf",
        "\xe2\x81\x9f",
        "\xe2\x81\xaa",
        "Kunden \xe2\x80\x93 \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x98\x80"};
    for (size_t i = 0; i < ARRAY_LEN(deceptive); i++)
        assert_false(utf8_is_plain(span_cstr(deceptive[i])));
    for (size_t i = 0; i < ARRAY_LEN(plain); i++)
        assert_true(utf8_is_plain(span_cstr(plain[i])));
    assert_false(utf8_is_plain(span_of("a\0b", 3)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_a_sequence_stands_does_not_matter),
        cmocka_unit_test(lead_and_second_byte_decide),
        cmocka_unit_test(deceptive_characters_are_not_plain),
    };
    return RUN_TESTS(tests);
}
