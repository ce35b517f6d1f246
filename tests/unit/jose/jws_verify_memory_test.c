/* SPDX-License-Identifier: Apache-2.0 */
/* Each allocation fails once while a good signature, and a good token, is checked: it may be called
 * unchecked, never wrong. */
#include "jose/jws.h"

#include "jose/jose_internal.h"
#include "jose/jose_sign.h"
#include "jose/jwt.h"

#include "jose_fixture.h"

#include <openssl/crypto.h>
#include <stdlib.h>

static size_t countdown; /* 0: none fails */

static bool fails(void)
{
    return countdown > 0 && --countdown == 0;
}

/* The linker's --wrap: what our code and, by way of it, OpenSSL and Jansson ask for. */
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

static void *take(size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return malloc(size);
}

static void *take_again(void *old, size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return fails() ? NULL : realloc(old, size);
}

static void give_back(void *old, const char *file, int line)
{
    (void)file, (void)line;
    free(old);
}

static void auto_signing_key(struct signing_key **key)
{
    signing_key_free(*key);
}

static void auto_jose_signer(struct jose_signer **signer)
{
    jose_signer_free(*signer);
}

static void a_good_signature_is_never_called_wrong(void **state)
{
    (void)state;
    for (unsigned alg = 0; alg < JOSE_ALG_COUNT; alg++) {
        AUTO(signing_key) struct signing_key *private_half = NULL;
        AUTO(jose_signer) struct jose_signer *signer = NULL;
        AUTO(jwk) struct jwk *key = NULL;
        AUTO(buf) struct buf token;
        struct arena arena;
        struct jws jws;
        size_t n = 0;
        buf_init(&token, 8192);
        arena_init(&arena, 1 << 18);
        assert_int_equal(signing_key_make((enum jose_alg)alg, &private_half, NULL), OK);
        assert_int_equal(signing_key_public(private_half, &key, NULL), OK);
        assert_int_equal(jose_signer_new(private_half, &signer, NULL), OK);
        assert_int_equal(jose_sign(signer, SPAN("at+jwt"), SPAN("{}"), &token, NULL), OK);
        assert_int_equal(jws_split(buf_span(&token), &arena, &jws, NULL), OK);
        for (bool is_through = false; !is_through;) {
            countdown = ++n;
            enum status status = jws_verify_signature(key, jws.signing_input, jws.signature);
            is_through = countdown > 0;
            countdown = 0;
            if (status != OK && status != NO_MEMORY)
                print_error("alg %u, allocation %zu: %s\n", alg, n, status_name(status));
            assert_true(status == OK || (status == NO_MEMORY && !is_through));
        }
        assert_true(n > 1);
        /* And a wrong one is still called wrong. */
        char *bytes = (char *)(uintptr_t)jws.signature.ptr;
        bytes[jws.signature.len / 2] ^= 1;
        assert_int_equal(jws_verify_signature(key, jws.signing_input, jws.signature),
                         UNAUTHENTICATED);
        arena_done(&arena);
    }
}

static void a_good_token_is_never_called_wrong(void **state)
{
    (void)state;
    AUTO(signing_key) struct signing_key *private_half = NULL;
    AUTO(jose_signer) struct jose_signer *signer = NULL;
    AUTO(buf) struct buf token;
    AUTO(buf) struct buf payload;
    struct jwk *key = NULL;
    struct jwks *keys = jwks_new();
    const struct jwt_claims claims = {
        .issuer = SPAN("https://as.example"),
        .subject = SPAN("abc"),
        .client_id = SPAN("abc"),
        .audiences = {SPAN("https://as.example/v2")},
        .audience_count = 1,
        .issued_at = 1000,
        .expires_at = 2000,
        .token_id = SPAN("0123456789abcdefghijkl"),
        .has_roles = true,
        .roles = {SPAN("owner"), SPAN("viewer")},
        .role_count = 2,
    };
    const struct jwt_rules rules = {
        .issuer = claims.issuer, .audience = claims.audiences[0], .now = 1500};
    buf_init(&token, 8192);
    buf_init(&payload, 8192);
    jwt_claims_write(&claims, &payload);
    assert_int_equal(signing_key_make(JOSE_ES256, &private_half, NULL), OK);
    assert_int_equal(signing_key_public(private_half, &key, NULL), OK);
    assert_int_equal(jwks_add(keys, key), OK);
    assert_int_equal(jose_signer_new(private_half, &signer, NULL), OK);
    assert_int_equal(jose_sign(signer, SPAN("at+jwt"), buf_span(&payload), &token, NULL), OK);
    size_t n = 0;
    for (bool is_through = false; !is_through;) {
        struct arena arena;
        struct jwt_claims got;
        struct err err = {0};
        arena_init(&arena, 1 << 18);
        countdown = ++n;
        enum status status =
            jwt_access_token_check(buf_span(&token), keys, &rules, &arena, &got, &err);
        is_through = countdown > 0;
        countdown = 0;
        arena_done(&arena);
        if (status != OK && status != NO_MEMORY)
            print_error("allocation %zu: %s: %s\n", n, status_name(status), err.detail);
        assert_true(status == OK || (status == NO_MEMORY && !is_through));
    }
    assert_true(n > 10);
    jwks_free(keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_signature_is_never_called_wrong),
        cmocka_unit_test(a_good_token_is_never_called_wrong),
    };
    if (CRYPTO_set_mem_functions(take, take_again, give_back) != 1)
        return 1;
    json_init();
    return RUN_TESTS(tests);
}
