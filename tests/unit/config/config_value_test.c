/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_value.h"

#include "config_fixture.h"

static void each_wrong_value_is_refused_with_its_key(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        const char *value;
    } wrong[] = {
        {"listen", "8080"},
        {"listen", "127.0.0.1"},
        {"listen", "127.0.0.1:70000"},
        {"listen", "::1:80"},
        {"listen", "localhost:80"},
        {"public_url", "ftp://a"},
        {"public_url", "http://a.example/"},
        {"public_url", "https://A.example"},
        {"public_url", "https://a.example/"},
        {"public_url", "https://a.example/path"},
        {"public_url", "https://a.example?x"},
        {"public_url", "https://a.example:443"},
        {"public_url", "https://"},
        {"public_url", "https://user@a.example"},
        {"token_alg", "HS256"},
        {"token_alg", "none"},
        {"token_alg", "rs256"},
        {"token_ttl_seconds", "0"},
        {"token_ttl_seconds", "86401"},
        {"token_ttl_seconds", "30m"},
        {"token_ttl_seconds", "-1"},
        {"secret_base", "p"},
        {"secret_base", "Pst"},
        {"secret_base", "1st"},
        {"secret_base", "a-b"},
        {"secret_base", "abcdefghijklmnopq"},
        {"secret_readback", "24"},
        {"secret_readback", "0h"},
        {"secret_readback", "forever"},
        {"secret_readback", "h"},
        {"loops", "65"},
        {"workers", "0"},
        {"log_format", "xml"},
        {"data", ""},
        {"allow_plain_http", "yes"},
        {"trusted_proxies", "10.0.0.0/8,"},
        {"trusted_proxies", "10.0.0.1/8"},
        {"trusted_proxies", "10.0.0.0/33"},
        {"trusted_proxies", "localhost"},
        {"trusted_proxies", "[::1]"},
        {"proxy_header", "x-real-ip"},
        {"cors_origins", "*"},
        {"cors_origins", "null"},
        {"cors_origins", "https://a.example/"},
        {"cors_origins", "http://a.example"},
        {"allow_plain_http", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct fixture f;
        open_defaults(&f);
        assert_int_equal(set(&f, wrong[i].key, wrong[i].value), INVALID);
        assert_non_null(strstr(f.err.detail, wrong[i].key));
        arena_done(&f.arena);
    }
}

static void each_good_value_is_taken(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        const char *value;
    } good[] = {
        {"listen", "127.1.2.3:0"},
        {"listen", "[::1]:8080"},
        {"public_url", "https://a.example"},
        {"public_url", "https://a.example:8443"},
        {"public_url", "http://127.0.0.1:8080"},
        {"public_url", "http://[::1]:8080"},
        {"public_url", "http://localhost"},
        {"public_url", "https://[2001:db8::1]"},
        {"public_url", ""},
        {"token_alg", "EdDSA"},
        {"token_ttl_seconds", "1"},
        {"token_ttl_seconds", "86400"},
        {"secret_base", "acme_live"},
        {"secret_readback", "never"},
        {"secret_readback", "always"},
        {"secret_readback", "90m"},
        {"secret_readback", "7d"},
        {"log_format", "json"},
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct fixture f;
        open_defaults(&f);
        assert_int_equal(set(&f, good[i].key, good[i].value), OK);
        arena_done(&f.arena);
    }
}

/* 5000d printed as 120000h, which is over the count that is read. */
static void every_readback_time_prints_as_one_that_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        const char *printed;
        int64_t seconds;
    } times[] = {
        {"never", "never", 0},
        {"always", "always", INT64_MAX},
        {"1m", "1m", 60},
        {"90m", "90m", 5400},
        {"60m", "1h", 3600},
        {"100000m", "100000m", 6000000},
        {"24h", "24h", 86400},
        {"36h", "36h", 129600},
        {"7d", "7d", 604800},
        {"99999h", "99999h", 359996400},
        {"100000h", "100000h", 360000000},
        {"5000d", "5000d", 432000000},
        {"100000d", "100000d", 8640000000},
    };
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        struct fixture f;
        struct buf text AUTO(buf);
        char line[64];
        open_defaults(&f);
        buf_init(&text, 1 << 16);
        assert_int_equal(set(&f, "secret_readback", times[i].value), OK);
        assert_true(f.config.secret_readback_seconds == times[i].seconds);
        config_print(&f.config, false, &text);
        buf_byte(&text, '\0');
        (void)snprintf(line, sizeof line, "\nsecret_readback = %s\n", times[i].printed);
        assert_true(buf_ok(&text) && strstr(text.data, line) != NULL);
        config_defaults(&f.config);
        assert_int_equal(set(&f, "secret_readback", times[i].printed), OK);
        assert_true(f.config.secret_readback_seconds == times[i].seconds);
        arena_done(&f.arena);
    }
}

/* One spelling of one origin: what a browser or a client would rewrite is refused. */
static void a_public_url_is_an_origin_in_its_one_spelling(void **state)
{
    (void)state;
    static const char *const good[] = {
        "https://a",
        "https://a.example",
        "https://auth-1.eu.example.com:8443",
        "https://xn--mnchen-3ya.example",
        "https://3com.example",
        "https://1.2.3.4",
        "https://10.0.0.1:1",
        "https://a.example:65535",
        "https://a.example:80",
        "https://[::1]",
        "https://[2001:db8::1]:8443",
        "http://localhost:8080",
        "http://127.0.0.1:443",
        "http://127.1.2.3",
        "http://[::1]",
    };
    static const char *const bad[] = {
        "a.example",
        "//a.example",
        "https:a.example",
        "HTTPS://a.example",
        "https://",
        "https:///",
        "https://[",
        "https://]",
        "https://[]",
        "https://[zz]",
        "https://[::1",
        "https://::1",
        "https://[::1][::1]",
        "https://[::1]x",
        "https://x[::1]",
        "https://[::1]:",
        "https://[::1]]",
        "https://[[::1]",
        "https://[0:0:0:0:0:0:0:1]",
        "https://[::0001]",
        "https://[::1%25lo]",
        "https://[1.2.3.4]",
        "https://a[b",
        "https://a..b",
        "https://.a",
        "https://a.",
        "https://.",
        "https://-a.example",
        "https://a-.example",
        "https://a_b.example",
        "https://a:",
        "https://a:0",
        "https://a:080",
        "https://a:65536",
        "https://a:443",
        "https://a:80:80",
        "https://a:x",
        "https://:80",
        "https://a:99999999999999999999",
        "https://1.2.3",
        "https://1.2.3.04",
        "https://1.2.3.256",
        "https://a.7",
        "https://127.0x1",
        "https://0x7f000001",
        "https://a.example/",
        "https://a.example#x",
        "https://a b",
        "https://a%20b",
        "https://caf\xc3\xa9",
        "https://a.example\\x",
        "http://localhost:80",
        "http://[::1]:80",
        "http://127.1",
        "http://localhost.",
    };
    /* In the clear, beyond loopback: only when the configuration says that this is meant. */
    static const char *const open[] = {
        "http://[::2]",
        "http://128.0.0.1",
        "http://a.localhost",
        "http://localhost.example",
        "http://127.0.0.1.example",
        "http://a.example:8080",
    };
    struct fixture f;
    open_defaults(&f);
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_int_equal(set(&f, "public_url", good[i]), OK);
        assert_span_equal(f.config.public_url, good[i]);
        assert_int_equal(config_check(&f.config, NULL), OK);
    }
    for (size_t i = 0; i < ARRAY_LEN(open); i++) {
        assert_int_equal(set(&f, "public_url", open[i]), OK);
        assert_int_equal(config_check(&f.config, NULL), INVALID);
        assert_int_equal(set(&f, "allow_plain_http", "true"), OK);
        assert_int_equal(config_check(&f.config, NULL), OK);
        assert_int_equal(set(&f, "allow_plain_http", "false"), OK);
        assert_int_equal(set(&f, "cors_origins", open[i]), INVALID);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (set(&f, "public_url", bad[i]) != INVALID)
            fail_msg("%s is taken", bad[i]);
    }
    arena_done(&f.arena);
}

static void a_host_name_has_its_limits(void **state)
{
    (void)state;
    struct fixture f;
    char url[512] = "https://";
    open_defaults(&f);
    memset(url + 8, 'a', 63);
    assert_int_equal(set(&f, "public_url", url), OK);
    url[8 + 63] = 'a';
    assert_int_equal(set(&f, "public_url", url), INVALID); /* a label of 64 */
    for (size_t i = 0; i < 253; i++)
        url[8 + i] = i % 2 == 0 ? 'a' : '.';
    assert_int_equal(set(&f, "public_url", url), OK);
    memcpy(url + 8 + 253, ".a", 3);
    assert_int_equal(set(&f, "public_url", url), INVALID); /* a name of 255 */
    arena_done(&f.arena);
}

static void addresses_are_written_in_full(void **state)
{
    (void)state;
    static const char *const good[] = {"127.0.0.1:0",
                                       "127.0.0.1:65535",
                                       "127.255.255.255:1",
                                       "[::1]:80",
                                       "[0:0:0:0:0:0:0:1]:80",
                                       "0.0.0.0:443 tls",
                                       "[::]:443 tls for=token",
                                       "10.0.0.1:80 for=token,api"};
    static const char *const bad[] = {
        "",
        ":80",
        "127.0.0.1:",
        "127.0.0.1:65536",
        "127.0.0.1:-1",
        "127.0.0.1: 80",
        "127.0.0.1:80x",
        "127.1:80",
        "0x7f.0.0.1:80",
        "127.0.0.01:80",
        "[127.0.0.1]:80",
        "[::1%lo]:80",
        "[::1:80",
        "::1]:80",
        "[]:80",
        "[::1]80",
        "*:80",
        "127.0.0.1:80 ssl",
        "127.0.0.1:80  tls",
        "127.0.0.1:80 for=",
        "127.0.0.1:80 for=tokens",
        "127.0.0.1:80 for=token,",
        "127.0.0.1:80 tls for",
        "127.0.0.1,127.0.0.2:80",
        "[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001]:80",
    };
    struct fixture f;
    open_defaults(&f);
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_int_equal(set(&f, "listen", good[i]), OK);
        assert_int_equal(f.config.listen_count, 1);
        assert_span_equal(f.config.listen[0], good[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (set(&f, "listen", bad[i]) != INVALID)
            fail_msg("%s is taken", bad[i]);
    }
    arena_done(&f.arena);
}

static void every_number_has_its_default_and_its_bounds(void **state)
{
    (void)state;
    static const char *const no_numbers[] = {"",    "-1",   "+1",  "1.0",
                                             "1e3", "0x10", "1 0", "9223372036854775808"};
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        struct fixture f;
        open_defaults(&f);
        assert_true(prints(&f.config, numbers[i].key, numbers[i].initial));
        assert_int_equal(set_number(&f, numbers[i].key, numbers[i].min), OK);
        assert_true(prints(&f.config, numbers[i].key, numbers[i].min));
        assert_int_equal(set_number(&f, numbers[i].key, numbers[i].max), OK);
        assert_int_equal(set_number(&f, numbers[i].key, numbers[i].max + 1), INVALID);
        assert_int_equal(set_number(&f, numbers[i].key, numbers[i].min - 1), INVALID);
        for (size_t j = 0; j < ARRAY_LEN(no_numbers); j++)
            assert_int_equal(set(&f, numbers[i].key, no_numbers[j]), INVALID);
        assert_true(prints(&f.config, numbers[i].key, numbers[i].max));
        arena_done(&f.arena);
    }
}

static void a_listener_is_taken_apart(void **state)
{
    (void)state;
    struct config_listen listen;
    assert_int_equal(config_listen_read(SPAN("[::1]:8443 tls for=metrics,token"), &listen, NULL),
                     OK);
    assert_span_equal(listen.address, "[::1]:8443");
    assert_true(listen.is_tls);
    assert_true(listen.is_loopback);
    assert_int_equal(listen.purposes, CONFIG_FOR_METRICS | CONFIG_FOR_TOKEN);
    assert_int_equal(config_listen_read(SPAN("192.0.2.1:80"), &listen, NULL), OK);
    assert_false(listen.is_tls);
    assert_false(listen.is_loopback);
    assert_int_equal(listen.purposes, CONFIG_FOR_TOKEN | CONFIG_FOR_API | CONFIG_FOR_CONSOLE);
    assert_int_equal(config_listen_read(SPAN("127.8.0.1:0"), &listen, NULL), OK);
    assert_true(listen.is_loopback);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_wrong_value_is_refused_with_its_key),
        cmocka_unit_test(each_good_value_is_taken),
        cmocka_unit_test(every_readback_time_prints_as_one_that_is_read),
        cmocka_unit_test(a_public_url_is_an_origin_in_its_one_spelling),
        cmocka_unit_test(a_host_name_has_its_limits),
        cmocka_unit_test(addresses_are_written_in_full),
        cmocka_unit_test(a_listener_is_taken_apart),
        cmocka_unit_test(every_number_has_its_default_and_its_bounds),
    };
    return RUN_TESTS(tests);
}
