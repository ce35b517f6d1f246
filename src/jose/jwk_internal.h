/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a public key, for this folder. */
#pragma once

#include "jose/jwk.h"

#include <openssl/evp.h>

enum {
    P256_COORDINATE_BYTES = 32,
    ED25519_KEY_BYTES = 32,
    RSA_BITS_MIN = 2048,
    RSA_BITS_MAX = 8192
};

struct jwk {
    enum jose_alg alg;
    EVP_PKEY *key;
    char thumbprint[JWK_THUMBPRINT_LEN];
    size_t kid_len;
    char kid[JWK_KID_LEN_MAX];
};

/* A key around an OpenSSL one, which it takes also on failure; kid empty: the thumbprint. */
enum status jwk_wrap(EVP_PKEY *take_key, enum jose_alg alg, struct span kid, struct jwk **ret_key,
                     struct err *err) MUST_USE;

static inline void auto_pkey(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}
