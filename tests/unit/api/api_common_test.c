/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_common.h"

#include "../exchange_fixture.h"

#include "authz/permission.h"
#include "codec/json.h"
#include "crypto/digest.h"
#include "web/page.h"
#include "web/route.h"

static void without_an_idempotency_key_there_is_none(void **state)
{
    (void)state;
    struct exchange_fixture f;
    struct store_idempotency idempotency = {.key = SPAN("old")};
    fixture_open(&f, HTTP_POST, "/v2/things");
    assert_int_equal(api_idempotency(&f.x, &idempotency), OK);
    assert_int_equal(idempotency.key.len, 0);
    assert_int_equal(idempotency.request.len, 0);
    fixture_close(&f);
}

/* The same key with another body must be noticed: the digest is of the body as sent. */
static void an_idempotency_key_comes_with_the_digest_of_the_body(void **state)
{
    (void)state;
    struct exchange_fixture f;
    struct store_idempotency idempotency;
    unsigned char digest[SHA256_BYTES];
    struct caller caller = {.kind = CALLER_APP_CLIENT, .id = SPAN("app_1")};
    fixture_open(&f, HTTP_POST, "/v2/things");
    f.x.caller = &caller;
    fixture_body(&f, "application/json", "{\"a\":1}");
    fixture_header(&f, "idempotency-KEY", "0b2c-\xc3\xa9");
    assert_int_equal(api_idempotency(&f.x, &idempotency), OK);
    /* Another caller's key of the same text is another key. */
    assert_span_equal(idempotency.key, "app_1 0b2c-\xc3\xa9");
    sha256(SPAN("{\"a\":1}"), digest);
    assert_int_equal(idempotency.request.len, sizeof digest);
    assert_memory_equal(idempotency.request.ptr, digest, sizeof digest);
    fixture_close(&f);
}

static void idempotency_keys_that_cannot_be_used_are_400(void **state)
{
    (void)state;
    char longest[258];
    memset(longest, 'k', sizeof longest);
    longest[256] = '\0';
    const char *const keys[] = {"", "a\tb", "a\x7f", "\xff", "\xe2\x80\xae", longest};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        struct exchange_fixture f;
        struct store_idempotency idempotency;
        struct caller caller = {.kind = CALLER_CONTROL};
        fixture_open(&f, HTTP_POST, "/v2/things");
        f.x.caller = &caller;
        fixture_header(&f, "Idempotency-Key", keys[i]);
        assert_int_equal(api_idempotency(&f.x, &idempotency), INVALID);
        assert_int_equal(f.x.reply.status, 400);
        assert_true(fixture_reply_has(&f, "Idempotency-Key"));
        fixture_close(&f);
    }
    struct exchange_fixture f;
    struct store_idempotency idempotency;
    fixture_open(&f, HTTP_POST, "/v2/things");
    fixture_header(&f, "Idempotency-Key", "a");
    fixture_header(&f, "Idempotency-Key", "a");
    assert_int_equal(api_idempotency(&f.x, &idempotency), INVALID);
    assert_int_equal(f.x.reply.status, 400);
    fixture_close(&f);
    longest[255] = '\0';
    struct caller caller = {.kind = CALLER_CONTROL};
    fixture_open(&f, HTTP_POST, "/v2/things");
    f.x.caller = &caller;
    fixture_header(&f, "Idempotency-Key", longest);
    assert_int_equal(api_idempotency(&f.x, &idempotency), OK);
    fixture_close(&f);
}

static void an_empty_filter_is_none(void **state)
{
    (void)state;
    struct exchange_fixture f;
    struct pattern *pattern = NULL;
    fixture_open(&f, HTTP_GET, "/v2/things");
    assert_int_equal(api_filter(&f.x, SPAN(""), &pattern), OK);
    assert_null(pattern);
    fixture_close(&f);
}

static void filters_that_do_not_compile_are_400_about_the_filter(void **state)
{
    (void)state;
    char longest[PATTERN_LEN_MAX + 2];
    memset(longest, 'a', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    const char *const filters[] = {"(", "[", "a{2,1}", "*", "\\C", "\xff", longest};
    for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
        struct exchange_fixture f;
        struct pattern *pattern = NULL;
        fixture_open(&f, HTTP_GET, "/v2/things");
        assert_int_equal(api_filter(&f.x, span_cstr(filters[i]), &pattern), INVALID);
        assert_null(pattern);
        assert_int_equal(f.x.reply.status, 400);
        assert_true(fixture_reply_has(&f, "\"filter\":"));
        fixture_close(&f);
    }
}

static void a_filter_looks_at_name_then_description(void **state)
{
    (void)state;
    struct exchange_fixture f;
    struct caller caller = {.account_id = SPAN("acc_1")};
    AUTO(pattern) struct pattern *pattern = NULL;
    const struct page page = {.before_sequence = 7, .limit = 3, .filter = SPAN("^b")};
    fixture_open(&f, HTTP_GET, "/v2/things");
    f.x.caller = &caller;
    assert_int_equal(api_filter(&f.x, page.filter, &pattern), OK);
    const struct store_page rows = api_store_page(&f.x, &page, pattern);
    assert_span_equal(rows.account_id, "acc_1");
    assert_int_equal(rows.before_sequence, 7);
    assert_int_equal(rows.limit, 3);
    static const struct {
        const char *name;
        const char *description;
        bool matches;
    } cases[] = {
        {"bc", "", true}, {"ab", "", false},   {"ab", "bc", true},
        {"", "b", true},  {"ab", "ab", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        bool matches;
        assert_int_equal(rows.filter(rows.filter_context, span_cstr(cases[i].name),
                                     span_cstr(cases[i].description), &matches, NULL),
                         OK);
        assert_int_equal(matches, cases[i].matches);
    }
    assert_null(api_store_page(&f.x, &page, NULL).filter);
    fixture_close(&f);
}

static void ids_have_their_prefix_and_twelve_letters(void **state)
{
    (void)state;
    struct exchange_fixture f;
    fixture_open(&f, HTTP_POST, "/v2/things");
    struct span id = api_id_make(&f.x, "app_");
    struct span other = api_id_make(&f.x, "app_");
    assert_int_equal(id.len, 16);
    assert_true(span_starts(id, SPAN("app_")));
    assert_true(span_only(span_from(id, 4),
                          "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"));
    assert_false(span_equal(id, other));
    fixture_close(&f);
}

static const struct route list_route = {.path = SPAN_INIT("/v2/things")};

/* Whoever gets "" at the end asks for it for ever: the member is absent. */
static void a_list_ends_without_a_page_key(void **state)
{
    (void)state;
    struct exchange_fixture f;
    struct caller caller = {.account_id = SPAN("acc_1")};
    const struct page page = {.limit = 1};
    for (int has_more = 0; has_more < 2; has_more++) {
        fixture_open(&f, HTTP_GET, "/v2/things");
        f.x.caller = &caller;
        f.x.route = &list_route;
        f.app.cursor_key = SPAN("0123456789abcdef0123456789abcdef");
        struct json_writer writer = api_list_begin(&f.x, SPAN("things"));
        json_write_text(&writer, SPAN("one"));
        api_list_end(&f.x, &writer, &page, has_more == 1, 42);
        assert_true(buf_ok(&f.x.reply.body));
        AUTO(json) json_t *json = NULL;
        assert_int_equal(
            json_parse(buf_span(&f.x.reply.body), &json_limits_default, &json, NULL), OK);
        assert_int_equal(json_array_size(json_object_get(json, "things")), 1);
        const json_t *key = json_object_get(json_object_get(json, "metadata"), "page_key");
        assert_int_equal(key != NULL, has_more);
        int64_t sequence = 0;
        if (has_more == 1)
            assert_int_equal(page_key_read(&f.x, page.filter, json_text(key), &sequence), OK);
        assert_int_equal(sequence, has_more == 1 ? 42 : 0);
        fixture_close(&f);
    }
}

static void the_audit_record_names_who_asked(void **state)
{
    (void)state;
    struct exchange_fixture f;
    struct caller caller = {.kind = CALLER_APP_CLIENT,
                            .account_id = SPAN("acc_1"),
                            .id = SPAN("app_1"),
                            .credential_id = SPAN("crd_1")};
    fixture_open(&f, HTTP_POST, "/v2/things");
    f.x.caller = &caller;
    f.x.peer.address = SPAN("192.0.2.7");
    struct audit_event audit = api_audit(&f.x, AUDIT_APP_CLIENT_CREATE, SPAN("app_2"));
    assert_span_equal(audit.actor_kind, "app_client");
    assert_span_equal(audit.actor_id, "app_1");
    assert_span_equal(audit.credential_id, "crd_1");
    assert_span_equal(audit.address, "192.0.2.7");
    assert_span_equal(audit.request_id, "0123456789abcdef");
    assert_span_equal(audit.target_id, "app_2");
    assert_true(audit.at == f.x.now);
    caller.kind = CALLER_CONTROL;
    assert_span_equal(api_audit(&f.x, AUDIT_APP_CLIENT_CREATE, SPAN("")).actor_kind, "control");
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_an_idempotency_key_there_is_none),
        cmocka_unit_test(an_idempotency_key_comes_with_the_digest_of_the_body),
        cmocka_unit_test(idempotency_keys_that_cannot_be_used_are_400),
        cmocka_unit_test(an_empty_filter_is_none),
        cmocka_unit_test(filters_that_do_not_compile_are_400_about_the_filter),
        cmocka_unit_test(a_filter_looks_at_name_then_description),
        cmocka_unit_test(ids_have_their_prefix_and_twelve_letters),
        cmocka_unit_test(a_list_ends_without_a_page_key),
        cmocka_unit_test(the_audit_record_names_who_asked),
    };
    return RUN_TESTS(tests);
}
