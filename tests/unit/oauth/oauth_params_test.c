/* SPDX-License-Identifier: Apache-2.0 */
#include "oauth/oauth_params.h"

#include "../exchange_fixture.h"

#define FORM "application/x-www-form-urlencoded"
#define JSON "application/json"

static void open_request(struct exchange_fixture *f, const char *type, const char *body)
{
    fixture_open(f, HTTP_POST, "/oauth2/token");
    if (type != NULL)
        fixture_body(f, type, body);
}

static void forms_and_json_read_the_same(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        const char *body;
        bool is_json;
    } cases[] = {
        {FORM, "grant_type=client_credentials&client_id=a%20b&scope=", false},
        {FORM, "&&client_id=a+b&grant_type=client_credentials&x", false},
        {"Application/X-WWW-Form-URLEncoded; charset=UTF-8",
         "client_id=a+b&grant_type=client_credentials", false},
        {JSON, "{\"grant_type\":\"client_credentials\",\"client_id\":\"a b\"}", true},
        {"application/JSON;charset=utf-8",
         " {\"client_id\":\"a\\u0020b\",\"scope\":null,\"grant_type\":\"client_credentials\"} ",
         true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct exchange_fixture f;
        struct oauth_params params;
        struct span value;
        open_request(&f, cases[i].type, cases[i].body);
        assert_int_equal(oauth_params_read(&f.x, &params), OK);
        assert_int_equal(params.is_json, cases[i].is_json);
        assert_int_equal(oauth_param(&f.x, &params, SPAN("client_id"), &value), OK);
        assert_span_equal(value, "a b");
        assert_int_equal(oauth_param(&f.x, &params, SPAN("grant_type"), &value), OK);
        assert_span_equal(value, "client_credentials");
        assert_int_equal(oauth_param(&f.x, &params, SPAN("scope"), &value), OK);
        assert_int_equal(value.len, 0); /* RFC 6749 §3.2: sent without a value is omitted */
        assert_int_equal(f.x.reply.status, 0);
        fixture_close(&f);
    }
}

static void bodies_that_do_not_read_are_invalid_requests(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        const char *body;
    } cases[] = {
        {NULL, ""},
        {"text/plain", "client_id=echo"},
        {"multipart/form-data", "client_id=echo"},
        {"", "client_id=echo"},
        {FORM, "client_id=echo%"},
        {FORM, "client_id=echo%0"},
        {FORM, "client_id=echo%00"},
        {FORM, "client_id=echo%ff"},
        {FORM, "echo%zz=1"},
        {JSON, ""},
        {JSON, "\"echo\""},
        {JSON, "[\"echo\"]"},
        {JSON, "null"},
        {JSON, "{\"client_id\":\"echo\""},
        {JSON, "{\"client_id\":\"echo\"}x"},
        {JSON, "{\"client_id\":1}"},
        {JSON, "{\"client_id\":true}"},
        {JSON, "{\"client_id\":[\"echo\"]}"},
        {JSON, "{\"client_id\":{\"echo\":\"echo\"}}"},
        {JSON, "{\"echo\":\"a\",\"echo\":\"a\"}"},
        {JSON, "{\"client_id\":\"echo\\u0000\"}"},
        {JSON, "{\"client_id\":\"echo\xff\"}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct exchange_fixture f;
        struct oauth_params params;
        open_request(&f, cases[i].type, cases[i].body);
        assert_int_equal(oauth_params_read(&f.x, &params), INVALID);
        assert_int_equal(f.x.reply.status, 400);
        assert_true(fixture_reply_has(&f, "\"error\":\"invalid_request\""));
        assert_false(fixture_reply_has(&f, "echo"));
        assert_span_equal(fixture_reply_header(&f, "Cache-Control"), "no-store");
        fixture_close(&f);
    }
}

/* Each beginning of a good body is read or refused, never both or neither. */
static void bodies_cut_at_every_byte_have_one_answer(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        const char *body;
    } cases[] = {
        {FORM, "grant_type=client%5fcredentials&client_id=%c3%a9+"},
        {JSON, "{\"grant_type\":\"client_credentials\",\"client_id\":\"\\u00e9\\n\"}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (size_t len = 0; len <= strlen(cases[i].body); len++) {
            struct exchange_fixture f;
            struct oauth_params params;
            open_request(&f, cases[i].type, cases[i].body);
            f.x.body = span_first(f.x.body, len);
            enum status status = oauth_params_read(&f.x, &params);
            assert_true(status == OK || status == INVALID);
            assert_int_equal(f.x.reply.status, status == OK ? 0 : 400);
            fixture_close(&f);
        }
    }
}

/* RFC 6749 §2.3.1; RFC 9700 §4.3.2: what stands in a URL is kept by others. */
static void credentials_in_the_query_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *query;
        enum status status;
    } cases[] = {
        {"client_secret=echo", INVALID},
        {"a=b&client%5Fsecret=echo", INVALID},
        {"client_secret", INVALID},
        {"token=echo", INVALID},
        {"access_token=echo", INVALID},
        {"client_assertion=echo", INVALID},
        {"subject_token=echo", INVALID},
        {"x=%zz", INVALID},
        {"", OK},
        {"trace=1&client_secret_hint=no", OK},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct exchange_fixture f;
        struct oauth_params params;
        open_request(&f, FORM, "client_id=a");
        f.x.query = span_cstr(cases[i].query);
        assert_int_equal(oauth_params_read(&f.x, &params), cases[i].status);
        assert_int_equal(f.x.reply.status, cases[i].status == OK ? 0 : 400);
        assert_false(fixture_reply_has(&f, "echo"));
        fixture_close(&f);
    }
}

/* RFC 6749 §3.2: parameters must not be included more than once. */
static void a_repeated_parameter_is_an_invalid_request(void **state)
{
    (void)state;
    struct exchange_fixture f;
    struct oauth_params params;
    struct span value;
    open_request(&f, FORM, "client_id=a&client_id=a&scope=&scope=s");
    assert_int_equal(oauth_params_read(&f.x, &params), OK);
    assert_int_equal(oauth_param(&f.x, &params, SPAN("scope"), &value), OK);
    assert_span_equal(value, "s");
    assert_int_equal(oauth_param(&f.x, &params, SPAN("client_id"), &value), INVALID);
    assert_int_equal(f.x.reply.status, 400);
    assert_true(fixture_reply_has(&f, "\"error\":\"invalid_request\""));
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_and_json_read_the_same),
        cmocka_unit_test(bodies_that_do_not_read_are_invalid_requests),
        cmocka_unit_test(bodies_cut_at_every_byte_have_one_answer),
        cmocka_unit_test(credentials_in_the_query_are_refused),
        cmocka_unit_test(a_repeated_parameter_is_an_invalid_request),
    };
    return RUN_TESTS(tests);
}
