/* SPDX-License-Identifier: Apache-2.0 */
#include "base/span.h"

#include "../unit.h"

static void cut_takes_pieces_until_nothing_is_left(void **state)
{
    (void)state;
    struct span rest = SPAN("a=b==");
    struct span piece;
    assert_true(span_cut(&rest, '=', &piece));
    assert_span_equal(piece, "a");
    assert_true(span_cut(&rest, '=', &piece));
    assert_span_equal(piece, "b");
    assert_true(span_cut(&rest, '=', &piece));
    assert_span_equal(piece, "");
    assert_false(span_cut(&rest, '=', &piece));
    assert_span_equal(piece, "");
    assert_int_equal(rest.len, 0);
}

static void compare_is_a_total_order(void **state)
{
    (void)state;
    assert_int_equal(span_compare(SPAN("abc"), SPAN("abc")), 0);
    assert_true(span_compare(SPAN("ab"), SPAN("abc")) < 0);
    assert_true(span_compare(SPAN("b"), SPAN("abc")) > 0);
    assert_int_equal(span_compare((struct span){0}, SPAN("")), 0);
    assert_true(span_compare(SPAN("\xff"), SPAN("\x01")) > 0);
}

static void numbers_stop_at_int64_max(void **state)
{
    (void)state;
    int64_t value = -1;
    assert_true(span_to_int64(SPAN("9223372036854775807"), &value));
    assert_true(value == INT64_MAX);
    assert_false(span_to_int64(SPAN("9223372036854775808"), &value));
    assert_false(span_to_int64(SPAN(""), &value));
    assert_false(span_to_int64(SPAN("-1"), &value));
    assert_false(span_to_int64(SPAN("+1"), &value));
    assert_false(span_to_int64(SPAN("1 "), &value));
}

static void case_is_folded_for_ascii_letters_only(void **state)
{
    (void)state;
    assert_true(span_equal_nocase(SPAN("Content-TYPE"), SPAN("content-type")));
    assert_false(span_equal_nocase(SPAN("[\\]"), SPAN("{|}")));
    assert_true(span_starts_nocase(SPAN("BEARER x"), SPAN("bearer ")));
}

static void trim_takes_blanks_but_not_line_ends(void **state)
{
    (void)state;
    assert_span_equal(span_trim(SPAN(" \t a b\t ")), "a b");
    assert_span_equal(span_trim(SPAN("  ")), "");
    assert_span_equal(span_trim(SPAN("\r\n")), "\r\n");
}

static void only_refuses_nul(void **state)
{
    (void)state;
    assert_true(span_only(SPAN("abba"), "ab"));
    assert_false(span_only(span_of("a\0b", 3), "ab"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_takes_pieces_until_nothing_is_left),
        cmocka_unit_test(compare_is_a_total_order),
        cmocka_unit_test(numbers_stop_at_int64_max),
        cmocka_unit_test(case_is_folded_for_ascii_letters_only),
        cmocka_unit_test(trim_takes_blanks_but_not_line_ends),
        cmocka_unit_test(only_refuses_nul),
    };
    return RUN_TESTS(tests);
}
