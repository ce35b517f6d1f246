/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/jwk_internal.h"
#include "jose/jws.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

enum { ES256_SIGNATURE_BYTES = 64, ED25519_SIGNATURE_BYTES = 64, DER_BYTES_MAX = 80 };

static inline void auto_digest(EVP_MD_CTX **context)
{
    EVP_MD_CTX_free(*context);
}

static inline void auto_ecdsa(ECDSA_SIG **signature)
{
    ECDSA_SIG_free(*signature);
}

/* The signature's length is fixed by the key: checked before any other work (J19, J20). */
static size_t signature_bytes(const struct jwk *key)
{
    switch (jose_algs[key->alg].kty) {
    case JOSE_RSA:
        return (size_t)EVP_PKEY_get_size(key->key);
    case JOSE_EC_P256:
        return ES256_SIGNATURE_BYTES;
    case JOSE_OKP_ED25519:
        return ED25519_SIGNATURE_BYTES;
    case JOSE_KTY_COUNT:
        break;
    }
    return 0;
}

/* R || S of fixed length (RFC 7518 §3.4) as the DER that OpenSSL takes. Answers its length, 0 on
 * failure. */
static size_t write_der(struct span signature, unsigned char der[static DER_BYTES_MAX])
{
    AUTO(ecdsa) ECDSA_SIG *pair = ECDSA_SIG_new();
    const unsigned char *bytes = (const unsigned char *)signature.ptr;
    BIGNUM *r = BN_bin2bn(bytes, P256_COORDINATE_BYTES, NULL);
    BIGNUM *s = BN_bin2bn(bytes + P256_COORDINATE_BYTES, P256_COORDINATE_BYTES, NULL);
    if (pair == NULL || r == NULL || s == NULL || ECDSA_SIG_set0(pair, r, s) != 1) {
        BN_free(r);
        BN_free(s);
        return 0;
    }
    if (i2d_ECDSA_SIG(pair, NULL) > DER_BYTES_MAX)
        return 0;
    int len = i2d_ECDSA_SIG(pair, &der);
    return len < 0 ? 0 : (size_t)len;
}

static bool is_verified(const struct jws *jws, const struct jwk *key)
{
    AUTO(digest) EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *padding;
    unsigned char der[DER_BYTES_MAX];
    struct span signature = jws->signature;
    const EVP_MD *digest = key->alg == JOSE_EDDSA ? NULL : EVP_sha256();
    if (context == NULL || EVP_DigestVerifyInit(context, &padding, digest, NULL, key->key) != 1)
        return false;
    if (key->alg == JOSE_PS256 &&
        (EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PSS_PADDING) != 1 ||
         EVP_PKEY_CTX_set_rsa_pss_saltlen(padding, RSA_PSS_SALTLEN_DIGEST) != 1))
        return false;
    if (key->alg == JOSE_ES256) {
        size_t len = write_der(signature, der);
        if (len == 0)
            return false;
        signature = span_of(der, len);
    }
    return EVP_DigestVerify(context, (const unsigned char *)signature.ptr, signature.len,
                            (const unsigned char *)jws->signing_input.ptr,
                            jws->signing_input.len) == 1;
}

enum status jws_verify(const struct jws *jws, const struct jwk *key, struct err *err)
{
    if (jws->alg != key->alg)
        return fail(err, UNAUTHENTICATED, "The token's alg is not the one of its key");
    if (jws->signature.len != signature_bytes(key))
        return fail(err, UNAUTHENTICATED, "The token's signature has a wrong length");
    if (!is_verified(jws, key)) {
        ERR_clear_error();
        return fail(err, UNAUTHENTICATED, "The token's signature is not right");
    }
    return OK;
}
