/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli_decode.h"

#include "cli_fixture.h"

#include "base/buf.h"
#include "base/clock.h"
#include "codec/base64url.h"
#include "codec/json.h"

#include <fcntl.h>

/* header.payload.signature of these texts; prefix and suffix stand around it. */
struct token {
    const char *prefix;
    const char *header;
    const char *payload;
    const char *suffix;
};

#define HEADER "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"k\"}"

static void write_token(struct buf *text, const struct token *token)
{
    buf_printf(text, "%s", token->prefix);
    base64url_write(text, span_cstr(token->header));
    buf_byte(text, '.');
    base64url_write(text, span_cstr(token->payload));
    buf_byte(text, '.');
    base64url_write(text, SPAN("signature"));
    buf_printf(text, "%s", token->suffix);
}

/* Runs the command on a file with the text. */
static int decode_text(struct cli_fixture *f, struct span text)
{
    char path[] = "/tmp/postern-token-XXXXXX";
    int fd = mkostemp(path, O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text.ptr, text.len), text.len);
    f->cli.words[0] = span_cstr(path);
    f->cli.word_count = 1;
    int result = CAPTURED(f, cli_decode(&f->cli));
    (void)close(fd);
    assert_int_equal(unlink(path), 0);
    return result;
}

static int decode(struct cli_fixture *f, const struct token *token)
{
    struct buf text AUTO(buf);
    buf_init(&text, 1 << 16);
    write_token(&text, token);
    assert_true(buf_ok(&text));
    return decode_text(f, buf_span(&text));
}

static void a_token_is_shown_with_what_is_around_it_cut_off(void **state)
{
    (void)state;
    static const struct token tokens[] = {
        {"", HEADER, "{\"sub\":\"app_1\",\"exp\":1}", ""},
        {"", HEADER, "{\"sub\":\"app_1\",\"exp\":1}", "\n"},
        {"", HEADER, "{\"sub\":\"app_1\",\"exp\":1}", " \r\n\t\n"},
        {" Bearer  ", HEADER, "{\"sub\":\"app_1\",\"exp\":1}", "\n"},
        {"bearer ", HEADER, "{\"sub\":\"app_1\",\"exp\":1}", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(tokens); i++) {
        struct cli_fixture *f = cli_fixture_new();
        assert_int_equal(decode(f, &tokens[i]), 0);
        assert_non_null(strstr(f->out, "\"sub\": \"app_1\""));
        assert_non_null(strstr(f->out, "\"typ\": \"at+jwt\""));
        assert_non_null(strstr(f->out, "Expired at 1970-01-01T00:00:01Z"));
        assert_non_null(strstr(f->out, "The signature was not checked."));
        cli_fixture_free(f);
    }
}

static void a_token_that_lives_says_until_when(void **state)
{
    (void)state;
    char payload[64];
    struct cli_fixture *f = cli_fixture_new();
    (void)snprintf(payload, sizeof payload, "{\"exp\":%lld}",
                   (long long)clock_wall_seconds() + 86400);
    const struct token token = {"", HEADER, payload, ""};
    assert_int_equal(decode(f, &token), 0);
    assert_non_null(strstr(f->out, "Valid until 20"));
    cli_fixture_free(f);
}

static void claims_that_do_not_read_are_shown_and_said_to_be_wrong(void **state)
{
    (void)state;
    const struct token token = {"", HEADER, "{\"exp\":\"tomorrow\"}", ""};
    struct cli_fixture *f = cli_fixture_new();
    assert_int_equal(decode(f, &token), 0);
    assert_non_null(strstr(f->out, "\"exp\": \"tomorrow\""));
    assert_null(strstr(f->out, "Valid until"));
    cli_fixture_free(f);
}

static void json_is_one_object(void **state)
{
    (void)state;
    const struct token token = {"", HEADER, "{\"b\":1,\"a\":2}", ""};
    struct cli_fixture *f = cli_fixture_new();
    f->cli.is_json = true;
    assert_int_equal(decode(f, &token), 0);
    AUTO(json) json_t *json = NULL;
    assert_int_equal(json_parse(span_cstr(f->out), &json_limits_default, &json, NULL), OK);
    assert_int_equal(json_object_size(json), 2);
    assert_int_equal(json_object_size(json_object_get(json, "header")), 3);
    assert_true(strstr(f->out, "\"b\"") < strstr(f->out, "\"a\"")); /* in the token's order */
    cli_fixture_free(f);
}

/* Terminal sequences in a token are not sent to the terminal. */
static void control_characters_are_escaped(void **state)
{
    (void)state;
    const struct token token = {"", HEADER, "{\"sub\":\"\\u001b[31m\\u009b2J\"}", ""};
    struct cli_fixture *f = cli_fixture_new();
    assert_int_equal(decode(f, &token), 0);
    assert_null(strchr(f->out, 0x1b));
    assert_null(strstr(f->out, "\xc2\x9b"));
    assert_non_null(strstr(f->out, "\\u009B2J"));
    cli_fixture_free(f);
    f = cli_fixture_new();
    const struct token name = {"", HEADER, "{\"sub\":\"caf\xc3\xa9\"}", ""};
    assert_int_equal(decode(f, &name), 0);
    assert_non_null(strstr(f->out, "caf\xc3\xa9")); /* text stays text */
    cli_fixture_free(f);
}

static void what_is_no_token_is_exit_status_1(void **state)
{
    (void)state;
    static const char *const texts[] = {"",      "\n",   "Bearer ", "abc",     "a.b",
                                        "a.b.c", "....", "x y z",   "\xff\xfe"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct cli_fixture *f = cli_fixture_new();
        assert_int_equal(decode_text(f, span_cstr(texts[i])), 1);
        assert_string_equal(f->out, "");
        assert_non_null(strstr(f->err, "not a token"));
        cli_fixture_free(f);
    }
    struct cli_fixture *f = cli_fixture_new();
    const struct token token = {"", HEADER, "[1", ""};
    assert_int_equal(decode(f, &token), 1);
    cli_fixture_free(f);
}

/* Each beginning of a token is refused, or is one whose signature was cut: nobody checks that. */
static void a_token_cut_short_anywhere_is_no_crash(void **state)
{
    (void)state;
    struct buf text AUTO(buf);
    const struct token token = {"", HEADER, "{\"exp\":1}", ""};
    buf_init(&text, 1 << 16);
    write_token(&text, &token);
    size_t signature = (size_t)((const char *)memrchr(text.data, '.', text.len) - text.data) + 1;
    for (size_t len = 0; len < text.len; len++) {
        struct cli_fixture *f = cli_fixture_new();
        int result = decode_text(f, span_first(buf_span(&text), len));
        assert_true(result == 1 || (result == 0 && len >= signature));
        cli_fixture_free(f);
    }
}

static void a_token_over_the_limit_is_refused(void **state)
{
    (void)state;
    struct buf text AUTO(buf);
    struct cli_fixture *f = cli_fixture_new();
    buf_init(&text, 1 << 20);
    const struct token token = {"", HEADER, "{\"exp\":1}", ""};
    write_token(&text, &token);
    for (int i = 0; i < 200000; i++)
        buf_byte(&text, 'A');
    assert_int_equal(decode_text(f, buf_span(&text)), 1);
    cli_fixture_free(f);
}

static void wrong_use_has_its_exit_status(void **state)
{
    (void)state;
    struct cli_fixture *f = cli_fixture_new();
    f->cli.words[0] = SPAN("/nonexistent/token");
    f->cli.word_count = 1;
    assert_int_equal(CAPTURED(f, cli_decode(&f->cli)), 1);
    f->cli.words[0] = SPAN("/"); /* a directory opens, and does not read */
    assert_int_equal(CAPTURED(f, cli_decode(&f->cli)), 1);
    assert_non_null(strstr(f->err, "cannot read the token"));
    cli_fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_shown_with_what_is_around_it_cut_off),
        cmocka_unit_test(a_token_that_lives_says_until_when),
        cmocka_unit_test(claims_that_do_not_read_are_shown_and_said_to_be_wrong),
        cmocka_unit_test(json_is_one_object),
        cmocka_unit_test(control_characters_are_escaped),
        cmocka_unit_test(what_is_no_token_is_exit_status_1),
        cmocka_unit_test(a_token_cut_short_anywhere_is_no_crash),
        cmocka_unit_test(a_token_over_the_limit_is_refused),
        cmocka_unit_test(wrong_use_has_its_exit_status),
    };
    return RUN_TESTS(tests);
}
