/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/jws.h"

#include "jose_fixture.h"

#include <openssl/err.h>

enum { ARENA_BYTES = 1 << 18 };

static enum status verify(struct span text, const struct jwk *key)
{
    struct arena arena;
    struct jws jws;
    struct err err = {0};
    arena_init(&arena, ARENA_BYTES);
    assert_int_equal(jws_split(text, &arena, &jws, NULL), OK);
    enum status status = jws_verify(&jws, key, &err);
    assert_int_equal(err.status, status);
    /* Left-over errors would be taken for its own by the thread's next TLS call. */
    assert_int_equal(ERR_peek_error(), 0);
    arena_done(&arena);
    return status;
}

static void rfc_7515_a2_rs256(void **state)
{
    (void)state;
    AUTO(jwk) struct jwk *key = key_of(RFC7515_A2_KEY, JOSE_RS256);
    assert_int_equal(verify(SPAN(RFC7515_A2_TOKEN), key), OK);
}

static void rfc_7515_a3_es256(void **state)
{
    (void)state;
    AUTO(jwk) struct jwk *key = key_of(RFC7515_A3_KEY, JOSE_ES256);
    assert_int_equal(verify(SPAN(RFC7515_A3_TOKEN), key), OK);
}

static void rfc_8037_a4_eddsa(void **state)
{
    (void)state;
    AUTO(jwk) struct jwk *key = key_of(RFC8037_KEY, JOSE_EDDSA);
    assert_int_equal(verify(SPAN(RFC8037_TOKEN), key), OK);
}

static void eddsa_by_its_new_name(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, ARENA_BYTES);
    AUTO(jwk) struct jwk *key = key_of(RFC8037_KEY, JOSE_EDDSA);
    assert_int_equal(verify(token_of(SPAN("{\"alg\":\"Ed25519\"}"), SPAN("{}"), &arena), key), OK);
    arena_done(&arena);
}

/* 8725-01, J02: one key, one algorithm. */
static void alg_that_is_not_the_key_s(void **state)
{
    (void)state;
    AUTO(jwk) struct jwk *pss = key_of(RFC7515_A2_KEY, JOSE_PS256);
    AUTO(jwk) struct jwk *ec = key_of(RFC7515_A3_KEY, JOSE_ES256);
    AUTO(jwk) struct jwk *okp = key_of(RFC8037_KEY, JOSE_EDDSA);
    assert_int_equal(verify(SPAN(RFC7515_A2_TOKEN), pss), UNAUTHENTICATED);
    assert_int_equal(verify(SPAN(RFC7515_A2_TOKEN), ec), UNAUTHENTICATED);
    assert_int_equal(verify(SPAN(RFC7515_A3_TOKEN), okp), UNAUTHENTICATED); /* both 64 octets */
    assert_int_equal(verify(SPAN(RFC8037_TOKEN), ec), UNAUTHENTICATED);
}

static void other_key_of_the_same_kind(void **state)
{
    (void)state;
    AUTO(jwk)
    struct jwk *rsa =
        key_of("{\"kty\":\"RSA\",\"n\":\"" RFC7638_N "\",\"e\":\"AQAB\"}", JOSE_RS256);
    assert_int_equal(verify(SPAN(RFC7515_A2_TOKEN), rsa), UNAUTHENTICATED);
}

struct sample {
    const char *key;
    enum jose_alg alg;
    struct span token;
};

static const struct sample samples[] = {
    {RFC7515_A2_KEY, JOSE_RS256, SPAN_INIT(RFC7515_A2_TOKEN)},
    {RFC7515_A3_KEY, JOSE_ES256, SPAN_INIT(RFC7515_A3_TOKEN)},
    {RFC8037_KEY, JOSE_EDDSA, SPAN_INIT(RFC8037_TOKEN)},
};

/* J20: every length but the key's own is refused before any cryptography; also nothing at all. */
static void signatures_of_other_lengths(void **state)
{
    (void)state;
    const size_t sizes[] = {0, 1, 4, 63, 64, 65, 72, 128, 255, 256, 257, 1024};
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        AUTO(jwk) struct jwk *key = key_of(samples[i].key, samples[i].alg);
        struct arena arena;
        struct jws jws;
        char longer[1024] = {0};
        arena_init(&arena, ARENA_BYTES);
        assert_int_equal(jws_split(samples[i].token, &arena, &jws, NULL), OK);
        const struct span right = jws.signature;
        memcpy(longer, right.ptr, right.len);
        for (size_t j = 0; j < ARRAY_LEN(sizes); j++) {
            jws.signature = span_of(longer, sizes[j]);
            assert_int_equal(jws_verify(&jws, key, NULL),
                             sizes[j] == right.len ? OK : UNAUTHENTICATED);
        }
        /* Zeros in front do not help, although the number stays the same. */
        memmove(longer + 1, right.ptr, right.len);
        longer[0] = 0;
        jws.signature = span_of(longer, right.len + 1);
        assert_int_equal(jws_verify(&jws, key, NULL), UNAUTHENTICATED);
        jws.signature = (struct span){0};
        assert_int_equal(jws_verify(&jws, key, NULL), UNAUTHENTICATED);
        arena_done(&arena);
    }
}

static void every_altered_byte_of_the_signature(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        AUTO(jwk) struct jwk *key = key_of(samples[i].key, samples[i].alg);
        struct arena arena;
        struct jws jws;
        char altered[256];
        arena_init(&arena, ARENA_BYTES);
        assert_int_equal(jws_split(samples[i].token, &arena, &jws, NULL), OK);
        const struct span right = jws.signature;
        for (size_t at = 0; at < right.len; at++) {
            memcpy(altered, right.ptr, right.len);
            altered[at] ^= 1;
            jws.signature = span_of(altered, right.len);
            assert_int_equal(jws_verify(&jws, key, NULL), UNAUTHENTICATED);
        }
        assert_int_equal(ERR_peek_error(), 0);
        arena_done(&arena);
    }
}

static void altered_input(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        AUTO(jwk) struct jwk *key = key_of(samples[i].key, samples[i].alg);
        struct arena arena;
        struct jws jws;
        arena_init(&arena, ARENA_BYTES);
        assert_int_equal(jws_split(samples[i].token, &arena, &jws, NULL), OK);
        jws.signing_input.len--;
        assert_int_equal(jws_verify(&jws, key, NULL), UNAUTHENTICATED);
        jws.signing_input = (struct span){0};
        assert_int_equal(jws_verify(&jws, key, NULL), UNAUTHENTICATED);
        arena_done(&arena);
    }
}

/* R and S of zero, of the group's order and above it: CVE-2022-21449 took the first. */
static void ecdsa_numbers_out_of_range(void **state)
{
    (void)state;
    static const unsigned char order[32] = {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00,
                                            0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                            0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84,
                                            0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
    AUTO(jwk) struct jwk *key = key_of(RFC7515_A3_KEY, JOSE_ES256);
    struct jws jws = {.alg = JOSE_ES256, .signing_input = SPAN(RFC7515_A3_INPUT)};
    unsigned char signature[64] = {0};
    jws.signature = span_of(signature, sizeof signature);
    assert_int_equal(jws_verify(&jws, key, NULL), UNAUTHENTICATED);
    memcpy(signature, order, 32);
    memcpy(signature + 32, order, 32);
    assert_int_equal(jws_verify(&jws, key, NULL), UNAUTHENTICATED);
    memset(signature, 0xff, sizeof signature);
    assert_int_equal(jws_verify(&jws, key, NULL), UNAUTHENTICATED);
    memset(signature, 0, 31);
    signature[31] = 1;
    assert_int_equal(jws_verify(&jws, key, NULL), UNAUTHENTICATED);
}

/* RFC 8037 §3.1 by RFC 8032 §5.1.7: S is below the group's order. S + order is another spelling of
 * the same signature. */
static void eddsa_with_s_not_reduced(void **state)
{
    (void)state;
    static const unsigned char order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a,       0x63,
                                            0x12, 0x58, 0xd6, 0x9c, 0xf7,       0xa2,
                                            0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
    AUTO(jwk) struct jwk *key = key_of(RFC8037_KEY, JOSE_EDDSA);
    struct arena arena;
    struct jws jws;
    unsigned char signature[64];
    unsigned carry = 0;
    arena_init(&arena, ARENA_BYTES);
    assert_int_equal(jws_split(SPAN(RFC8037_TOKEN), &arena, &jws, NULL), OK);
    memcpy(signature, jws.signature.ptr, sizeof signature);
    for (size_t i = 0; i < 32; i++) {
        carry += (unsigned)signature[32 + i] + order[i];
        signature[32 + i] = (unsigned char)carry;
        carry >>= 8;
    }
    jws.signature = span_of(signature, sizeof signature);
    assert_int_equal(jws_verify(&jws, key, NULL), UNAUTHENTICATED);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc_7515_a2_rs256),
        cmocka_unit_test(rfc_7515_a3_es256),
        cmocka_unit_test(rfc_8037_a4_eddsa),
        cmocka_unit_test(eddsa_by_its_new_name),
        cmocka_unit_test(alg_that_is_not_the_key_s),
        cmocka_unit_test(other_key_of_the_same_kind),
        cmocka_unit_test(signatures_of_other_lengths),
        cmocka_unit_test(every_altered_byte_of_the_signature),
        cmocka_unit_test(altered_input),
        cmocka_unit_test(ecdsa_numbers_out_of_range),
        cmocka_unit_test(eddsa_with_s_not_reduced),
    };
    return RUN_TESTS(tests);
}
