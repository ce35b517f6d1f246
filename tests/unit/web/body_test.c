/* SPDX-License-Identifier: Apache-2.0 */
#include "web/body.h"

#include "../exchange_fixture.h"

static void the_media_type_is_compared_without_parameters(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        bool is_json;
    } types[] = {
        {"application/json", true},
        {"Application/JSON", true},
        {"application/json; charset=utf-8", true},
        {"application/json;charset=\"utf-8\";x=y", true},
        {"application/json ;", true},
        {"", false},
        {";", false},
        {"application/jsonx", false},
        {"application/json-patch+json", false},
        {"text/json", false},
        {"text/plain; application/json", false},
        {"application/json, text/plain", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        struct exchange_fixture f;
        fixture_open(&f, HTTP_POST, "/v2/corpora");
        fixture_header(&f, "content-TYPE", types[i].value);
        assert_int_equal(body_has_type(&f.x, SPAN("application/json")), types[i].is_json);
        fixture_close(&f);
    }
}

static void a_body_of_another_type_is_415(void **state)
{
    (void)state;
    for (int headers = 0; headers <= 2; headers++) {
        struct exchange_fixture f;
        json_t *body;
        if (headers == 1)
            continue; /* one is fine: below */
        fixture_open(&f, HTTP_POST, "/v2/corpora");
        for (int i = 0; i < headers; i++)
            fixture_body(&f, "application/json", "{}");
        assert_int_equal(body_json_object(&f.x, &body), UNSUPPORTED);
        assert_int_equal(f.x.reply.status, 415);
        /* RFC 9110 §15.5.16: what would have been taken. */
        assert_span_equal(fixture_reply_header(&f, "Accept"), "application/json");
        fixture_close(&f);
    }
}

static void an_object_is_read(void **state)
{
    (void)state;
    struct exchange_fixture f;
    AUTO(json) json_t *body = NULL;
    fixture_open(&f, HTTP_POST, "/v2/corpora");
    fixture_body(&f, "application/json", " {\"key\":\"a\"}\n");
    assert_int_equal(body_json_object(&f.x, &body), OK);
    assert_int_equal(f.x.reply.status, 0);
    assert_span_equal(json_text(json_object_get(body, "key")), "a");
    fixture_close(&f);
}

static void what_is_no_object_is_a_bad_request_without_an_echo(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "",
        " ",
        "null",
        "[]",
        "\"MARK\"",
        "{",
        "{\"MARK\":1",
        "{\"MARK\":1}}",
        "{\"MARK\":1,\"MARK\":2}",
        "{\"a\":\"MARK\\u0000\"}",
        "{\"a\":\"MARK\xff\"}",
        "{MARK:1}",
        "{\"a\":1e999}",
        "{\"a\":[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]}",
    };
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct exchange_fixture f;
        json_t *body = NULL;
        fixture_open(&f, HTTP_POST, "/v2/corpora");
        fixture_body(&f, "application/json", bodies[i]);
        assert_int_equal(body_json_object(&f.x, &body), INVALID);
        assert_null(body);
        assert_int_equal(f.x.reply.status, 400);
        assert_true(fixture_reply_has(&f, "\"field_errors\":{}"));
        assert_false(fixture_reply_has(&f, "MARK"));
        fixture_close(&f);
    }
}

static void a_query_is_decoded_or_refused(void **state)
{
    (void)state;
    struct exchange_fixture f;
    struct form query;
    struct span value;
    fixture_open(&f, HTTP_GET, "/v2/corpora");
    f.x.query = SPAN("filter=a%2Bb+c&limit=");
    assert_int_equal(query_parse(&f.x, &query), OK);
    assert_int_equal(form_get(&query, SPAN("filter"), &value), OK);
    assert_span_equal(value, "a+b c");
    assert_int_equal(form_get(&query, SPAN("limit"), &value), NOT_FOUND);
    fixture_close(&f);
    static const char *const broken[] = {"a=%", "a=%00", "a=%ff", "%4=1"};
    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        fixture_open(&f, HTTP_GET, "/v2/corpora");
        f.x.query = span_cstr(broken[i]);
        assert_int_equal(query_parse(&f.x, &query), INVALID);
        assert_int_equal(f.x.reply.status, 400);
        fixture_close(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_media_type_is_compared_without_parameters),
        cmocka_unit_test(a_body_of_another_type_is_415),
        cmocka_unit_test(an_object_is_read),
        cmocka_unit_test(what_is_no_object_is_a_bad_request_without_an_echo),
        cmocka_unit_test(a_query_is_decoded_or_refused),
    };
    return RUN_TESTS(tests);
}
