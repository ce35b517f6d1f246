/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/jwk.h"

#include "jose_fixture.h"

#include <stdlib.h>

#define RSA(rest) "{\"kty\":\"RSA\",\"n\":\"" RFC7638_N "\",\"e\":\"AQAB\"" rest "}"
#define EC(rest)                                                                                   \
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" RFC7515_A3_X "\",\"y\":\"" RFC7515_A3_Y "\"" rest \
    "}"
#define OKP(rest) "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" RFC8037_X "\"" rest "}"

/* A copy of exactly the text's size: a sanitizer sees a read past its end. */
static enum status parse(struct span json, enum jose_alg fallback, struct jwk **ret_key,
                         struct err *err)
{
    char *copy = malloc(json.len == 0 ? 1 : json.len);
    assert_non_null(copy);
    if (json.len > 0)
        memcpy(copy, json.ptr, json.len);
    enum status status = jwk_parse(span_of(copy, json.len), fallback, ret_key, err);
    free(copy);
    return status;
}

static void assert_refused(const char *json, enum jose_alg fallback, enum status expected)
{
    struct jwk *key = NULL;
    struct err err = {0};
    enum status status = parse(span_cstr(json), fallback, &key, &err);
    if (status != expected)
        print_message("%.300s: %s\n", json, status_name(status));
    assert_int_equal(status, expected);
    assert_int_equal(err.status, expected);
    assert_true(err.detail[0] != '\0');
    assert_null(key);
}

static void assert_thumbprint(const struct jwk *key, const char *expected)
{
    char text[JWK_THUMBPRINT_LEN];
    jwk_thumbprint(key, text);
    assert_span_equal(span_of(text, sizeof text), expected);
}

static void rfc_7638_thumbprint(void **state)
{
    (void)state;
    AUTO(jwk)
    struct jwk *key = key_of(RSA(",\"alg\":\"RS256\",\"kid\":\"2011-04-29\""), JOSE_RS256);
    assert_thumbprint(key, RFC7638_THUMBPRINT);
    assert_span_equal(jwk_kid(key), "2011-04-29");
    assert_int_equal(jwk_alg(key), JOSE_RS256);
}

static void rfc_8037_thumbprint(void **state)
{
    (void)state;
    AUTO(jwk) struct jwk *key = key_of(RFC8037_KEY, JOSE_EDDSA);
    assert_thumbprint(key, RFC8037_THUMBPRINT);
}

/* RFC 8410 §10.1: the public key, and its PEM there. */
static void pem_of_rfc_8410(void **state)
{
    (void)state;
    struct buf pem AUTO(buf);
    struct jwk *key = key_of("{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
                             "\"x\":\"Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE\"}",
                             JOSE_EDDSA);
    buf_init(&pem, 4096);
    assert_int_equal(jwk_write_pem(key, &pem), OK);
    assert_span_equal(buf_span(&pem),
                      "-----BEGIN PUBLIC KEY-----\n"
                      "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n"
                      "-----END PUBLIC KEY-----\n");
    buf_done(&pem);
    buf_init(&pem, 16); /* what does not fit is a failure, not half a key */
    assert_int_equal(jwk_write_pem(key, &pem), NO_MEMORY);
    jwk_free(key);
}

/* RFC 7517 appendix A.1's point; the thumbprint as other implementations publish it. */
static void ec_thumbprint(void **state)
{
    (void)state;
    AUTO(jwk)
    struct jwk *key = key_of("{\"kty\":\"EC\",\"crv\":\"P-256\","
                             "\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\","
                             "\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\"}",
                             JOSE_ES256);
    assert_thumbprint(key, "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s");
}

static void kid_is_the_thumbprint_when_absent_or_empty(void **state)
{
    (void)state;
    AUTO(jwk) struct jwk *absent = key_of(RSA(""), JOSE_RS256);
    AUTO(jwk) struct jwk *empty = key_of(RSA(",\"kid\":\"\""), JOSE_RS256);
    assert_span_equal(jwk_kid(absent), RFC7638_THUMBPRINT);
    assert_span_equal(jwk_kid(empty), RFC7638_THUMBPRINT);
}

static void alg_is_the_key_s_own_or_the_fallback(void **state)
{
    (void)state;
    AUTO(jwk) struct jwk *own = key_of(RSA(",\"alg\":\"PS256\""), JOSE_RS256);
    AUTO(jwk) struct jwk *fallback = key_of(RSA(""), JOSE_PS256);
    AUTO(jwk) struct jwk *new_name = key_of(OKP(",\"alg\":\"Ed25519\""), JOSE_RS256);
    assert_int_equal(jwk_alg(own), JOSE_PS256);
    assert_int_equal(jwk_alg(fallback), JOSE_PS256);
    assert_int_equal(jwk_alg(new_name), JOSE_EDDSA);
}

/* 8725-01: each key has exactly one algorithm, and it is one for such keys. */
static void alg_must_fit_kty(void **state)
{
    (void)state;
    assert_refused(RSA(",\"alg\":\"ES256\""), JOSE_RS256, INVALID);
    assert_refused(EC(",\"alg\":\"RS256\""), JOSE_ES256, INVALID);
    assert_refused(OKP(",\"alg\":\"ES256\""), JOSE_EDDSA, INVALID);
    assert_refused(EC(""), JOSE_RS256, INVALID);
    assert_refused(RSA(""), JOSE_EDDSA, INVALID);
}

/* J02, J04, J05: keys for HMAC do not exist, nor may a public key be used as one. */
static void hmac_and_unknown_algorithms_are_unsupported(void **state)
{
    (void)state;
    assert_refused("{\"kty\":\"oct\",\"k\":\"hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg\"}",
                   JOSE_RS256, UNSUPPORTED);
    assert_refused("{\"kty\":\"oct\",\"k\":\"\"}", JOSE_RS256, UNSUPPORTED);
    assert_refused(RSA(",\"alg\":\"HS256\""), JOSE_RS256, UNSUPPORTED);
    assert_refused(RSA(",\"alg\":\"none\""), JOSE_RS256, UNSUPPORTED);
    assert_refused(RSA(",\"alg\":\"RS512\""), JOSE_RS256, UNSUPPORTED);
    assert_refused(RSA(",\"alg\":\"RSA-OAEP\""), JOSE_RS256, UNSUPPORTED);
    assert_refused("{\"kty\":\"AKP\",\"pub\":\"AAAA\"}", JOSE_RS256, UNSUPPORTED);
    assert_refused("{\"kty\":\"rsa\",\"n\":\"AAAA\",\"e\":\"AQAB\"}", JOSE_RS256, UNSUPPORTED);
}

static void keys_for_other_uses_are_unsupported(void **state)
{
    (void)state;
    AUTO(jwk) struct jwk *signing = key_of(RSA(",\"use\":\"sig\""), JOSE_RS256);
    AUTO(jwk) struct jwk *verifying = key_of(RSA(",\"key_ops\":[\"verify\"]"), JOSE_RS256);
    AUTO(jwk)
    struct jwk *both =
        key_of(RSA(",\"use\":\"sig\",\"key_ops\":[\"sign\",\"verify\"]"), JOSE_RS256);
    assert_non_null(signing);
    assert_non_null(verifying);
    assert_non_null(both);
    assert_refused(RSA(",\"use\":\"enc\""), JOSE_RS256, UNSUPPORTED);
    assert_refused(RSA(",\"use\":\"SIG\""), JOSE_RS256, UNSUPPORTED);
    assert_refused(RSA(",\"key_ops\":[\"encrypt\"]"), JOSE_RS256, UNSUPPORTED);
    assert_refused(RSA(",\"use\":\"sig\",\"key_ops\":[\"encrypt\"]"), JOSE_RS256, UNSUPPORTED);
    assert_refused(RSA(",\"key_ops\":[]"), JOSE_RS256, UNSUPPORTED);
}

/* J35 */
static void members_of_the_wrong_type(void **state)
{
    (void)state;
    const char *texts[] = {
        "{\"kty\":true}",
        "{\"kty\":null}",
        "{\"kty\":[\"RSA\"]}",
        "{}",
        "[]",
        "null",
        "5",
        "\"RSA\"",
        "true",
        RSA(",\"alg\":5"),
        RSA(",\"alg\":null"),
        RSA(",\"kid\":5"),
        RSA(",\"kid\":{}"),
        RSA(",\"use\":5"),
        RSA(",\"use\":[\"sig\"]"),
        RSA(",\"key_ops\":\"verify\""),
        RSA(",\"key_ops\":5"),
        "{\"kty\":\"RSA\",\"n\":[],\"e\":\"AQAB\"}",
        "{\"kty\":\"RSA\",\"n\":65537,\"e\":\"AQAB\"}",
        "{\"kty\":\"RSA\",\"n\":\"" RFC7638_N "\",\"e\":65537}",
        "{\"kty\":\"RSA\",\"n\":\"" RFC7638_N "\",\"e\":null}",
        "{\"kty\":\"EC\",\"crv\":256,\"x\":\"" RFC7515_A3_X "\",\"y\":\"" RFC7515_A3_Y "\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":{},\"y\":\"" RFC7515_A3_Y "\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":false}",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_refused(texts[i], JOSE_RS256, INVALID);
}

/* J34 */
static void missing_members(void **state)
{
    (void)state;
    assert_refused("{\"kty\":\"RSA\",\"e\":\"AQAB\"}", JOSE_RS256, INVALID);
    assert_refused("{\"kty\":\"RSA\",\"n\":\"" RFC7638_N "\"}", JOSE_RS256, INVALID);
    assert_refused("{\"kty\":\"RSA\",\"n\":\"\",\"e\":\"AQAB\"}", JOSE_RS256, INVALID);
    assert_refused("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" RFC7515_A3_X "\"}", JOSE_ES256,
                   INVALID);
    assert_refused("{\"kty\":\"EC\",\"crv\":\"P-256\",\"y\":\"" RFC7515_A3_Y "\"}", JOSE_ES256,
                   INVALID);
    assert_refused("{\"kty\":\"OKP\",\"crv\":\"Ed25519\"}", JOSE_EDDSA, INVALID);
}

/* J34 */
static void wrong_curves(void **state)
{
    (void)state;
    assert_refused("{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"" RFC7515_A3_X
                   "\",\"y\":\"" RFC7515_A3_Y "\"}",
                   JOSE_ES256, UNSUPPORTED);
    assert_refused("{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"" RFC7515_A3_X
                   "\",\"y\":\"" RFC7515_A3_Y "\"}",
                   JOSE_ES256, UNSUPPORTED);
    assert_refused("{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"" RFC8037_X "\"}", JOSE_EDDSA,
                   UNSUPPORTED);
    assert_refused("{\"kty\":\"OKP\",\"crv\":\"P-256\",\"x\":\"" RFC8037_X "\"}", JOSE_EDDSA,
                   UNSUPPORTED);
    assert_refused("{\"kty\":\"EC\",\"crv\":\"Ed25519\",\"x\":\"" RFC8037_X "\",\"y\":\"" RFC8037_X
                   "\"}",
                   JOSE_ES256, UNSUPPORTED);
}

/* J34; 8725-04 */
static void point_off_the_curve(void **state)
{
    (void)state;
    const char *points[][2] = {
        {RFC7515_A3_X, RFC7515_A3_X},
        {RFC7515_A3_Y, RFC7515_A3_X},
        {"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
         "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
        {"__________________________________________8", RFC7515_A3_Y}, /* x not below p */
    };
    for (size_t i = 0; i < ARRAY_LEN(points); i++) {
        char json[512];
        (void)snprintf(json, sizeof json,
                       "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\"}", points[i][0],
                       points[i][1]);
        assert_refused(json, JOSE_ES256, INVALID);
    }
}

/* size bytes as base64url, the first and last as given. */
static struct span number(struct arena *arena, size_t size, unsigned char first, unsigned char last)
{
    struct buf out;
    unsigned char *bytes = arena_alloc(arena, size);
    assert_non_null(bytes);
    memset(bytes, 0x5b, size);
    bytes[size - 1] = last;
    bytes[0] = first;
    buf_init_arena(&out, arena, 4096);
    base64url_write(&out, span_of(bytes, size));
    assert_true(buf_ok(&out));
    return buf_span(&out);
}

/* J34; 7518-04: coordinates are of exactly 32 octets. */
static void coordinates_of_other_lengths(void **state)
{
    (void)state;
    const size_t sizes[] = {1, 31, 33, 64};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        char json[512];
        struct arena arena;
        arena_init(&arena, 1 << 16);
        struct span text = number(&arena, sizes[i], 0, 1);
        (void)snprintf(json, sizeof json,
                       "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%.*s\",\"y\":\"" RFC7515_A3_Y
                       "\"}",
                       SPAN_FMT(text));
        assert_refused(json, JOSE_ES256, INVALID);
        (void)snprintf(json, sizeof json,
                       "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" RFC7515_A3_X
                       "\",\"y\":\"%.*s\"}",
                       SPAN_FMT(text));
        assert_refused(json, JOSE_ES256, INVALID);
        (void)snprintf(json, sizeof json, "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"%.*s\"}",
                       SPAN_FMT(text));
        assert_refused(json, JOSE_EDDSA, INVALID);
        arena_done(&arena);
    }
}

static enum status parse_rsa(struct span n, const char *e)
{
    char json[4096];
    struct jwk *key = NULL;
    int len = snprintf(json, sizeof json, "{\"kty\":\"RSA\",\"n\":\"%.*s\",\"e\":\"%s\"}",
                       SPAN_FMT(n), e);
    enum status status = parse(span_of(json, (size_t)len), JOSE_RS256, &key, NULL);
    jwk_free(key);
    return status;
}

/* 7518-02 */
static void rsa_sizes(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 16);
    assert_int_equal(parse_rsa(number(&arena, 128, 0xff, 0xff), "AQAB"), INVALID);  /* 1024 */
    assert_int_equal(parse_rsa(number(&arena, 256, 0x7f, 0xff), "AQAB"), INVALID);  /* 2047 */
    assert_int_equal(parse_rsa(number(&arena, 256, 0x80, 0xff), "AQAB"), OK);       /* 2048 */
    assert_int_equal(parse_rsa(number(&arena, 257, 0x01, 0xff), "AQAB"), OK);       /* 2049 */
    assert_int_equal(parse_rsa(number(&arena, 1024, 0xff, 0xff), "AQAB"), OK);      /* 8192 */
    assert_int_equal(parse_rsa(number(&arena, 1025, 0x01, 0xff), "AQAB"), INVALID); /* 8193 */
    assert_int_equal(parse_rsa(number(&arena, 2048, 0xff, 0xff), "AQAB"), INVALID);
    assert_int_equal(parse_rsa(number(&arena, 256, 0xff, 0xfe), "AQAB"), INVALID); /* even */
    assert_int_equal(parse_rsa(number(&arena, 256, 0x00, 0xff), "AQAB"), INVALID); /* zero first */
    arena_done(&arena);
}

static void rsa_exponents(void **state)
{
    (void)state;
    const struct span n = SPAN(RFC7638_N);
    assert_int_equal(parse_rsa(n, "Aw"), OK);           /* 3 */
    assert_int_equal(parse_rsa(n, "_____w"), OK);       /* 2^32 - 1 */
    assert_int_equal(parse_rsa(n, "AAEAAQ"), OK);       /* 65537 with a zero octet in front */
    assert_int_equal(parse_rsa(n, "AQ"), INVALID);      /* 1 */
    assert_int_equal(parse_rsa(n, "AA"), INVALID);      /* 0 */
    assert_int_equal(parse_rsa(n, "Ag"), INVALID);      /* 2 */
    assert_int_equal(parse_rsa(n, "AQAC"), INVALID);    /* 65538 */
    assert_int_equal(parse_rsa(n, "AQAAAAE"), INVALID); /* 2^32 + 1 */
    assert_int_equal(parse_rsa(n, RFC7638_N), INVALID);
}

/* 7518-05: read with leading zeros, thumbprint and output in the minimal form. */
static void leading_zeros_change_nothing(void **state)
{
    (void)state;
    struct arena arena;
    struct span decoded;
    struct buf n;
    char json[4096];
    char zeroed[300] = {0};
    AUTO(buf) struct buf plain_text;
    AUTO(buf) struct buf zeroed_text;
    arena_init(&arena, 1 << 16);
    assert_int_equal(base64url_decode(SPAN(RFC7638_N), &arena, &decoded), OK);
    memcpy(zeroed + 1, decoded.ptr, decoded.len);
    buf_init_arena(&n, &arena, 4096);
    base64url_write(&n, span_of(zeroed, decoded.len + 1));
    (void)snprintf(json, sizeof json, "{\"kty\":\"RSA\",\"n\":\"%.*s\",\"e\":\"AAEAAQ\"}",
                   SPAN_FMT(buf_span(&n)));
    AUTO(jwk) struct jwk *key = key_of(json, JOSE_RS256);
    AUTO(jwk) struct jwk *plain = key_of(RSA(""), JOSE_RS256);
    assert_thumbprint(key, RFC7638_THUMBPRINT);
    buf_init(&plain_text, 4096);
    buf_init(&zeroed_text, 4096);
    jwk_write(plain, &plain_text);
    jwk_write(key, &zeroed_text);
    assert_int_equal(span_compare(buf_span(&plain_text), buf_span(&zeroed_text)), 0);
    arena_done(&arena);
}

static void members_that_are_not_base64url(void **state)
{
    (void)state;
    const char *texts[] = {
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" RFC8037_X "=\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS/"
        "7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\" " RFC8037_X "\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" RFC8037_X "\\n\"}",
        /* trailing bits: o is 101000, p is 101001 */
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_"
        "7TyWQHOg7hcvPapiMlrwIaaPcHURp\"}",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_refused(texts[i], JOSE_EDDSA, INVALID);
}

static void kid_of_128_octets_and_no_more(void **state)
{
    (void)state;
    char kid[JWK_KID_LEN_MAX + 2];
    char json[1024];
    memset(kid, 'k', sizeof kid);
    kid[JWK_KID_LEN_MAX] = '\0';
    (void)snprintf(json, sizeof json, OKP(",\"kid\":\"%s\""), kid);
    AUTO(jwk) struct jwk *key = key_of(json, JOSE_EDDSA);
    assert_span_equal(jwk_kid(key), kid);
    kid[JWK_KID_LEN_MAX] = 'k';
    kid[JWK_KID_LEN_MAX + 1] = '\0';
    (void)snprintf(json, sizeof json, OKP(",\"kid\":\"%s\""), kid);
    assert_refused(json, JOSE_EDDSA, INVALID);
}

/* J08: such a kid is a name like any other; J14: but not with a NUL. */
static void kid_is_only_a_name(void **state)
{
    (void)state;
    AUTO(jwk) struct jwk *key = key_of(OKP(",\"kid\":\"../../../../dev/null\""), JOSE_EDDSA);
    assert_span_equal(jwk_kid(key), "../../../../dev/null");
    assert_refused(OKP(",\"kid\":\"a\\u0000b\""), JOSE_EDDSA, INVALID);
}

/* J14, J29, J31 */
static void hostile_json(void **state)
{
    (void)state;
    AUTO(buf) struct buf deep;
    AUTO(buf) struct buf wide;
    assert_refused(OKP(",\"x\":\"" RFC8037_X "\""), JOSE_EDDSA, INVALID);
    assert_refused(OKP(",\"\\u0078\":\"" RFC8037_X "\""), JOSE_EDDSA, INVALID);
    assert_refused(RFC8037_KEY "x", JOSE_EDDSA, INVALID);
    assert_refused(RFC8037_KEY RFC8037_KEY, JOSE_EDDSA, INVALID);
    buf_init(&deep, 16384);
    buf_put(&deep, SPAN("{\"a\":"));
    for (int i = 0; i < 4000; i++)
        buf_byte(&deep, '[');
    buf_byte(&deep, '\0');
    assert_refused(deep.data, JOSE_EDDSA, INVALID);
    buf_init(&wide, 16384);
    buf_put(&wide, SPAN("{\"kty\":\"OKP\""));
    for (int i = 0; i < 1024; i++)
        buf_printf(&wide, ",\"%d\":0", i);
    buf_put(&wide, SPAN("}\0"));
    assert_refused(wide.data, JOSE_EDDSA, INVALID);
}

/* J32: the size is looked at before the text. */
static void huge_text_is_refused_unread(void **state)
{
    (void)state;
    struct jwk *key = NULL;
    assert_int_equal(jwk_parse(span_of("{", SIZE_MAX / 2), JOSE_RS256, &key, NULL), INVALID);
}

static void text_of_the_longest_length_is_read(void **state)
{
    (void)state;
    AUTO(buf) struct buf text;
    struct jwk *key = NULL;
    buf_init(&text, 2 * JWK_TEXT_LEN_MAX);
    buf_put(&text, SPAN(RFC8037_KEY));
    while (text.len < JWK_TEXT_LEN_MAX)
        buf_byte(&text, ' ');
    assert_int_equal(parse(buf_span(&text), JOSE_EDDSA, &key, NULL), OK);
    jwk_free(key);
    key = NULL;
    buf_byte(&text, ' ');
    assert_int_equal(parse(buf_span(&text), JOSE_EDDSA, &key, NULL), INVALID);
}

static void truncated_at_every_byte(void **state)
{
    (void)state;
    const struct span texts[] = {SPAN(RSA("")), SPAN(EC("")), SPAN(OKP(""))};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        for (size_t len = 0; len < texts[i].len; len++) {
            struct jwk *key = NULL;
            assert_int_equal(parse(span_first(texts[i], len), JOSE_RS256, &key, NULL), INVALID);
        }
    }
}

static void unknown_members_are_ignored(void **state)
{
    (void)state;
    AUTO(jwk)
    struct jwk *key =
        key_of(OKP(",\"x5u\":\"https://evil.example/\",\"x5c\":[\"AAAA\"],\"jku\":7,\"exp\":1.5"),
               JOSE_EDDSA);
    assert_thumbprint(key, RFC8037_THUMBPRINT);
}

static void assert_written(const struct jwk *key, const char *expected)
{
    AUTO(buf) struct buf out;
    buf_init(&out, 4096);
    jwk_write(key, &out);
    assert_true(buf_ok(&out));
    AUTO(jwk) struct jwk *again = NULL;
    struct err err = {0};
    assert_int_equal(jwk_parse(buf_span(&out), JOSE_RS256, &again, &err), OK);
    assert_int_equal(jwk_alg(again), jwk_alg(key));
    assert_int_equal(span_compare(jwk_kid(again), jwk_kid(key)), 0);
    buf_byte(&out, '\0');
    for (const char *part = expected; *part != '\0'; part += strlen(part) + 1)
        assert_non_null(strstr(out.data, part));
}

/* 7517-02: use and alg are published. The order of members is free. */
static void written_keys_read_back(void **state)
{
    (void)state;
    AUTO(jwk) struct jwk *rsa = key_of(RSA(",\"kid\":\"one\""), JOSE_PS256);
    AUTO(jwk) struct jwk *ec = key_of(EC(""), JOSE_ES256);
    AUTO(jwk) struct jwk *okp = key_of(OKP(""), JOSE_EDDSA);
    assert_written(rsa, "\"kty\":\"RSA\"\0\"n\":\"" RFC7638_N "\"\0\"e\":\"AQAB\"\0"
                        "\"use\":\"sig\"\0\"alg\":\"PS256\"\0\"kid\":\"one\"\0");
    assert_written(ec, "\"kty\":\"EC\"\0\"crv\":\"P-256\"\0\"x\":\"" RFC7515_A3_X
                       "\"\0\"y\":\"" RFC7515_A3_Y "\"\0\"use\":\"sig\"\0\"alg\":\"ES256\"\0");
    assert_written(okp, "\"kty\":\"OKP\"\0\"crv\":\"Ed25519\"\0\"x\":\"" RFC8037_X "\"\0"
                        "\"use\":\"sig\"\0\"alg\":\"EdDSA\"\0\"kid\":\"" RFC8037_THUMBPRINT "\"\0");
}

static void written_kid_cannot_break_out_of_its_string(void **state)
{
    (void)state;
    AUTO(jwk) struct jwk *key = key_of(OKP(",\"kid\":\"a\\\",\\\"d\\\":\\\"\\\\\\n\""), JOSE_EDDSA);
    assert_span_equal(jwk_kid(key), "a\",\"d\":\"\\\n");
    assert_written(key, "\"kty\":\"OKP\"\0");
}

/* 7517-04: nothing private is kept, so nothing private can be published. 7638-03: and the
 * thumbprint is that of the public key. */
static void private_members_are_not_kept(void **state)
{
    (void)state;
    AUTO(buf) struct buf out;
    AUTO(jwk)
    struct jwk *key = key_of(
        OKP(",\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\",\"k\":\"AAAA\""), JOSE_EDDSA);
    assert_thumbprint(key, RFC8037_THUMBPRINT);
    buf_init(&out, 4096);
    jwk_write(key, &out);
    buf_byte(&out, '\0');
    assert_null(strstr(out.data, "\"d\""));
    assert_null(strstr(out.data, "\"k\""));
    assert_null(strstr(out.data, "nWGxne"));
}

static void full_buffer_sticks(void **state)
{
    (void)state;
    AUTO(buf) struct buf out;
    AUTO(jwk) struct jwk *key = key_of(RSA(""), JOSE_RS256);
    buf_init(&out, 100);
    jwk_write(key, &out);
    assert_false(buf_ok(&out));
}

static void free_of_null(void **state)
{
    (void)state;
    jwk_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc_7638_thumbprint),
        cmocka_unit_test(rfc_8037_thumbprint),
        cmocka_unit_test(ec_thumbprint),
        cmocka_unit_test(pem_of_rfc_8410),
        cmocka_unit_test(kid_is_the_thumbprint_when_absent_or_empty),
        cmocka_unit_test(alg_is_the_key_s_own_or_the_fallback),
        cmocka_unit_test(alg_must_fit_kty),
        cmocka_unit_test(hmac_and_unknown_algorithms_are_unsupported),
        cmocka_unit_test(keys_for_other_uses_are_unsupported),
        cmocka_unit_test(members_of_the_wrong_type),
        cmocka_unit_test(missing_members),
        cmocka_unit_test(wrong_curves),
        cmocka_unit_test(point_off_the_curve),
        cmocka_unit_test(coordinates_of_other_lengths),
        cmocka_unit_test(rsa_sizes),
        cmocka_unit_test(rsa_exponents),
        cmocka_unit_test(leading_zeros_change_nothing),
        cmocka_unit_test(members_that_are_not_base64url),
        cmocka_unit_test(kid_of_128_octets_and_no_more),
        cmocka_unit_test(kid_is_only_a_name),
        cmocka_unit_test(hostile_json),
        cmocka_unit_test(huge_text_is_refused_unread),
        cmocka_unit_test(text_of_the_longest_length_is_read),
        cmocka_unit_test(truncated_at_every_byte),
        cmocka_unit_test(unknown_members_are_ignored),
        cmocka_unit_test(written_keys_read_back),
        cmocka_unit_test(written_kid_cannot_break_out_of_its_string),
        cmocka_unit_test(private_members_are_not_kept),
        cmocka_unit_test(full_buffer_sticks),
        cmocka_unit_test(free_of_null),
    };
    return RUN_TESTS(tests);
}
