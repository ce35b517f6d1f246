/* SPDX-License-Identifier: Apache-2.0 */
#include "jose_fixture.h"

static void auto_jwks(struct jwks **set)
{
    jwks_free(*set);
}

static struct jwks *parse(const char *json)
{
    struct jwks *set = NULL;
    struct err err = {0};
    assert_int_equal(jwks_parse(span_cstr(json), &set, &err), OK);
    return set;
}

/* RFC 7517 appendix A.1: the first key is for encryption and is skipped, the second stays. */
static void rfc_7517_a1_public_keys(void **state)
{
    (void)state;
    AUTO(jwks)
    struct jwks *set = parse("{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\","
                             "\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\","
                             "\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\","
                             "\"use\":\"enc\",\"kid\":\"1\"},"
                             "{\"kty\":\"RSA\",\"n\":\"" RFC7638_N "\",\"e\":\"AQAB\","
                             "\"alg\":\"RS256\",\"kid\":\"2011-04-29\"}]}");
    assert_int_equal(jwks_count(set), 1);
    const struct jwk *key = jwks_find(set, SPAN("2011-04-29"));
    assert_non_null(key);
    assert_ptr_equal(key, jwks_at(set, 0));
    assert_int_equal(jwk_alg(key), JOSE_RS256);
    assert_null(jwks_find(set, SPAN("1")));
}

/* 7517-03, J35: good keys among bad ones stay usable. */
static void unusable_keys_are_skipped(void **state)
{
    (void)state;
    AUTO(jwks)
    struct jwks *set = parse(
        "{\"keys\":[{},{\"kty\":true},{\"kty\":\"oct\",\"k\":\"AAAA\"},"
        "{\"kty\":\"RSA\",\"n\":[],\"e\":\"AQAB\"},{\"kty\":\"RSA\",\"n\":\"AAAA\",\"e\":\"AQAB\"},"
        "{\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":\"AA\",\"y\":\"AA\"},"
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" RFC7515_A3_X "\",\"y\":\"" RFC7515_A3_X "\"},"
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" RFC8037_X
        "\",\"alg\":\"ES256\"}," RFC8037_KEY "],\"other\":[{\"kty\":\"RSA\"}]}");
    assert_int_equal(jwks_count(set), 1);
    assert_non_null(jwks_find(set, SPAN(RFC8037_THUMBPRINT)));
}

static void keys_without_alg_take_the_usual_one(void **state)
{
    (void)state;
    AUTO(jwks)
    struct jwks *set = parse("{\"keys\":[" RFC7515_A2_KEY "," RFC7515_A3_KEY "," RFC8037_KEY "]}");
    assert_int_equal(jwks_count(set), 3);
    assert_int_equal(jwk_alg(jwks_at(set, 0)), JOSE_RS256);
    assert_int_equal(jwk_alg(jwks_at(set, 1)), JOSE_ES256);
    assert_int_equal(jwk_alg(jwks_at(set, 2)), JOSE_EDDSA);
}

static void empty_set(void **state)
{
    (void)state;
    AUTO(buf) struct buf out;
    AUTO(jwks) struct jwks *set = parse("{\"keys\":[]}");
    assert_int_equal(jwks_count(set), 0);
    assert_null(jwks_find(set, SPAN("")));
    buf_init(&out, 100);
    jwks_write(set, &out);
    assert_span_equal(buf_span(&out), "{\"keys\":[]}");
}

static void what_is_not_a_set_is_refused(void **state)
{
    (void)state;
    const char *texts[] = {
        "",
        "{}",
        "[]",
        "null",
        "{\"keys\":{}}",
        "{\"keys\":null}",
        "{\"keys\":\"" RFC8037_X "\"}",
        "{\"keys\":[]",
        "{\"keys\":[]}x",
        "{\"keys\":[],\"keys\":[]}",
        "{\"Keys\":[]}",
        "{\"keys\":[null]}",
        "{\"keys\":[" RFC8037_KEY ",5]}",
        "{\"keys\":[[]]}",
        "{\"keys\":[\"x\"]}",
        RFC8037_KEY,
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct jwks *set = NULL;
        struct err err = {0};
        assert_int_equal(jwks_parse(span_cstr(texts[i]), &set, &err), INVALID);
        assert_int_equal(err.status, INVALID);
        assert_null(set);
    }
}

/* J32 */
static void huge_text_is_refused_unread(void **state)
{
    (void)state;
    struct jwks *set = NULL;
    assert_int_equal(jwks_parse(span_of("{", SIZE_MAX / 2), &set, NULL), INVALID);
}

static void truncated_at_every_byte(void **state)
{
    (void)state;
    const struct span text = SPAN("{\"keys\":[" RFC8037_KEY "," RFC7515_A3_KEY "]}");
    for (size_t len = 0; len < text.len; len++) {
        struct jwks *set = NULL;
        assert_int_equal(jwks_parse(span_first(text, len), &set, NULL), INVALID);
    }
}

/* 7517-01: a kid names one key; the first stays. */
static void keys_that_share_a_kid_are_not_taken(void **state)
{
    (void)state;
    AUTO(jwks)
    struct jwks *parsed =
        parse("{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" RFC8037_X
              "\",\"kid\":\"k\"},{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" RFC7515_A3_X
              "\",\"y\":\"" RFC7515_A3_Y "\",\"kid\":\"k\"}]}");
    assert_int_equal(jwks_count(parsed), 0); /* which one would a token mean? */
    AUTO(jwks) struct jwks *set = jwks_new();
    assert_non_null(set);
    assert_int_equal(jwks_add(set, key_of(RFC8037_KEY, JOSE_EDDSA)), OK);
    assert_int_equal(jwks_add(set, key_of(RFC8037_KEY, JOSE_EDDSA)), CONFLICT);
    assert_int_equal(jwks_add(set, key_of(RFC7515_A3_KEY, JOSE_ES256)), OK);
    assert_int_equal(jwks_count(set), 2);
}

static void many_keys_are_found(void **state)
{
    (void)state;
    AUTO(jwks) struct jwks *set = jwks_new();
    char json[256];
    char kid[16];
    assert_non_null(set);
    for (int i = 0; i < 40; i++) {
        (void)snprintf(
            json, sizeof json,
            "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" RFC8037_X "\",\"kid\":\"key-%d\"}", i);
        assert_int_equal(jwks_add(set, key_of(json, JOSE_EDDSA)), OK);
    }
    for (int i = 0; i < 40; i++) {
        (void)snprintf(kid, sizeof kid, "key-%d", i);
        const struct jwk *key = jwks_find(set, span_cstr(kid));
        assert_non_null(key);
        assert_span_equal(jwk_kid(key), kid);
    }
    assert_null(jwks_find(set, SPAN("key-40")));
    assert_null(jwks_find(set, SPAN("key-"))); /* a prefix is not a match */
    assert_null(jwks_find(set, SPAN("KEY-1")));
}

static void written_set_reads_back(void **state)
{
    (void)state;
    AUTO(buf) struct buf out;
    AUTO(jwks)
    struct jwks *set = parse("{\"keys\":[" RFC7515_A2_KEY "," RFC7515_A3_KEY "," RFC8037_KEY "]}");
    buf_init(&out, 8192);
    jwks_write(set, &out);
    buf_byte(&out, '\0');
    AUTO(jwks) struct jwks *again = parse(out.data);
    assert_int_equal(jwks_count(again), 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(jwk_alg(jwks_at(again, i)), jwk_alg(jwks_at(set, i)));
        assert_int_equal(span_compare(jwk_kid(jwks_at(again, i)), jwk_kid(jwks_at(set, i))), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc_7517_a1_public_keys),
        cmocka_unit_test(unusable_keys_are_skipped),
        cmocka_unit_test(keys_without_alg_take_the_usual_one),
        cmocka_unit_test(empty_set),
        cmocka_unit_test(what_is_not_a_set_is_refused),
        cmocka_unit_test(huge_text_is_refused_unread),
        cmocka_unit_test(truncated_at_every_byte),
        cmocka_unit_test(keys_that_share_a_kid_are_not_taken),
        cmocka_unit_test(many_keys_are_found),
        cmocka_unit_test(written_set_reads_back),
    };
    return RUN_TESTS(tests);
}
