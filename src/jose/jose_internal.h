/* SPDX-License-Identifier: Apache-2.0 */
/* What jwk.c, jwks.c, jws_verify.c and jose_sign.c share: a public key's inside. */
#pragma once

#include "base/attr.h"
#include "base/span.h"
#include "base/status.h"
#include "codec/json.h"
#include "jose/jose_alg.h"
#include "jose/jwk.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>

enum {
    RSA_MODULUS_BYTES_MIN = 256,
    RSA_MODULUS_BYTES_MAX = JOSE_SIGNATURE_BYTES_MAX,
    P256_BYTES = 32,
    ED25519_BYTES = 32,
    ES256_SIGNATURE_BYTES = 2 * P256_BYTES,
    EDDSA_SIGNATURE_BYTES = 64,
};

/* The members that make the key, by kty: n and e, x and y, or x alone. */
struct jwk_values {
    struct span first;
    struct span second;
};

struct jwk {
    enum jose_alg alg;
    EVP_PKEY *pkey;
    EVP_PKEY_CTX *verifier; /* ready to verify, only ever duplicated; NULL for Ed25519 */
    size_t signature_bytes;
    struct jwk_values values; /* in their one minimal form; they point to bytes */
    char bytes[RSA_MODULUS_BYTES_MAX + P256_BYTES];
    char kid[JWK_KID_LEN_MAX];
    size_t kid_len;
};

/* kid empty: the thumbprint. INVALID names the member that is wrong. */
enum status jwk_new(enum jose_alg alg, struct jwk_values values, struct span kid,
                    struct jwk **ret_key, struct err *err) MUST_USE;

/* As jwk_parse; fallback JOSE_ALG_COUNT: what the key's kty suggests. */
enum status jwk_from_json(const json_t *object, enum jose_alg fallback, struct jwk **ret_key,
                          struct err *err) MUST_USE;

/* Digest and padding of alg (RFC 7518 §3.3, §3.5: the salt is as long as the digest). */
bool jwk_set_parameters(EVP_PKEY_CTX *context, enum jose_alg alg) MUST_USE;

/* OK, UNAUTHENTICATED or NO_MEMORY. The signature's length was checked. */
enum status jws_verify_signature(const struct jwk *key, struct span input,
                                 struct span signature) MUST_USE;

static inline const unsigned char *jose_bytes(struct span bytes)
{
    return (const unsigned char *)(bytes.len == 0 ? "" : bytes.ptr);
}

static inline void auto_pkey(EVP_PKEY **pkey)
{
    EVP_PKEY_free(*pkey);
}

static inline void auto_pkey_context(EVP_PKEY_CTX **context)
{
    EVP_PKEY_CTX_free(*context);
}

static inline void auto_md_context(EVP_MD_CTX **context)
{
    EVP_MD_CTX_free(*context);
}

static inline void auto_bio(BIO **bio)
{
    BIO_free_all(*bio);
}

static inline void auto_number(BIGNUM **number)
{
    BN_free(*number);
}
