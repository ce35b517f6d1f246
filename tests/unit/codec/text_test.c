/* SPDX-License-Identifier: Apache-2.0 */
/* The small codecs: hexadecimal, times, UTF-8, patterns. */
#include "codec/hex.h"
#include "codec/pattern.h"
#include "codec/rfc3339.h"
#include "codec/utf8.h"

#include "../unit.h"

#include "base/buf.h"

static void times_are_utc(void **state)
{
    (void)state;
    struct buf text AUTO(buf);
    buf_init(&text, 256);
    rfc3339_write(&text, 1750173000);
    assert_span_equal(buf_span(&text), "2025-06-17T15:10:00Z");
    buf_clear(&text);
    http_date_write(&text, 784111777); /* RFC 9110 §5.6.7 */
    assert_span_equal(buf_span(&text), "Sun, 06 Nov 1994 08:49:37 GMT");
    buf_clear(&text);
    hex_write(&text, span_of("\x00\xff\x1a", 3));
    assert_span_equal(buf_span(&text), "00ff1a");
}

/* RFC 3339 §1: years 0000 to 9999. What is stored wrong must not become a text that is no time. */
static void a_time_outside_four_digit_years_fails(void **state)
{
    (void)state;
    static const struct {
        int64_t seconds;
        const char *text;
        const char *date;
    } ends[] = {
        {-62167219200, "0000-01-01T00:00:00Z", "Sat, 01 Jan 0000 00:00:00 GMT"},
        {253402300799, "9999-12-31T23:59:59Z", "Fri, 31 Dec 9999 23:59:59 GMT"},
        {-1, "1969-12-31T23:59:59Z", "Wed, 31 Dec 1969 23:59:59 GMT"},
        {951782400, "2000-02-29T00:00:00Z", "Tue, 29 Feb 2000 00:00:00 GMT"},
    };
    static const int64_t outside[] = {-62167219201, 253402300800, INT64_MIN, INT64_MAX};
    struct buf text AUTO(buf);
    buf_init(&text, 256);
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        buf_clear(&text);
        rfc3339_write(&text, ends[i].seconds);
        assert_int_equal(text.len, RFC3339_LEN);
        assert_span_equal(buf_span(&text), ends[i].text);
        buf_clear(&text);
        http_date_write(&text, ends[i].seconds);
        assert_span_equal(buf_span(&text), ends[i].date);
    }
    for (size_t i = 0; i < ARRAY_LEN(outside); i++) {
        buf_clear(&text);
        rfc3339_write(&text, outside[i]);
        assert_false(buf_ok(&text));
        buf_clear(&text);
        http_date_write(&text, outside[i]);
        assert_false(buf_ok(&text));
    }
}

static void hexadecimal_is_lower_case(void **state)
{
    (void)state;
    struct buf text AUTO(buf);
    buf_init(&text, 256);
    hex_write(&text, (struct span){0});
    assert_int_equal(text.len, 0);
    hex_write(&text, SPAN("\x01\x23\x45\x67\x89\xab\xcd\xef"));
    assert_span_equal(buf_span(&text), "0123456789abcdef");
}

/* Every sequence of up to three bytes that begins beyond ASCII, against the table of RFC 3629 §4.
 */
static bool is_by_the_table(const unsigned char *b, size_t len)
{
    if (len == 2)
        return b[0] >= 0xc2 && b[0] <= 0xdf && b[1] >= 0x80 && b[1] <= 0xbf;
    unsigned lowest = b[0] == 0xe0 ? 0xa0 : 0x80;
    unsigned highest = b[0] == 0xed ? 0x9f : 0xbf;
    return b[0] >= 0xe0 && b[0] <= 0xef && b[1] >= lowest && b[1] <= highest && b[2] >= 0x80 &&
           b[2] <= 0xbf;
}

static void utf8_follows_the_table_of_rfc_3629(void **state)
{
    (void)state;
    unsigned char bytes[3];
    size_t wrong = 0;
    for (unsigned first = 0x80; first < 0x100; first++) {
        bytes[0] = (unsigned char)first;
        wrong += utf8_is_valid(span_of(bytes, 1));
        for (unsigned second = 0x80; second < 0x100; second++) {
            bytes[1] = (unsigned char)second;
            wrong += utf8_is_valid(span_of(bytes, 2)) != is_by_the_table(bytes, 2);
            for (unsigned third = 0x80; third < 0x100; third++) {
                bytes[2] = (unsigned char)third;
                wrong += utf8_is_valid(span_of(bytes, 3)) != is_by_the_table(bytes, 3);
            }
        }
    }
    assert_int_equal(wrong, 0);
}

static void good_utf8_cut_in_a_letter_is_not_valid(void **state)
{
    (void)state;
    struct span text = SPAN("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
    for (size_t len = 0; len <= text.len; len++) {
        bool is_whole = len == 0 || len == 2 || len == 5 || len == 9;
        assert_int_equal(utf8_is_valid(span_first(text, len)), is_whole);
        assert_int_equal(utf8_is_plain(span_first(text, len)), is_whole);
    }
    assert_int_equal(utf8_length(text), 3);
    assert_int_equal(utf8_length((struct span){0}), 0);
    assert_true(utf8_is_valid(SPAN("\0"))); /* NUL is a character; others refuse it */
    assert_false(utf8_is_plain(SPAN("\0")));
}

static void utf8_is_the_shortest_form_only(void **state)
{
    (void)state;
    static const char *const good[] = {"",
                                       "a",
                                       "\xc2\x80",
                                       "\xe0\xa0\x80",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80",
                                       "\xf0\x90\x80\x80",
                                       "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {"\x80",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xe0\x9f\xbf",
                                      "\xed\xa0\x80",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf8\x88\x80\x80\x80",
                                      "\xc2",
                                      "\xe2\x82",
                                      "a\xff",
                                      "\xc2\x41"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(utf8_is_valid(span_cstr(good[i])));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(utf8_is_valid(span_cstr(bad[i])));
    assert_int_equal(utf8_length(SPAN("a\xc3\xa9\xf0\x9f\x98\x80")), 3);
}

/* C16: what would make a line read as another. */
static void deceptive_characters_are_not_plain(void **state)
{
    (void)state;
    static const char *const bad[] = {"a\nb",         "\x7f",         "\xc2\x85",
                                      "\xe2\x80\xae", "\xe2\x80\x8b", "\xef\xbb\xbf",
                                      "\xe2\x81\xa6", "\xe2\x80\xa8", "\xd8\x9c"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(utf8_is_plain(span_cstr(bad[i])));
    assert_true(
        utf8_is_plain(SPAN("Kunden \xe2\x80\x93 \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x98\x80")));
}

static bool matches(const char *expression, const char *text)
{
    AUTO(pattern) struct pattern *pattern = NULL;
    bool is_match = false;
    assert_int_equal(pattern_compile(span_cstr(expression), &pattern, NULL), OK);
    assert_int_equal(pattern_matches(pattern, span_cstr(text), &is_match, NULL), OK);
    return is_match;
}

static void patterns_are_found_anywhere(void **state)
{
    (void)state;
    assert_true(matches("rod", "crm-prod-1"));
    assert_true(matches("^crm.*[0-9]$", "crm-prod-1"));
    assert_false(matches("^rod", "crm-prod-1"));
    assert_true(matches("\xc3\xa9.$", "caf\xc3\xa9\xc3\xa9"));
    assert_true(matches("", ""));
}

static void patterns_that_do_not_compile_say_where(void **state)
{
    (void)state;
    static const char *const bad[] = {"(", "[a", "a{2,1}", "\\C", "(?<n>a)(?<n>b)", "*"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct pattern *pattern = NULL;
        struct err err = {0};
        assert_int_equal(pattern_compile(span_cstr(bad[i]), &pattern, &err), INVALID);
        assert_true(err.detail[0] != '\0');
    }
    char text[PATTERN_LEN_MAX + 1];
    struct pattern *pattern = NULL;
    memset(text, 'a', sizeof text);
    assert_int_equal(pattern_compile(span_of(text, sizeof text), &pattern, NULL), INVALID);
}

static void a_costly_pattern_ends_with_an_error(void **state)
{
    (void)state;
    AUTO(pattern) struct pattern *pattern = NULL;
    static char text[4096];
    bool is_match;
    struct err err = {0};
    memset(text, 'a', sizeof text - 1);
    assert_int_equal(pattern_compile(SPAN("^(a+)+$|(a|b|ab)*c"), &pattern, NULL), OK);
    text[sizeof text - 2] = '!';
    assert_int_equal(pattern_matches(pattern, span_cstr(text), &is_match, &err), INVALID);
}

/* PCRE2's own limit starts anew at each place in each text: 255 letters alone took a second. */
static void what_all_texts_cost_together_is_bounded(void **state)
{
    (void)state;
    AUTO(pattern) struct pattern *pattern = NULL;
    char text[255];
    enum status status = OK;
    memset(text, 'a', sizeof text);
    assert_int_equal(pattern_compile(SPAN("(?i:(?:a|A){1,8}[bc])"), &pattern, NULL), OK);
    for (int texts = 0; texts < 200 && status == OK; texts++) {
        bool is_match = true;
        status = pattern_matches(pattern, span_of(text, sizeof text), &is_match, NULL);
        assert_true(status == INVALID || !is_match);
    }
    assert_int_equal(status, INVALID);
}

static void a_plain_pattern_is_not_too_costly_for_many_texts(void **state)
{
    (void)state;
    AUTO(pattern) struct pattern *pattern = NULL;
    assert_int_equal(pattern_compile(SPAN("^crm-.*[0-9]$"), &pattern, NULL), OK);
    for (int texts = 0; texts < 20000; texts++) {
        bool is_match;
        assert_int_equal(
            pattern_matches(pattern, SPAN("crm-prod-knowledge-base-17"), &is_match, NULL), OK);
        assert_true(is_match);
    }
}

static void patterns_know_letters_not_bytes(void **state)
{
    (void)state;
    assert_true(matches("^.$", "\xf0\x9f\x98\x80"));
    assert_true(matches("(?i)^\xc3\x89$", "\xc3\xa9"));
    assert_true(matches("^a(?C1)b$", "ab")); /* a callout of the caller's stops nothing */
    struct pattern *pattern = NULL;
    assert_int_equal(pattern_compile(SPAN("\xc3"), &pattern, NULL), INVALID);
    assert_int_equal(pattern_compile((struct span){0}, &pattern, NULL), OK);
    pattern_free(pattern);
    pattern_free(NULL);
    char text[PATTERN_LEN_MAX];
    memset(text, 'a', sizeof text);
    assert_int_equal(pattern_compile(span_of(text, sizeof text), &pattern, NULL), OK);
    pattern_free(pattern);
}

static void a_pattern_too_big_or_too_deep_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"(?:(?:a{1,999}){1,999}){1,999}", "(a)\\2", "(?R)", "(?&x)"};
    struct pattern *pattern = NULL;
    bool is_match;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        enum status status = pattern_compile(span_cstr(bad[i]), &pattern, NULL);
        if (status == OK) {
            status = pattern_matches(pattern, SPAN("aaa"), &is_match, NULL);
            pattern_free(pattern);
        }
        assert_int_equal(status, INVALID);
    }
}

static void rfc_3339_times_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds;
    } good[] = {
        {"2025-06-17T15:10:00Z", 1750173000},      {"2025-06-17t15:10:00z", 1750173000},
        {"2025-06-17 15:10:00.987Z", 1750173000},  {"2025-06-17T17:10:00+02:00", 1750173000},
        {"2025-06-17T09:40:00-05:30", 1750173000}, {"1970-01-01T00:00:00Z", 0},
        {"1990-12-31T23:59:60Z", 662688000},       {"2024-02-29T00:00:00Z", 1709164800},
        {"2000-02-29T00:00:00Z", 951782400},       {"1969-12-31T23:59:59Z", -1},
    };
    static const char *const bad[] = {
        "",
        "2025-06-17",
        "2025-06-17T15:10Z",
        "2025-06-17T15:10:00",
        "2025-06-17T15:10:00.Z",
        "2025-06-17T15:10:00Z ",
        " 2025-06-17T15:10:00Z",
        "2025-6-17T15:10:00Z",
        "2025-13-01T00:00:00Z",
        "2025-00-01T00:00:00Z",
        "2025-06-31T00:00:00Z",
        "2025-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2025-06-00T00:00:00Z",
        "2025-06-17T24:00:00Z",
        "2025-06-17T15:60:00Z",
        "2025-06-17T15:10:61Z",
        "2025-06-17T15:10:00+2",
        "2025-06-17T15:10:00+02:60",
        "2025-06-17T15:10:00+24:00",
        "2025-06-17T15:10:00 02:00",
        "1750173000",
    };
    int64_t seconds;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_true(rfc3339_read(span_cstr(good[i].text), &seconds));
        assert_int_equal(seconds, good[i].seconds);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (rfc3339_read(span_cstr(bad[i]), &seconds))
            fail_msg("%s is taken", bad[i]);
    }
    assert_false(rfc3339_read(span_of("2025-06-17T15:10:00\0Z", 21), &seconds));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_utc),
        cmocka_unit_test(a_time_outside_four_digit_years_fails),
        cmocka_unit_test(hexadecimal_is_lower_case),
        cmocka_unit_test(utf8_is_the_shortest_form_only),
        cmocka_unit_test(utf8_follows_the_table_of_rfc_3629),
        cmocka_unit_test(good_utf8_cut_in_a_letter_is_not_valid),
        cmocka_unit_test(deceptive_characters_are_not_plain),
        cmocka_unit_test(patterns_are_found_anywhere),
        cmocka_unit_test(patterns_that_do_not_compile_say_where),
        cmocka_unit_test(a_costly_pattern_ends_with_an_error),
        cmocka_unit_test(what_all_texts_cost_together_is_bounded),
        cmocka_unit_test(a_plain_pattern_is_not_too_costly_for_many_texts),
        cmocka_unit_test(patterns_know_letters_not_bytes),
        cmocka_unit_test(a_pattern_too_big_or_too_deep_is_refused),
        cmocka_unit_test(rfc_3339_times_are_read),
    };
    return RUN_TESTS(tests);
}
