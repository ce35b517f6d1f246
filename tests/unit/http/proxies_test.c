/* SPDX-License-Identifier: Apache-2.0 */
#include "http/proxies.h"

#include "../exchange_fixture.h"

/* Who the client is, from peer 10.0.0.1, when 10.0.0.0/8 and fd00::/8 are ours. */
static const char *client_of(enum proxy_way way, const char *const *values, char *text)
{
    struct exchange_fixture f;
    struct proxies proxies;
    struct address peer;
    assert_true(proxies_read(SPAN("10.0.0.0/8, fd00::/8"),
                             way == PROXY_FORWARDED ? SPAN("forwarded") : SPAN("x-forwarded-for"),
                             &proxies));
    assert_true(address_parse(SPAN("10.0.0.1"), &peer));
    fixture_open(&f, HTTP_GET, "/");
    for (; *values != NULL; values++)
        fixture_header(&f, way == PROXY_FORWARDED ? "Forwarded" : "X-Forwarded-For", *values);
    struct address client = proxies_client(&proxies, &f.x, &peer);
    (void)address_text(&client, text);
    fixture_close(&f);
    return text;
}

struct chain {
    const char *values[4];
    const char *client;
};

static void check(enum proxy_way way, const struct chain *chains, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char text[ADDRESS_TEXT_MAX];
        assert_string_equal(client_of(way, chains[i].values, text), chains[i].client);
    }
}

static void the_nearest_stranger_is_the_client(void **state)
{
    (void)state;
    static const struct chain chains[] = {
        {{NULL}, "10.0.0.1"},
        {{"192.0.2.1"}, "192.0.2.1"},
        {{"203.0.113.7, 192.0.2.1"}, "192.0.2.1"}, /* the farther one may be made up */
        {{"203.0.113.7, 192.0.2.1, 10.0.0.9"}, "192.0.2.1"},
        {{"192.0.2.1,10.0.0.9, fd00::2"}, "192.0.2.1"},
        {{"10.0.0.8, 10.0.0.9"}, "10.0.0.8"}, /* all ours: the farthest */
        {{"192.0.2.1", "10.0.0.9"}, "192.0.2.1"},
        {{"203.0.113.7", "192.0.2.1"}, "192.0.2.1"},
        {{"192.0.2.1:4711"}, "192.0.2.1"},
        {{"2001:db8::1"}, "2001:db8::1"},
        {{"[2001:db8::1]:80"}, "2001:db8::1"},
        {{"[2001:db8::1]"}, "2001:db8::1"},
        {{"  192.0.2.1  "}, "192.0.2.1"},
        {{"192.0.2.1, unknown"}, "10.0.0.1"},
        {{"192.0.2.1, unknown, 10.0.0.9"}, "10.0.0.9"},
        {{"192.0.2.1, "}, "10.0.0.1"},
        {{""}, "10.0.0.1"},
        {{"192.0.2.256"}, "10.0.0.1"},
        {{"192.0.2.1:"}, "10.0.0.1"},
        {{"192.0.2.1:123456"}, "10.0.0.1"},
        {{"[192.0.2.1]"}, "10.0.0.1"},
        {{"[::1"}, "10.0.0.1"},
        {{"localhost"}, "10.0.0.1"},
        {{"unknown, 192.0.2.1"}, "192.0.2.1"},
    };
    check(PROXY_X_FORWARDED_FOR, chains, ARRAY_LEN(chains));
}

/* RFC 7239 §4 and §6. */
static void forwarded_says_the_same(void **state)
{
    (void)state;
    static const struct chain chains[] = {
        {{"for=192.0.2.43"}, "192.0.2.43"},
        {{"For=\"[2001:db8:cafe::17]:4711\""}, "2001:db8:cafe::17"},
        {{"for=192.0.2.60;proto=http;by=203.0.113.43"}, "192.0.2.60"},
        {{"for=192.0.2.43, for=198.51.100.17"}, "198.51.100.17"},
        {{"for=192.0.2.43, for=10.0.0.7;by=10.0.0.8"}, "192.0.2.43"},
        {{"host=\"a;b,c\";for=192.0.2.43"}, "192.0.2.43"},
        {{"proto=https ; for=\"192.0.2.43:80\" ; host=a"}, "192.0.2.43"},
        {{"for=192.0.2.43", "for=10.0.0.7"}, "192.0.2.43"},
        {{"for=_hidden"}, "10.0.0.1"},
        {{"for=unknown"}, "10.0.0.1"},
        {{"proto=https"}, "10.0.0.1"},
        {{"for=192.0.2.43, proto=https"}, "10.0.0.1"},
        {{"for=192.0.2.43;for=192.0.2.44"}, "10.0.0.1"},
        {{"for=\"192.0.2.43"}, "10.0.0.1"},
        {{"for=\"192.0.2.4\\3\""}, "10.0.0.1"},
        {{"for=[2001:db8::1]"}, "2001:db8::1"},
        {{"for=2001:db8::1"}, "2001:db8::1"},
        {{"for"}, "10.0.0.1"},
        {{"for="}, "10.0.0.1"},
        {{"for=192.0.2.43;"}, "10.0.0.1"},
        {{"for=192.0.2.43 x"}, "10.0.0.1"},
        {{"192.0.2.43"}, "10.0.0.1"},
        {{""}, "10.0.0.1"},
    };
    check(PROXY_FORWARDED, chains, ARRAY_LEN(chains));
}

static void what_is_no_list_of_proxies_is_refused(void **state)
{
    (void)state;
    struct proxies proxies;
    assert_true(proxies_read(SPAN(""), SPAN("none"), &proxies));
    assert_int_equal(proxies.count, 0);
    assert_false(proxies_read(SPAN("10.0.0.0/8,"), SPAN("none"), &proxies));
    assert_false(proxies_read(SPAN("proxy"), SPAN("none"), &proxies));
    assert_false(proxies_read(SPAN(""), SPAN("x-real-ip"), &proxies));
}

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

static const struct span tcp4 = SPAN_INIT(SIGNATURE "\x21\x11\0\x0c"
                                                    "\xc0\0\2\1"
                                                    "\x7f\0\0\1"
                                                    "\x12\x34\0\x50");

static void a_proxy_header_names_its_client(void **state)
{
    (void)state;
    static const struct {
        struct span bytes;
        const char *client; /* NULL: the proxy speaks for itself */
    } cases[] = {
        {SPAN_INIT(SIGNATURE "\x21\x11\0\x0c\xc0\0\2\1\x7f\0\0\1\x12\x34\0\x50rest"), "192.0.2.1"},
        {SPAN_INIT(SIGNATURE "\x21\x21\0\x24\x20\1\r\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
                             "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\1\0\2rest"),
         "2001:db8::1"},
        {SPAN_INIT(SIGNATURE "\x21\x11\0\x0f\xc0\0\2\1\x7f\0\0\1\x12\x34\0\x50\4\0\0rest"),
         "192.0.2.1"}, /* with a TLV */
        {SPAN_INIT(SIGNATURE "\x20\0\0\0rest"), NULL},
        {SPAN_INIT(SIGNATURE "\x20\x11\0\x0c\xc0\0\2\1\x7f\0\0\1\x12\x34\0\x50rest"), NULL},
        {SPAN_INIT(SIGNATURE "\x21\0\0\0rest"), NULL},
        {SPAN_INIT(SIGNATURE "\x21\x12\0\x0c\xc0\0\2\1\x7f\0\0\1\x12\x34\0\x50rest"),
         NULL}, /* UDP */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct span bytes = cases[i].bytes;
        struct address client;
        bool has_client;
        char text[ADDRESS_TEXT_MAX];
        assert_int_equal(proxies_header_read(&bytes, &client, &has_client), PROXY_HEADER_GOOD);
        assert_span_equal(bytes, "rest");
        assert_int_equal(has_client, cases[i].client != NULL);
        if (has_client) {
            (void)address_text(&client, text);
            assert_string_equal(text, cases[i].client);
        }
    }
}

static void a_proxy_header_cut_anywhere_is_waited_for(void **state)
{
    (void)state;
    for (size_t len = 0; len < tcp4.len; len++) {
        struct span bytes = span_first(tcp4, len);
        struct address client;
        bool has_client;
        assert_int_equal(proxies_header_read(&bytes, &client, &has_client), PROXY_HEADER_MORE);
        assert_int_equal(bytes.len, len);
    }
}

static void what_is_no_proxy_header_is_seen_at_once(void **state)
{
    (void)state;
    static const struct span bad[] = {
        SPAN_INIT("GET / HTTP/1.1\r\n"),
        SPAN_INIT("G"),
        SPAN_INIT("PROXY TCP4 192.0.2.1 127.0.0.1 1 2\r\n"), /* version 1 */
        SPAN_INIT("\r\n\r\n\1"),
        SPAN_INIT(SIGNATURE "\x11\x11\0\x0c\xc0\0\2\1\x7f\0\0\1\x12\x34\0\x50"),
        SPAN_INIT(SIGNATURE "\x31\x11\0\x0c\xc0\0\2\1\x7f\0\0\1\x12\x34\0\x50"),
        SPAN_INIT(SIGNATURE "\x22\x11\0\x0c\xc0\0\2\1\x7f\0\0\1\x12\x34\0\x50"),
        SPAN_INIT(SIGNATURE "\x21\x11\0\x0b\xc0\0\2\1\x7f\0\0\1\x12\x34\0\x50"), /* too short */
        SPAN_INIT(SIGNATURE "\x21\x21\0\x0c\xc0\0\2\1\x7f\0\0\1\x12\x34\0\x50"),
        SPAN_INIT(SIGNATURE "\x21\x11\xff\xff"), /* longer than we read */
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct span bytes = bad[i];
        struct address client;
        bool has_client;
        assert_int_equal(proxies_header_read(&bytes, &client, &has_client), PROXY_HEADER_BAD);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nearest_stranger_is_the_client),
        cmocka_unit_test(forwarded_says_the_same),
        cmocka_unit_test(what_is_no_list_of_proxies_is_refused),
        cmocka_unit_test(a_proxy_header_names_its_client),
        cmocka_unit_test(a_proxy_header_cut_anywhere_is_waited_for),
        cmocka_unit_test(what_is_no_proxy_header_is_seen_at_once),
    };
    return RUN_TESTS(tests);
}
