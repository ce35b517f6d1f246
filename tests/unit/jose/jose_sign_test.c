/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/jose_sign.h"

#include "jose/jws.h"
#include "jose_fixture.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/x509.h>

enum { ARENA_BYTES = 1 << 16, OUT_BYTES = 1 << 20 };

static void auto_signing_key(struct signing_key **key)
{
    signing_key_free(*key);
}

static void auto_jose_signer(struct jose_signer **signer)
{
    jose_signer_free(*signer);
}

static struct signing_key *make(enum jose_alg alg)
{
    struct signing_key *key = NULL;
    assert_int_equal(signing_key_make(alg, &key, NULL), OK);
    assert_int_equal(signing_key_alg(key), alg);
    return key;
}

static struct jose_signer *signer_of(const struct signing_key *key)
{
    struct jose_signer *signer = NULL;
    assert_int_equal(jose_signer_new(key, &signer, NULL), OK);
    return signer;
}

static struct jwk *public_of(const struct signing_key *key)
{
    struct jwk *public_half = NULL;
    assert_int_equal(signing_key_public(key, &public_half, NULL), OK);
    return public_half;
}

static enum status verify(struct span token, const struct jwk *key)
{
    struct arena arena;
    struct jws jws;
    arena_init(&arena, ARENA_BYTES);
    assert_int_equal(jws_split(token, &arena, &jws, NULL), OK);
    enum status status = jws_verify(&jws, key, NULL);
    arena_done(&arena);
    return status;
}

static void token_has_header_payload_and_signature(void **state)
{
    (void)state;
    for (unsigned alg = 0; alg < JOSE_ALG_COUNT; alg++) {
        struct arena arena;
        struct jws jws;
        char header[256];
        AUTO(buf) struct buf out;
        AUTO(signing_key) struct signing_key *key = make((enum jose_alg)alg);
        AUTO(jose_signer) struct jose_signer *signer = signer_of(key);
        AUTO(jwk) struct jwk *public_half = public_of(key);
        arena_init(&arena, ARENA_BYTES);
        buf_init(&out, OUT_BYTES);
        buf_put(&out, SPAN("before"));
        assert_int_equal(jose_sign(signer, SPAN("at+jwt"), SPAN("{\"a\":1}"), &out, NULL), OK);
        assert_memory_equal(out.data, "before", 6);
        struct span token = span_from(buf_span(&out), 6);
        assert_int_equal(jws_split(token, &arena, &jws, NULL), OK);
        (void)snprintf(header, sizeof header,
                       "{\"alg\":\"%.*s\",\"typ\":\"at+jwt\",\"kid\":\"%.*s\"}",
                       SPAN_FMT(jose_algs[alg].name), SPAN_FMT(jwk_kid(public_half)));
        assert_span_equal(jws.header, header);
        assert_span_equal(jws.payload, "{\"a\":1}");
        assert_int_equal(jwk_kid(public_half).len, JWK_THUMBPRINT_LEN);
        assert_int_equal(jws_verify(&jws, public_half, NULL), OK);
        arena_done(&arena);
    }
}

/* 7518-03: one R or S in 128 begins with a zero octet, which stays. */
static void thousand_es256_signatures_have_64_octets(void **state)
{
    (void)state;
    AUTO(buf) struct buf out;
    AUTO(signing_key) struct signing_key *key = make(JOSE_ES256);
    AUTO(jose_signer) struct jose_signer *signer = signer_of(key);
    AUTO(jwk) struct jwk *public_half = public_of(key);
    int zeros = 0;
    buf_init(&out, OUT_BYTES);
    /* Until one came: none in 6,000 has a chance of e^-46. */
    for (int i = 0; i < 1000 || (zeros == 0 && i < 6000); i++) {
        struct arena arena;
        struct jws jws;
        arena_init(&arena, ARENA_BYTES);
        buf_clear(&out);
        assert_int_equal(jose_sign(signer, SPAN("at+jwt"), SPAN("{}"), &out, NULL), OK);
        assert_int_equal(jws_split(buf_span(&out), &arena, &jws, NULL), OK);
        assert_int_equal(jws.signature.len, 64);
        zeros += jws.signature.ptr[0] == 0 || jws.signature.ptr[32] == 0;
        assert_int_equal(jws_verify(&jws, public_half, NULL), OK);
        arena_done(&arena);
    }
    assert_true(zeros > 0);
}

static void other_payloads_give_other_tokens(void **state)
{
    (void)state;
    for (unsigned alg = 0; alg < JOSE_ALG_COUNT; alg++) {
        AUTO(buf) struct buf out;
        AUTO(buf) struct buf payload;
        AUTO(signing_key) struct signing_key *key = make((enum jose_alg)alg);
        AUTO(jose_signer) struct jose_signer *signer = signer_of(key);
        AUTO(jwk) struct jwk *public_half = public_of(key);
        buf_init(&out, OUT_BYTES);
        buf_init(&payload, OUT_BYTES);
        for (int i = 0; i < 20; i++) { /* each longer than the last; up to a few KiB */
            for (int j = 0; j < i * 20; j++)
                buf_byte(&payload, (char)('a' + i));
            buf_byte(&payload, 'z');
            buf_clear(&out);
            assert_int_equal(jose_sign(signer, SPAN("at+jwt"), buf_span(&payload), &out, NULL), OK);
            assert_int_equal(verify(buf_span(&out), public_half), OK);
        }
    }
}

/* The prepared header is that of the typ asked for. */
static void typ_may_change(void **state)
{
    (void)state;
    const char *typs[] = {"at+jwt", "at+jwt", "JWT", "token-introspection+jwt", "at+jwt"};
    AUTO(signing_key) struct signing_key *key = make(JOSE_EDDSA);
    AUTO(jose_signer) struct jose_signer *signer = signer_of(key);
    AUTO(jwk) struct jwk *public_half = public_of(key);
    for (size_t i = 0; i < ARRAY_LEN(typs); i++) {
        struct arena arena;
        struct jws jws;
        AUTO(buf) struct buf out;
        arena_init(&arena, ARENA_BYTES);
        buf_init(&out, OUT_BYTES);
        assert_int_equal(jose_sign(signer, span_cstr(typs[i]), SPAN("{}"), &out, NULL), OK);
        assert_int_equal(jws_split(buf_span(&out), &arena, &jws, NULL), OK);
        assert_span_equal(jws.typ, typs[i]);
        assert_int_equal(jws_verify(&jws, public_half, NULL), OK);
        arena_done(&arena);
    }
}

static void typ_too_long_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    char typ[1000];
    AUTO(buf) struct buf out;
    AUTO(signing_key) struct signing_key *key = make(JOSE_EDDSA);
    AUTO(jose_signer) struct jose_signer *signer = signer_of(key);
    AUTO(jwk) struct jwk *public_half = public_of(key);
    memset(typ, 't', sizeof typ);
    buf_init(&out, OUT_BYTES);
    assert_int_equal(jose_sign(signer, span_of(typ, sizeof typ), SPAN("{}"), &out, NULL), INVALID);
    assert_int_equal(out.len, 0);
    assert_int_equal(jose_sign(signer, SPAN("at+jwt"), SPAN("{}"), &out, NULL), OK);
    assert_int_equal(verify(buf_span(&out), public_half), OK);
}

static void full_buffer_is_no_memory(void **state)
{
    (void)state;
    AUTO(signing_key) struct signing_key *key = make(JOSE_EDDSA);
    AUTO(jose_signer) struct jose_signer *signer = signer_of(key);
    for (size_t limit = 1; limit < 400; limit++) {
        AUTO(buf) struct buf out;
        buf_init(&out, limit);
        enum status status = jose_sign(signer, SPAN("at+jwt"), SPAN("{}"), &out, NULL);
        assert_true(status == OK || status == NO_MEMORY);
        assert_int_equal(buf_ok(&out), status == OK);
    }
}

static void dumped_key_loads_and_signs_for_the_same_public_half(void **state)
{
    (void)state;
    for (unsigned alg = 0; alg < JOSE_ALG_COUNT; alg++) {
        AUTO(buf) struct buf der;
        AUTO(buf) struct buf out;
        AUTO(signing_key) struct signing_key *key = make((enum jose_alg)alg);
        AUTO(signing_key) struct signing_key *loaded = NULL;
        AUTO(jwk) struct jwk *public_half = public_of(key);
        buf_init(&der, 8192);
        buf_init(&out, OUT_BYTES);
        signing_key_dump(key, &der);
        assert_true(buf_ok(&der));
        assert_int_equal(signing_key_load((enum jose_alg)alg, buf_span(&der), &loaded, NULL), OK);
        assert_int_equal(signing_key_alg(loaded), alg);
        AUTO(jose_signer) struct jose_signer *signer = signer_of(loaded);
        assert_int_equal(jose_sign(signer, SPAN("at+jwt"), SPAN("{}"), &out, NULL), OK);
        assert_int_equal(verify(buf_span(&out), public_half), OK);
    }
}

/* 8725-01: a key serves the algorithms of its own type. */
static void key_of_another_type_does_not_load(void **state)
{
    (void)state;
    for (unsigned alg = 0; alg < JOSE_ALG_COUNT; alg++) {
        AUTO(buf) struct buf der;
        AUTO(signing_key) struct signing_key *key = make((enum jose_alg)alg);
        buf_init(&der, 8192);
        signing_key_dump(key, &der);
        for (unsigned other = 0; other < JOSE_ALG_COUNT; other++) {
            struct signing_key *loaded = NULL;
            enum status status =
                signing_key_load((enum jose_alg)other, buf_span(&der), &loaded, NULL);
            assert_int_equal(status, jose_algs[alg].kty == jose_algs[other].kty ? OK : CORRUPT);
            signing_key_free(loaded);
        }
    }
}

static void damaged_der_does_not_load(void **state)
{
    (void)state;
    for (unsigned alg = 0; alg < JOSE_ALG_COUNT; alg++) {
        AUTO(buf) struct buf der;
        AUTO(signing_key) struct signing_key *key = make((enum jose_alg)alg);
        struct signing_key *loaded = NULL;
        buf_init(&der, 8192);
        signing_key_dump(key, &der);
        for (size_t len = 0; len < der.len; len++)
            assert_int_equal(signing_key_load((enum jose_alg)alg, span_first(buf_span(&der), len),
                                              &loaded, NULL),
                             CORRUPT);
        buf_byte(&der, '\0'); /* and nothing may follow */
        assert_int_equal(signing_key_load((enum jose_alg)alg, buf_span(&der), &loaded, NULL),
                         CORRUPT);
        assert_int_equal(signing_key_load((enum jose_alg)alg, SPAN("junk"), &loaded, NULL),
                         CORRUPT);
        assert_int_equal(ERR_peek_error(), 0);
    }
}

static void dump_pkey(EVP_PKEY *pkey, struct buf *out)
{
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(pkey);
    unsigned char *der = NULL;
    assert_non_null(info);
    int size = i2d_PKCS8_PRIV_KEY_INFO(info, &der);
    assert_true(size > 0);
    buf_put(out, span_of(der, (size_t)size));
    OPENSSL_free(der);
    PKCS8_PRIV_KEY_INFO_free(info);
    EVP_PKEY_free(pkey);
}

/* 7518-02 and the curve of ES256. */
static void weak_and_other_keys_do_not_load(void **state)
{
    (void)state;
    struct signing_key *loaded = NULL;
    AUTO(buf) struct buf der;
    buf_init(&der, 8192);
    dump_pkey(EVP_RSA_gen(1024), &der);
    assert_int_equal(signing_key_load(JOSE_RS256, buf_span(&der), &loaded, NULL), CORRUPT);
    buf_clear(&der);
    dump_pkey(EVP_EC_gen("P-384"), &der);
    assert_int_equal(signing_key_load(JOSE_ES256, buf_span(&der), &loaded, NULL), CORRUPT);
    buf_clear(&der);
    dump_pkey(EVP_EC_gen("secp256k1"), &der); /* also 256 bits */
    assert_int_equal(signing_key_load(JOSE_ES256, buf_span(&der), &loaded, NULL), CORRUPT);
    buf_clear(&der);
    dump_pkey(EVP_PKEY_Q_keygen(NULL, NULL, "ED448"), &der);
    assert_int_equal(signing_key_load(JOSE_EDDSA, buf_span(&der), &loaded, NULL), CORRUPT);
}

/* Flips a bit of a private number where it stands in the key's DER. */
static void damage(const EVP_PKEY *pkey, const char *name, struct buf *der)
{
    BIGNUM *number = NULL;
    unsigned char bytes[512];
    assert_int_equal(EVP_PKEY_get_bn_param(pkey, name, &number), 1);
    int size = BN_bn2bin(number, bytes);
    BN_free(number);
    unsigned char *at = memmem(der->data, der->len, bytes, (size_t)size);
    assert_non_null(at);
    at[size - 2] ^= 1;
}

/* S19: a key whose private numbers are damaged makes no token. OpenSSL itself mends a wrong CRT
 * exponent by way of d, so d is damaged too. */
static void faulty_rsa_key_makes_no_token(void **state)
{
    (void)state;
    for (unsigned alg = JOSE_RS256; alg <= JOSE_PS256; alg++) {
        AUTO(buf) struct buf der;
        AUTO(buf) struct buf out;
        AUTO(signing_key) struct signing_key *key = NULL;
        EVP_PKEY *pkey = EVP_RSA_gen(2048);
        assert_int_equal(EVP_PKEY_up_ref(pkey), 1);
        buf_init(&der, 8192);
        buf_init(&out, OUT_BYTES);
        buf_put(&out, SPAN("before"));
        dump_pkey(pkey, &der);
        damage(pkey, OSSL_PKEY_PARAM_RSA_D, &der);
        damage(pkey, OSSL_PKEY_PARAM_RSA_EXPONENT1, &der);
        EVP_PKEY_free(pkey);
        assert_int_equal(signing_key_load((enum jose_alg)alg, buf_span(&der), &key, NULL), OK);
        AUTO(jose_signer) struct jose_signer *signer = signer_of(key);
        for (int i = 0; i < 3; i++) {
            struct err err = {0};
            assert_int_equal(jose_sign(signer, SPAN("at+jwt"), SPAN("{}"), &out, &err), CORRUPT);
            assert_int_equal(err.status, CORRUPT);
            assert_span_equal(buf_span(&out), "before");
        }
    }
}

/* S19: the first signature of a P-256 key is checked: here the private number is another key's. */
static void ec_key_with_halves_that_do_not_fit_makes_no_token(void **state)
{
    (void)state;
    AUTO(buf) struct buf der;
    AUTO(buf) struct buf out;
    AUTO(signing_key) struct signing_key *whole = make(JOSE_ES256);
    AUTO(signing_key) struct signing_key *key = NULL;
    buf_init(&der, 8192);
    buf_init(&out, OUT_BYTES);
    signing_key_dump(whole, &der);
    assert_int_equal(der.len, 138); /* private number at 36, the point from 73 on */
    memset(der.data + 36, 0x11, 32);
    assert_int_equal(signing_key_load(JOSE_ES256, buf_span(&der), &key, NULL), OK);
    AUTO(jose_signer) struct jose_signer *signer = signer_of(key);
    assert_int_equal(jose_sign(signer, SPAN("at+jwt"), SPAN("{}"), &out, NULL), CORRUPT);
    assert_int_equal(out.len, 0);
}

/* 7517-04: on the bytes that are published. */
static void public_half_holds_nothing_private(void **state)
{
    (void)state;
    const char *private_members[] = {"\"d\"",  "\"p\"",  "\"q\"", "\"dp\"",
                                     "\"dq\"", "\"qi\"", "\"k\""};
    for (unsigned alg = 0; alg < JOSE_ALG_COUNT; alg++) {
        AUTO(buf) struct buf out;
        AUTO(signing_key) struct signing_key *key = make((enum jose_alg)alg);
        AUTO(jwk) struct jwk *public_half = public_of(key);
        AUTO(jwk) struct jwk *again = NULL;
        buf_init(&out, 8192);
        jwk_write(public_half, &out);
        assert_int_equal(jwk_parse(buf_span(&out), JOSE_RS256, &again, NULL), OK);
        assert_int_equal(jwk_alg(again), alg);
        buf_byte(&out, '\0');
        for (size_t i = 0; i < ARRAY_LEN(private_members); i++)
            assert_null(strstr(out.data, private_members[i]));
    }
}

/* A handle on its own: it lives on after the key that it was made from. */
static void signer_outlives_its_key(void **state)
{
    (void)state;
    AUTO(buf) struct buf out;
    struct signing_key *key = make(JOSE_ES256);
    AUTO(jose_signer) struct jose_signer *signer = signer_of(key);
    AUTO(jose_signer) struct jose_signer *second = signer_of(key);
    AUTO(jwk) struct jwk *public_half = public_of(key);
    signing_key_free(key);
    buf_init(&out, OUT_BYTES);
    assert_int_equal(jose_sign(signer, SPAN("at+jwt"), SPAN("{}"), &out, NULL), OK);
    assert_int_equal(verify(buf_span(&out), public_half), OK);
    buf_clear(&out);
    assert_int_equal(jose_sign(second, SPAN("at+jwt"), SPAN("{}"), &out, NULL), OK);
    assert_int_equal(verify(buf_span(&out), public_half), OK);
}

static void two_keys_differ(void **state)
{
    (void)state;
    AUTO(signing_key) struct signing_key *first = make(JOSE_EDDSA);
    AUTO(signing_key) struct signing_key *second = make(JOSE_EDDSA);
    AUTO(jwk) struct jwk *first_half = public_of(first);
    AUTO(jwk) struct jwk *second_half = public_of(second);
    assert_int_not_equal(span_compare(jwk_kid(first_half), jwk_kid(second_half)), 0);
}

static void free_of_null(void **state)
{
    (void)state;
    signing_key_free(NULL);
    jose_signer_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(token_has_header_payload_and_signature),
        cmocka_unit_test(thousand_es256_signatures_have_64_octets),
        cmocka_unit_test(other_payloads_give_other_tokens),
        cmocka_unit_test(typ_may_change),
        cmocka_unit_test(typ_too_long_is_refused_and_changes_nothing),
        cmocka_unit_test(full_buffer_is_no_memory),
        cmocka_unit_test(dumped_key_loads_and_signs_for_the_same_public_half),
        cmocka_unit_test(key_of_another_type_does_not_load),
        cmocka_unit_test(damaged_der_does_not_load),
        cmocka_unit_test(weak_and_other_keys_do_not_load),
        cmocka_unit_test(faulty_rsa_key_makes_no_token),
        cmocka_unit_test(ec_key_with_halves_that_do_not_fit_makes_no_token),
        cmocka_unit_test(public_half_holds_nothing_private),
        cmocka_unit_test(signer_outlives_its_key),
        cmocka_unit_test(two_keys_differ),
        cmocka_unit_test(free_of_null),
    };
    return RUN_TESTS(tests);
}
