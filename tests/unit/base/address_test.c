/* SPDX-License-Identifier: Apache-2.0 */
#include "base/address.h"

#include "../unit.h"

static void addresses_are_read_in_their_plain_spellings(void **state)
{
    (void)state;
    static const char *const good[][2] = {
        {"192.0.2.1", "192.0.2.1"},
        {"0.0.0.0", "0.0.0.0"},
        {"255.255.255.255", "255.255.255.255"},
        {"::1", "::1"},
        {"2001:DB8:0:0::1", "2001:db8::1"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"::", "::"},
    };
    static const char *const bad[] = {
        "",          "1",
        "1.2.3",     "1.2.3.4.5",
        "01.2.3.4",  "1.2.3.256",
        "0x1.2.3.4", " 1.2.3.4",
        "1.2.3.4 ",  "[::1]",
        "::1%lo",    ":::",
        "1::2::3",   "fe80::1/64",
        "12345::",   "1.2.3.4:80",
        "localhost", "unknown",
        "_hidden",   "0000:0000:0000:0000:0000:0000:0000:0000:0000:0001:0002",
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct address address;
        char text[ADDRESS_TEXT_MAX];
        assert_true(address_parse(span_cstr(good[i][0]), &address));
        assert_int_equal(address_text(&address, text), strlen(good[i][1]));
        assert_string_equal(text, good[i][1]);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct address address;
        if (address_parse(span_cstr(bad[i]), &address))
            fail_msg("%s is taken", bad[i]);
    }
    struct address address;
    assert_false(address_parse(span_of("1.2.3.4\0", 8), &address));
}

static bool is_in(const char *address_of, const char *range_of)
{
    struct address address;
    struct address_range range;
    assert_true(address_parse(span_cstr(address_of), &address));
    assert_true(address_range_parse(span_cstr(range_of), &range));
    return address_is_in(&address, &range);
}

static void ranges_hold_what_shares_their_first_bits(void **state)
{
    (void)state;
    assert_true(is_in("10.1.2.3", "10.0.0.0/8"));
    assert_false(is_in("11.1.2.3", "10.0.0.0/8"));
    assert_true(is_in("10.0.0.127", "10.0.0.0/25"));
    assert_false(is_in("10.0.0.128", "10.0.0.0/25"));
    assert_true(is_in("10.0.0.1", "10.0.0.1"));
    assert_false(is_in("10.0.0.2", "10.0.0.1/32"));
    assert_true(is_in("1.2.3.4", "0.0.0.0/0"));
    assert_false(is_in("::1", "0.0.0.0/0"));
    assert_true(is_in("1.2.3.4", "::/0"));
    assert_true(is_in("2001:db8:1::5", "2001:db8::/32"));
    assert_false(is_in("2001:db9::5", "2001:db8::/32"));
    assert_true(is_in("::ffff:10.0.0.1", "10.0.0.0/8"));
    assert_true(is_in("10.0.0.1", "::ffff:10.0.0.0/104"));
}

static void ranges_that_are_none_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"10.0.0.0/", "10.0.0.0/33",  "10.0.0.1/8",  "::/129",
                                      "::1/64",    "10.0.0.0/8/8", "/8",          "10.0.0.0/-1",
                                      "10/8",      "::/0x1",       "10.0.0.0/ 8", "10.0.0.0/0008"};
    struct address_range range;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (address_range_parse(span_cstr(bad[i]), &range))
            fail_msg("%s is taken", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read_in_their_plain_spellings),
        cmocka_unit_test(ranges_hold_what_shares_their_first_bits),
        cmocka_unit_test(ranges_that_are_none_are_refused),
    };
    return RUN_TESTS(tests);
}
