/* SPDX-License-Identifier: Apache-2.0 */
#include "oauth/oauth_metadata.h"

#include "codec/json.h"
#include "jose/jwk.h"

#include "../exchange_fixture.h"

#define ISSUER "https://as.example"

static void open_documents(struct exchange_fixture *f)
{
    fixture_open(f, HTTP_GET, "/.well-known/oauth-authorization-server");
    f->app.metadata_json = SPAN("{\"issuer\":\"" ISSUER "\"}");
    f->app.metadata_etag = SPAN("\"abc-_123\"");
    f->app.jwks_json = SPAN("{\"keys\":[]}");
    f->app.jwks_etag = SPAN("\"keys\"");
}

static void documents_come_with_their_etag(void **state)
{
    (void)state;
    struct exchange_fixture f;
    open_documents(&f);
    oauth_metadata(&f.x);
    assert_int_equal(f.x.reply.status, 200);
    assert_span_equal(f.x.reply.content_type, "application/json");
    assert_span_equal(buf_span(&f.x.reply.body), "{\"issuer\":\"" ISSUER "\"}");
    assert_span_equal(fixture_reply_header(&f, "ETag"), "\"abc-_123\"");
    assert_true(fixture_reply_header(&f, "Cache-Control").len > 0);
    fixture_close(&f);
    open_documents(&f);
    oauth_jwks(&f.x);
    assert_span_equal(buf_span(&f.x.reply.body), "{\"keys\":[]}");
    assert_span_equal(fixture_reply_header(&f, "ETag"), "\"keys\"");
    fixture_close(&f);
}

/* RFC 9110 §13.1.2: a list, compared weakly, or "*". */
static void if_none_match_in_each_form(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        bool is_same;
    } forms[] = {
        {"\"abc-_123\"", true},
        {"W/\"abc-_123\"", true},
        {"*", true},
        {"\"x\", \"abc-_123\"", true},
        {"\"x\",W/\"abc-_123\" ,\"y\"", true},
        {", ,\"abc-_123\",", true},
        {"", false},
        {",", false},
        {"abc-_123", false},
        {"\"ABC-_123\"", false},
        {"w/\"abc-_123\"", false},
        {"\"abc-_12\"", false},
        {"\"abc-_1234\"", false},
        {"\"abc-_123", false},
        {"\"x\" \"abc-_123\"", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        struct exchange_fixture f;
        open_documents(&f);
        fixture_header(&f, "if-none-match", forms[i].value);
        oauth_metadata(&f.x);
        if (f.x.reply.status != (forms[i].is_same ? 304 : 200))
            print_error("case %zu: %s\n", i, forms[i].value);
        assert_int_equal(f.x.reply.status, forms[i].is_same ? 304 : 200);
        assert_int_equal(f.x.reply.body.len == 0, forms[i].is_same);
        assert_int_equal(f.x.reply.content_type.len == 0, forms[i].is_same);
        /* §15.4.5: what a 200 would have said about keeping it. */
        assert_span_equal(fixture_reply_header(&f, "ETag"), "\"abc-_123\"");
        assert_true(fixture_reply_header(&f, "Cache-Control").len > 0);
        fixture_close(&f);
    }
}

/* RFC 8414 §2: the required members, and URLs under the issuer. */
static void the_metadata_says_what_exists(void **state)
{
    (void)state;
    struct buf out AUTO(buf);
    AUTO(json) json_t *json = NULL;
    struct err err = {0};
    buf_init(&out, 4096);
    struct jwks *keys = jwks_new();
    assert_non_null(keys);
    oauth_metadata_write(&(struct oauth_metadata){.issuer = SPAN(ISSUER), .keys = keys}, &out);
    jwks_free(keys);
    assert_true(buf_ok(&out));
    assert_int_equal(json_parse(buf_span(&out), &json_limits_default, &json, &err), OK);
    assert_span_equal(json_text(json_object_get(json, "issuer")), ISSUER);
    assert_span_equal(json_text(json_object_get(json, "token_endpoint")), ISSUER "/oauth2/token");
    assert_span_equal(json_text(json_object_get(json, "jwks_uri")),
                      ISSUER "/.well-known/jwks.json");
    assert_int_equal(json_array_size(json_object_get(json, "response_types_supported")), 0);
    assert_true(json_is_array(json_object_get(json, "response_types_supported")));
    const json_t *grants = json_object_get(json, "grant_types_supported");
    assert_int_equal(json_array_size(grants), 1);
    assert_span_equal(json_text(json_array_get(grants, 0)), "client_credentials");
    const json_t *methods = json_object_get(json, "token_endpoint_auth_methods_supported");
    assert_int_equal(json_array_size(methods), 2);
    assert_null(json_object_get(json, "authorization_endpoint"));
}

static void an_issuer_too_long_for_a_url_is_a_failure(void **state)
{
    (void)state;
    char issuer[1024];
    struct buf out AUTO(buf);
    memset(issuer, 'a', sizeof issuer);
    buf_init(&out, 65536);
    struct jwks *keys = jwks_new();
    assert_non_null(keys);
    oauth_metadata_write(
        &(struct oauth_metadata){.issuer = span_of(issuer, sizeof issuer), .keys = keys}, &out);
    jwks_free(keys);
    assert_false(buf_ok(&out));
}

/* Readers such as go-oidc take no token whose algorithm is not listed; RS256 is always there. */
static void the_algorithms_are_those_of_the_keys(void **state)
{
    (void)state;
    struct buf out AUTO(buf);
    AUTO(json) json_t *json = NULL;
    struct jwk *key = NULL;
    struct jwks *keys = jwks_new();
    assert_non_null(keys);
    assert_int_equal(jwk_parse(SPAN("{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
                                    "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}"),
                               JOSE_EDDSA, &key, NULL),
                     OK);
    assert_int_equal(jwks_add(keys, key), OK);
    buf_init(&out, 4096);
    oauth_metadata_write(&(struct oauth_metadata){.issuer = SPAN(ISSUER),
                                                  .keys = keys,
                                                  .has_authorization_endpoint = true},
                         &out);
    jwks_free(keys);
    assert_int_equal(json_parse(buf_span(&out), &json_limits_default, &json, NULL), OK);
    const json_t *algs = json_object_get(json, "id_token_signing_alg_values_supported");
    assert_int_equal(json_array_size(algs), 2);
    assert_span_equal(json_text(json_array_get(algs, 0)), "RS256");
    assert_span_equal(json_text(json_array_get(algs, 1)), "EdDSA");
    assert_span_equal(json_text(json_object_get(json, "authorization_endpoint")),
                      ISSUER "/oauth2/authorize");
}

static void the_etag_is_strong_and_the_documents_own(void **state)
{
    (void)state;
    struct buf one AUTO(buf);
    struct buf again AUTO(buf);
    struct buf other AUTO(buf);
    buf_init(&one, 64);
    buf_init(&again, 64);
    buf_init(&other, 64);
    oauth_etag_write(SPAN("{}"), &one);
    oauth_etag_write(SPAN("{}"), &again);
    oauth_etag_write(SPAN("{ }"), &other);
    assert_true(span_equal(buf_span(&one), buf_span(&again)));
    assert_false(span_equal(buf_span(&one), buf_span(&other)));
    assert_int_equal(one.len, 18);
    assert_true(one.data[0] == '"' && one.data[17] == '"');
    /* §8.8.3 etagc, and no comma: the comparison above cuts there. */
    assert_true(span_only(span_of(one.data + 1, 16),
                          "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_come_with_their_etag),
        cmocka_unit_test(if_none_match_in_each_form),
        cmocka_unit_test(the_metadata_says_what_exists),
        cmocka_unit_test(an_issuer_too_long_for_a_url_is_a_failure),
        cmocka_unit_test(the_algorithms_are_those_of_the_keys),
        cmocka_unit_test(the_etag_is_strong_and_the_documents_own),
    };
    return RUN_TESTS(tests);
}
