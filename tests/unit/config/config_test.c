/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#include "../unit.h"

#include "base/arena.h"
#include "base/buf.h"

struct fixture {
    struct arena arena;
    struct config config;
    struct err err;
};

static void open_defaults(struct fixture *f)
{
    *f = (struct fixture){0};
    arena_init(&f->arena, 1 << 20);
    config_defaults(&f->config);
}

static enum status set(struct fixture *f, const char *key, const char *value)
{
    f->err = (struct err){0};
    config_source_begin(&f->config);
    return config_set(&f->config, span_cstr(key), span_cstr(value), &f->arena, &f->err);
}

static void the_defaults_are_valid_and_as_documented(void **state)
{
    (void)state;
    struct fixture f;
    open_defaults(&f);
    assert_int_equal(config_check(&f.config, NULL), OK);
    assert_int_equal(f.config.listen_count, 1);
    assert_span_equal(f.config.listen[0], "127.0.0.1:8080");
    assert_span_equal(f.config.token_alg, "RS256");
    assert_int_equal(f.config.token_ttl_seconds, 1800);
    assert_int_equal(f.config.secret_readback_seconds, 86400);
    arena_done(&f.arena);
}

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
        {"listen", "0.0.0.0:8080"},
        {"listen", "192.168.1.1:80"},
        {"listen", "[::]:80"},
        {"listen", "::1:80"},
        {"listen", "localhost:80"},
        {"public_url", "ftp://a"},
        {"public_url", "http://a.example"},
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

static void a_stronger_source_replaces_the_list_of_a_weaker(void **state)
{
    (void)state;
    struct fixture f;
    open_defaults(&f);
    assert_int_equal(config_read_file(&f.config, SPAN("listen = 127.0.0.1:1\nlisten = [::1]:2\n"),
                                      "f", &f.arena, NULL),
                     OK);
    assert_int_equal(f.config.listen_count, 2);
    const char *const environment[] = {"HOME=/", "POSTERN_LISTEN=127.0.0.1:3",
                                       "POSTERN_TOKEN_ALG=ES256", NULL};
    assert_int_equal(config_read_environment(&f.config, environment, &f.arena, NULL), OK);
    assert_int_equal(f.config.listen_count, 1);
    assert_span_equal(f.config.listen[0], "127.0.0.1:3");
    assert_span_equal(f.config.token_alg, "ES256");
    arena_done(&f.arena);
}

static void files_may_have_comments_and_name_their_line(void **state)
{
    (void)state;
    struct fixture f;
    open_defaults(&f);
    assert_int_equal(
        config_read_file(&f.config,
                         SPAN("# first\r\n\n  token_alg = ES256  # why\r\nsecret_base=acme_live\n"),
                         "f", &f.arena, NULL),
        OK);
    assert_span_equal(f.config.token_alg, "ES256");
    assert_span_equal(f.config.secret_base, "acme_live");
    static const char *const wrong[] = {"\n\nnonsense\n", "\n\nnope = 1\n", "\n\nworkers = many"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct err err = {0};
        assert_int_equal(
            config_read_file(&f.config, span_cstr(wrong[i]), "my.conf", &f.arena, &err), INVALID);
        assert_non_null(strstr(err.detail, "my.conf, line 3"));
    }
    arena_done(&f.arena);
}

static void an_unknown_variable_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "POSTERN_TOKEN_ALGO=ES256",
        "POSTERN_token_alg=ES256", /* names of variables have one spelling */
        "POSTERN_Token_Alg=ES256",
        "POSTERN_=1",
        "POSTERN_CONNECTIONS_MAX_AND_SOMETHING_THAT_MAKES_IT_LONGER_THAN_ANY_KEY_THAT_THERE_IS=1",
        "POSTERN_TOKEN_ALG=HS256",
        "POSTERN_WORKERS=",
    };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct fixture f;
        const char *const environment[] = {wrong[i], NULL};
        open_defaults(&f);
        assert_int_equal(config_read_environment(&f.config, environment, &f.arena, &f.err),
                         INVALID);
        struct span rest = span_first(span_cstr(wrong[i]), 28);
        struct span variable;
        (void)span_cut(&rest, '=', &variable);
        assert_memory_equal(f.err.detail + strlen("environment variable "), variable.ptr,
                            variable.len);
        assert_span_equal(f.config.token_alg, "RS256");
        arena_done(&f.arena);
    }
}

static void other_variables_are_nobodys_business(void **state)
{
    (void)state;
    struct fixture f;
    const char *const environment[] = {"POSTERN_BUILD=build", "POSTERNX=1", "XPOSTERN_WORKERS=9",
                                       "POSTERN_WORKERS",     "=",          "",
                                       "postern_workers=9",   NULL};
    open_defaults(&f);
    assert_int_equal(config_read_environment(&f.config, environment, &f.arena, &f.err), OK);
    assert_int_equal(f.config.workers, 4);
    arena_done(&f.arena);
}

/* The supervisor hands its configuration to its children as such a file. */
static void what_is_printed_reads_back_to_the_same(void **state)
{
    (void)state;
    struct fixture f;
    struct config again;
    struct buf first AUTO(buf);
    struct buf second AUTO(buf);
    open_defaults(&f);
    buf_init(&first, 1 << 16);
    buf_init(&second, 1 << 16);
    assert_int_equal(
        config_read_file(
            &f.config,
            SPAN("listen = 127.0.0.1:1\nlisten = [::1]:2\npublic_url = https://a.example\n"
                 "secret_readback = always\nworkers = 7\nlog_format = json\n"),
            "f", &f.arena, NULL),
        OK);
    config_print(&f.config, true, &first);
    config_defaults(&again);
    assert_int_equal(config_read_file(&again, buf_span(&first), "g", &f.arena, NULL), OK);
    config_print(&again, true, &second);
    assert_true(span_equal(buf_span(&first), buf_span(&second)));
    assert_int_equal(again.workers, 7);
    assert_int_equal(again.listen_count, 2);
    arena_done(&f.arena);
}

/* What the children read is what was set, or nothing is set at all. */
static void a_value_that_a_file_cannot_hold_is_refused(void **state)
{
    (void)state;
    static const struct span wrong[] = {
        SPAN_INIT("/srv/a #1"), SPAN_INIT("/srv/a\t#1"), SPAN_INIT("#1"),
        SPAN_INIT(" /srv"),     SPAN_INIT("/srv "),      SPAN_INIT("/srv\nworkers = 9"),
        SPAN_INIT("/srv\r"),    SPAN_INIT("/srv\t"),     SPAN_INIT("/srv\0x"),
        SPAN_INIT("/srv\x7f"),
    };
    struct fixture f;
    open_defaults(&f);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        f.err = (struct err){0};
        assert_int_equal(config_set(&f.config, SPAN("data"), wrong[i], &f.arena, &f.err), INVALID);
        assert_non_null(strstr(f.err.detail, "data: "));
    }
    assert_int_equal(
        config_set(&f.config, SPAN("listen"), SPAN("127.0.0.1\0.8.8.8:80"), &f.arena, NULL),
        INVALID);
    assert_int_equal(config_read_file(&f.config, SPAN("data = /srv/\0x\n"), "f", &f.arena, NULL),
                     INVALID);
    assert_int_equal(config_read_file(&f.config, SPAN("data=#x\n"), "f", &f.arena, NULL), INVALID);
    assert_int_equal(set(&f, "data", "/srv/my data#1/\xc3\xa9"), OK);
    assert_span_equal(f.config.data, "/srv/my data#1/\xc3\xa9");
    arena_done(&f.arena);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_defaults_are_valid_and_as_documented),
        cmocka_unit_test(each_wrong_value_is_refused_with_its_key),
        cmocka_unit_test(each_good_value_is_taken),
        cmocka_unit_test(a_stronger_source_replaces_the_list_of_a_weaker),
        cmocka_unit_test(files_may_have_comments_and_name_their_line),
        cmocka_unit_test(an_unknown_variable_is_refused),
        cmocka_unit_test(other_variables_are_nobodys_business),
        cmocka_unit_test(what_is_printed_reads_back_to_the_same),
        cmocka_unit_test(a_value_that_a_file_cannot_hold_is_refused),
        cmocka_unit_test(every_readback_time_prints_as_one_that_is_read),
    };
    return RUN_TESTS(tests);
}
