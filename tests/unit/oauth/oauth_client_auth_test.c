/* SPDX-License-Identifier: Apache-2.0 */
#include "oauth/oauth_client_auth.h"

#include "oauth_fixture.h"

static enum status present(struct exchange_fixture *f, const char *body,
                           struct presented_client *client)
{
    struct oauth_params params;
    oauth_fixture_body(f, FORM_TYPE, body);
    assert_int_equal(oauth_params_read(&f->x, &params), OK);
    return oauth_client_presented(&f->x, &params, client);
}

/* The example header is read; its secret is not one that we ever made. */
static void the_example_of_rfc_6749_is_read_and_refused(void **state)
{
    (void)state;
    struct exchange_fixture f;
    struct presented_client client;
    struct span pair;
    fixture_open(&f, HTTP_POST, "/oauth2/token");
    oauth_fixture_authorization(&f, SPAN("Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkSW13"));
    assert_int_equal(present(&f, "", &client), UNAUTHENTICATED);
    assert_oauth_error(&f, 401, "invalid_client");
    assert_int_equal(
        base64_decode(SPAN("czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkSW13"), &f.x.arena, &pair), OK);
    assert_span_equal(pair, "s6BhdRkqt3:7Fjfp0ZBr1KtDRbnfVdImw");
    fixture_close(&f);
    /* The body of the same example. */
    fixture_open(&f, HTTP_POST, "/oauth2/token");
    assert_int_equal(present(&f,
                             "grant_type=refresh_token&refresh_token=tGzv3JOkF0XG5Qx2TlKWIA"
                             "&client_id=s6BhdRkqt3&client_secret=7Fjfp0ZBr1KtDRbnfVdImw",
                             &client),
                     UNAUTHENTICATED);
    assert_oauth_error(&f, 401, "invalid_client");
    fixture_close(&f);
}

/* '%', '+' and ':' in both halves come encoded (RFC 6749 §2.3.1); the first colon divides. */
static void basic_halves_are_form_decoded(void **state)
{
    (void)state;
    static const struct {
        const char *pair;
        const char *client_id;
    } pairs[] = {
        {"s6BhdRkqt3:$", "s6BhdRkqt3"},
        {"a%3Ab:$", "a:b"},
        {"a%25b:$", "a%b"},
        {"a+b:$", "a b"},
        {"a%2Bb:$", "a+b"},
        {"%c3%a9:$", "\xc3\xa9"},
        {"\xc3\xa9:$", "\xc3\xa9"},
    };
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        struct exchange_fixture f;
        struct presented_client client;
        fixture_open(&f, HTTP_POST, "/oauth2/token");
        oauth_fixture_basic(&f, oauth_fixture_text(&f, pairs[i].pair));
        assert_int_equal(present(&f, "", &client), OK);
        assert_span_equal(client.client_id, pairs[i].client_id);
        assert_span_equal(client.credential_id, CREDENTIAL_ID);
        assert_true(span_starts(client.secret, SPAN("pst_cs_0123456789ab")));
        assert_int_equal(f.x.reply.status, 0);
        fixture_close(&f);
    }
}

/* What breaks inside Basic is the client's failure to authenticate: 401, not 400. */
static void broken_basic_is_a_failed_authentication(void **state)
{
    (void)state;
    static const struct span pairs[] = {
        SPAN_INIT("a%00b:x"), SPAN_INIT("a\0b:x"), SPAN_INIT("a%:x"), SPAN_INIT("a%f:x"),
        SPAN_INIT("a%fg:x"),  SPAN_INIT("\xff:x"), SPAN_INIT("a:%"),  SPAN_INIT("a:\0"),
        SPAN_INIT(""),        SPAN_INIT(":"),      SPAN_INIT("a"),    SPAN_INIT("a:"),
    };
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        struct exchange_fixture f;
        struct presented_client client;
        fixture_open(&f, HTTP_POST, "/oauth2/token");
        oauth_fixture_basic(&f, pairs[i]);
        assert_int_equal(present(&f, "", &client), UNAUTHENTICATED);
        assert_oauth_error(&f, 401, "invalid_client");
        fixture_close(&f);
    }
}

/* RFC 9110 §11.1: the scheme's case does not matter; RFC 7617 has one space, more are tolerated. */
static void the_scheme_is_read_in_any_case(void **state)
{
    (void)state;
    static const struct {
        const char *before;
        enum status status;
    } schemes[] = {
        {"Basic ", OK},
        {"basic ", OK},
        {"BASIC ", OK},
        {"bAsIc   ", OK},
        {"Basic", UNAUTHENTICATED},
        {"Basicx ", UNAUTHENTICATED},
        {"Bearer ", UNAUTHENTICATED},
        {"Digest ", UNAUTHENTICATED},
        {"", UNAUTHENTICATED},
    };
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        struct exchange_fixture f;
        struct presented_client client;
        struct buf value;
        fixture_open(&f, HTTP_POST, "/oauth2/token");
        buf_init_arena(&value, &f.x.arena, 4096);
        buf_put(&value, span_cstr(schemes[i].before));
        base64_write(&value, oauth_fixture_text(&f, "abc:$"));
        oauth_fixture_authorization(&f, buf_span(&value));
        assert_int_equal(present(&f, "", &client), schemes[i].status);
        fixture_close(&f);
    }
}

static void basic_cut_at_every_byte_is_refused(void **state)
{
    (void)state;
    struct exchange_fixture f;
    fixture_open(&f, HTTP_POST, "/oauth2/token");
    oauth_fixture_basic(&f, oauth_fixture_text(&f, "abc:$"));
    struct span whole = f.headers[0].value;
    for (size_t len = 0; len < whole.len; len++) {
        struct presented_client client;
        f.x.header_count = 1;
        f.headers[0].value = span_first(whole, len);
        assert_int_equal(present(&f, "", &client), UNAUTHENTICATED);
    }
    fixture_close(&f);
}

static void one_method_and_no_more(void **state)
{
    (void)state;
    static const struct {
        const char *basic;
        const char *body;
        enum status status;
    } cases[] = {
        {NULL, "client_id=abc&client_secret=$", OK},
        {"abc:$", "", OK},
        {"abc:$", "client_id=abc", OK},
        {"abc:$", "client_id=&client_secret=", OK},
        {"abc:$", "client_id=abd", INVALID},
        {"abc:$", "client_id=abc&client_secret=$", INVALID},
        {"abc:", "client_id=abc&client_secret=$", INVALID},
        {"junk", "client_secret=$", INVALID},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct exchange_fixture f;
        struct presented_client client;
        fixture_open(&f, HTTP_POST, "/oauth2/token");
        if (cases[i].basic != NULL)
            oauth_fixture_basic(&f, oauth_fixture_text(&f, cases[i].basic));
        assert_int_equal(present(&f, cases[i].body, &client), cases[i].status);
        if (cases[i].status == INVALID)
            assert_oauth_error(&f, 400, "invalid_request");
        fixture_close(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_rfc_6749_is_read_and_refused),
        cmocka_unit_test(basic_halves_are_form_decoded),
        cmocka_unit_test(broken_basic_is_a_failed_authentication),
        cmocka_unit_test(the_scheme_is_read_in_any_case),
        cmocka_unit_test(basic_cut_at_every_byte_is_refused),
        cmocka_unit_test(one_method_and_no_more),
    };
    return RUN_TESTS(tests);
}
