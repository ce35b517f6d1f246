/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#include "config_fixture.h"

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

/* What to do stands at the end of a message: it must still be there behind file and line. */
static void messages_are_whole_behind_the_name_of_their_source(void **state)
{
    (void)state;
    static const char *const wrong[][2] = {
        {"data", ""},
        {"listen", "8080"},
        {"listen", "0.0.0.0:80 for=nothing"},
        {"public_url", "x"},
        {"token_alg", "x"},
        {"token_ttl_seconds", "x"},
        {"secret_base", "x"},
        {"secret_readback", "x"},
        {"unseal_per_minute_max", "x"},
        {"loops", "x"},
        {"workers", "x"},
        {"worker_queue_max", "x"},
        {"connections_max", "x"},
        {"target_bytes_max", "x"},
        {"header_bytes_max", "x"},
        {"sandbox", "on"},
        {"documents", "true"},
        {"log_format", "x"},
        {"log_requests", "x"},
        {"events", "or"},
        {"data", "a\x01z"},
        {"unseal_per_minute_max", "a\x01z"},
        {"unknown_key_of_thirty_letters_", "x"},
    };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct fixture f;
        struct err err = {0};
        char line[128];
        open_defaults(&f);
        assert_int_not_equal(set(&f, wrong[i][0], wrong[i][1]), OK);
        (void)snprintf(line, sizeof line, "%s = %s", wrong[i][0], wrong[i][1]);
        assert_int_equal(config_read_file(&f.config, span_cstr(line), "/etc/postern/postern.conf",
                                          &f.arena, &err),
                         INVALID);
        assert_string_equal(err.detail + strlen("/etc/postern/postern.conf, line 1: "),
                            f.err.detail);
        err = (struct err){0};
        assert_int_equal(config_read_file(&f.config, span_cstr(line),
                                          "/srv/a/long/way/down/to/etc/postern/postern.conf",
                                          &f.arena, &err),
                         INVALID);
        assert_string_equal(err.detail + strlen("/etc/postern/postern.conf, line 1: "),
                            f.err.detail);
        arena_done(&f.arena);
    }
}

static const char *const texts[][2] = {
    {"data", "/srv/my data"},
    {"listen", "[::1]:1"},
    {"public_url", "https://[2001:db8::1]:8443"},
    {"token_alg", "PS256"},
    {"secret_base", "abcdefghijklmno_"},
    {"secret_readback", "never"},
    {"log_format", "json"},
    {"tls_certificate", "/etc/ssl/a.pem"},
    {"tls_key", "/etc/ssl/private/a.key"},
    {"allow_plain_http", "true"},
    {"trusted_proxies", "10.0.0.0/8, ::1"},
    {"proxy_header", "forwarded"},
    {"cors_origins", "https://a.example, https://b.example:8443"},
    {"log_requests", "true"},
    {"events", "stderr"},
    {"sandbox", "strict"},
    {"documents", "off"},
    {"metadata_authorization_endpoint", "true"},
};

/* Every key at another value than its default: a key that is not printed, or not read, shows. */
static void every_key_survives_printing(void **state)
{
    (void)state;
    struct fixture f;
    struct config again;
    struct buf first AUTO(buf);
    struct buf second AUTO(buf);
    open_defaults(&f);
    buf_init(&first, 1 << 16);
    buf_init(&second, 1 << 16);
    assert_int_equal(config_key_count(), ARRAY_LEN(numbers) + ARRAY_LEN(texts));
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        assert_int_equal(set_number(&f, numbers[i].key, numbers[i].max - 1), OK);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_int_equal(set(&f, texts[i][0], texts[i][1]), OK);
    config_print(&f.config, false, &first);
    config_defaults(&again);
    assert_int_equal(config_read_file(&again, buf_span(&first), "f", &f.arena, NULL), OK);
    config_print(&again, true, &second);
    config_defaults(&again);
    assert_int_equal(config_read_file(&again, buf_span(&second), "f", &f.arena, NULL), OK);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        assert_true(prints(&again, numbers[i].key, numbers[i].max - 1));
    assert_span_equal(again.data, texts[0][1]);
    assert_int_equal(again.listen_count, 1);
    assert_span_equal(again.listen[0], texts[1][1]);
    assert_span_equal(again.public_url, texts[2][1]);
    assert_span_equal(again.token_alg, texts[3][1]);
    assert_span_equal(again.secret_base, texts[4][1]);
    assert_true(again.secret_readback_seconds == 0);
    assert_span_equal(again.log_format, texts[6][1]);
    assert_span_equal(again.tls_certificate, texts[7][1]);
    assert_span_equal(again.tls_key, texts[8][1]);
    assert_span_equal(again.allow_plain_http, texts[9][1]);
    assert_span_equal(again.sandbox, "strict");
    assert_span_equal(again.documents, "off");
    assert_span_equal(again.metadata_authorization_endpoint, "true");
    arena_done(&f.arena);
}

static void every_key_has_help_and_a_row_in_the_reference(void **state)
{
    (void)state;
    struct buf text AUTO(buf);
    buf_init(&text, 1 << 16);
    config_print_markdown(&text);
    buf_byte(&text, '\0');
    assert_true(buf_ok(&text));
    for (size_t i = 0; i < config_key_count(); i++) {
        char row[64];
        (void)snprintf(row, sizeof row, "\n| `%.*s` | ", SPAN_FMT(config_key_name(i)));
        assert_non_null(strstr(text.data, row));
        assert_non_null(strstr(text.data, config_key_help(i)));
        assert_true(strlen(config_key_help(i)) > 10);
    }
    assert_non_null(strstr(text.data, "| `loops` | `0` | 0 to 64 | "));
    assert_non_null(strstr(text.data, "| `public_url` |  | an origin"));
}

static void a_listen_list_is_replaced_once_per_source_and_has_its_bound(void **state)
{
    (void)state;
    struct fixture f;
    open_defaults(&f);
    /* Flags after a file: the first replaces, the second adds. */
    assert_int_equal(config_read_file(&f.config, SPAN("listen = 127.0.0.1:1"), "f", &f.arena, NULL),
                     OK);
    config_source_begin(&f.config);
    assert_int_equal(config_set(&f.config, SPAN("listen"), SPAN("127.0.0.1:2"), &f.arena, NULL),
                     OK);
    assert_int_equal(config_set(&f.config, SPAN("listen"), SPAN("127.0.0.1:3"), &f.arena, NULL),
                     OK);
    assert_int_equal(f.config.listen_count, 2);
    assert_span_equal(f.config.listen[0], "127.0.0.1:2");
    assert_span_equal(f.config.listen[1], "127.0.0.1:3");
    /* A source that does not say it leaves it. */
    assert_int_equal(config_read_file(&f.config, SPAN("workers = 5"), "f", &f.arena, NULL), OK);
    assert_int_equal(f.config.listen_count, 2);
    config_source_begin(&f.config);
    for (size_t i = 0; i < CONFIG_LISTEN_MAX; i++)
        assert_int_equal(config_set(&f.config, SPAN("listen"), SPAN("127.0.0.1:4"), &f.arena, NULL),
                         OK);
    assert_int_equal(config_set(&f.config, SPAN("listen"), SPAN("127.0.0.1:4"), &f.arena, NULL),
                     INVALID);
    assert_int_equal(f.config.listen_count, CONFIG_LISTEN_MAX);
    arena_done(&f.arena);
}

static void relations_between_values_are_checked(void **state)
{
    (void)state;
    struct fixture f;
    open_defaults(&f);
    assert_int_equal(set(&f, "target_bytes_max", "65536"), OK);
    assert_int_equal(set(&f, "header_bytes_max", "8191"), OK);
    assert_int_equal(config_check(&f.config, &f.err), INVALID);
    assert_non_null(strstr(f.err.detail, "header_bytes_max"));
    assert_int_equal(set(&f, "header_bytes_max", "8192"), OK);
    assert_int_equal(config_check(&f.config, NULL), OK);
    static const struct {
        const char *listen;
        const char *certificate;
        const char *key;
        const char *allow;
        enum status status;
    } listeners[] = {
        {"127.0.0.1:80", "", "", "false", OK},
        {"0.0.0.0:80", "", "", "false", INVALID},
        {"[::]:80", "", "", "false", INVALID},
        {"[::2]:80", "", "", "false", INVALID},
        {"[::ffff:127.0.0.1]:80", "", "", "false", INVALID},
        {"128.0.0.1:80", "", "", "false", INVALID},
        {"0.0.0.0:80", "", "", "true", INVALID}, /* a wildcard is no issuer */
        {"[::]:80", "", "", "true", INVALID},
        {"0.0.0.0:443 tls", "c", "k", "false", INVALID},
        {"10.0.0.2:80", "", "", "true", OK},
        {"10.0.0.2:443 tls", "c", "k", "false", OK},
        {"127.0.0.1:443 tls", "", "", "true", INVALID},
        {"127.0.0.1:80", "c", "", "false", INVALID},
        {"127.0.0.1:80", "", "k", "false", INVALID},
    };
    assert_int_equal(set(&f, "proxy_header", "forwarded"), OK);
    assert_int_equal(config_check(&f.config, &f.err), INVALID);
    assert_non_null(strstr(f.err.detail, "trusted_proxies"));
    assert_int_equal(set(&f, "trusted_proxies", "10.0.0.1"), OK);
    assert_int_equal(config_check(&f.config, NULL), OK);
    config_source_begin(&f.config);
    assert_int_equal(set(&f, "listen", "10.0.0.2:80"), OK);
    assert_int_equal(config_check(&f.config, &f.err), INVALID); /* the URL is the proxies' */
    assert_non_null(strstr(f.err.detail, "public_url"));
    assert_int_equal(set(&f, "public_url", "https://a.example"), OK);
    assert_int_equal(config_check(&f.config, NULL), OK); /* only proxies get in */
    assert_int_equal(set(&f, "public_url", ""), OK);
    assert_int_equal(set(&f, "proxy_header", "none"), OK);
    assert_int_equal(set(&f, "trusted_proxies", ""), OK);
    for (size_t i = 0; i < ARRAY_LEN(listeners); i++) {
        config_source_begin(&f.config);
        assert_int_equal(set(&f, "listen", listeners[i].listen), OK);
        assert_int_equal(set(&f, "tls_certificate", listeners[i].certificate), OK);
        assert_int_equal(set(&f, "tls_key", listeners[i].key), OK);
        assert_int_equal(set(&f, "allow_plain_http", listeners[i].allow), OK);
        assert_int_equal(config_check(&f.config, NULL), listeners[i].status);
    }
    f.config.data = (struct span){0};
    assert_int_equal(config_check(&f.config, NULL), INVALID);
    arena_done(&f.arena);
}

static void a_refused_line_stops_the_file_and_an_unknown_key_is_its_own_status(void **state)
{
    (void)state;
    struct fixture f;
    open_defaults(&f);
    assert_int_equal(set(&f, "nope", "1"), NOT_FOUND);
    assert_int_equal(set(&f, "Workers", "5"), NOT_FOUND);
    assert_int_equal(set(&f, "", "5"), NOT_FOUND);
    assert_int_equal(
        config_read_file(&f.config, SPAN("workers = 6\n= 7\nloops = 3\n"), "f", &f.arena, &f.err),
        INVALID);
    assert_int_equal(f.config.workers, 6);
    assert_int_equal(f.config.loops, 0);
    assert_int_equal(config_read_file(&f.config, (struct span){0}, "f", &f.arena, NULL), OK);
    assert_int_equal(
        config_read_file(&f.config, SPAN("workers = 1 # a = b # c\n#"), "f", &f.arena, NULL), OK);
    assert_int_equal(f.config.workers, 1);
    assert_int_equal(
        config_read_file(&f.config, SPAN("\xef\xbb\xbfworkers = 1"), "f", &f.arena, NULL), INVALID);
    arena_done(&f.arena);
}

static void without_memory_nothing_is_set(void **state)
{
    (void)state;
    struct fixture f;
    const char *const environment[] = {"POSTERN_DATA=/srv", NULL};
    open_defaults(&f);
    arena_init(&f.arena, 0);
    assert_int_equal(set(&f, "data", "/srv"), NO_MEMORY);
    assert_int_equal(config_read_file(&f.config, SPAN("data = /srv"), "f", &f.arena, NULL),
                     NO_MEMORY);
    assert_int_equal(config_read_environment(&f.config, environment, &f.arena, NULL), NO_MEMORY);
    assert_span_equal(f.config.data, "/var/lib/postern");
    arena_done(&f.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_defaults_are_valid_and_as_documented),
        cmocka_unit_test(a_stronger_source_replaces_the_list_of_a_weaker),
        cmocka_unit_test(files_may_have_comments_and_name_their_line),
        cmocka_unit_test(an_unknown_variable_is_refused),
        cmocka_unit_test(other_variables_are_nobodys_business),
        cmocka_unit_test(what_is_printed_reads_back_to_the_same),
        cmocka_unit_test(a_value_that_a_file_cannot_hold_is_refused),
        cmocka_unit_test(messages_are_whole_behind_the_name_of_their_source),
        cmocka_unit_test(every_key_survives_printing),
        cmocka_unit_test(every_key_has_help_and_a_row_in_the_reference),
        cmocka_unit_test(a_listen_list_is_replaced_once_per_source_and_has_its_bound),
        cmocka_unit_test(relations_between_values_are_checked),
        cmocka_unit_test(a_refused_line_stops_the_file_and_an_unknown_key_is_its_own_status),
        cmocka_unit_test(without_memory_nothing_is_set),
    };
    return RUN_TESTS(tests);
}
