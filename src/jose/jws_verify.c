/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/jws.h"

#include "crypto/digest.h"
#include "jose/jose_internal.h"

#include <openssl/bnerr.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>

/* SEQUENCE of two INTEGERs of up to 33 octets. */
enum { ES256_DER_BYTES_MAX = 2 + 2 * (2 + 1 + P256_BYTES) };

/* RFC 7518 §3.4 has R and S side by side, 32 octets each; OpenSSL wants DER. Answers its length, 0
 * without memory. */
static size_t ecdsa_der(struct span signature, unsigned char der[static ES256_DER_BYTES_MAX])
{
    const unsigned char *bytes = jose_bytes(signature);
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(bytes, P256_BYTES, NULL);
    BIGNUM *s = BN_bin2bn(bytes + P256_BYTES, P256_BYTES, NULL);
    int size = 0;
    if (pair != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(pair, r, s) == 1) {
        size = i2d_ECDSA_SIG(pair, &der);
    } else {
        BN_free(r);
        BN_free(s);
    }
    ECDSA_SIG_free(pair);
    return size > 0 ? (size_t)size : 0;
}

/* OpenSSL answers a wrong signature and want of memory alike; its error queue tells them apart: a
 * wrong RSA signature always leaves an error of RSA's there. A good token must not be called wrong.
 */
static enum status status_of(const struct jwk *key, int answer)
{
    bool is_rsa = jose_algs[key->alg].kty == JOSE_RSA;
    bool is_memory = is_rsa;
    unsigned long error;
    if (answer == 1)
        return OK;
    while ((error = ERR_get_error()) != 0) {
        if (is_rsa && ERR_GET_LIB(error) == ERR_LIB_RSA)
            is_memory = false;
        if (ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE ||
            (ERR_GET_LIB(error) == ERR_LIB_BN &&
             ERR_GET_REASON(error) == BN_R_TOO_MANY_TEMPORARY_VARIABLES))
            return NO_MEMORY;
    }
    return is_memory ? NO_MEMORY : UNAUTHENTICATED;
}

static enum status verify_digest(const struct jwk *key, struct span input, struct span signature)
{
    unsigned char digest[SHA256_BYTES];
    unsigned char der[ES256_DER_BYTES_MAX];
    AUTO(pkey_context) EVP_PKEY_CTX *context = EVP_PKEY_CTX_dup(key->verifier);
    if (context == NULL)
        return NO_MEMORY;
    if (key->alg == JOSE_ES256) {
        signature = span_of(der, ecdsa_der(signature, der));
        if (signature.len == 0)
            return NO_MEMORY;
    }
    sha256(input, digest);
    int answer =
        EVP_PKEY_verify(context, jose_bytes(signature), signature.len, digest, sizeof digest);
    return status_of(key, answer);
}

static enum status verify_eddsa(const struct jwk *key, struct span input, struct span signature)
{
    AUTO(md_context) EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context == NULL || EVP_DigestVerifyInit(context, NULL, NULL, NULL, key->pkey) != 1)
        return NO_MEMORY;
    int answer = EVP_DigestVerify(context, jose_bytes(signature), signature.len, jose_bytes(input),
                                  input.len);
    return status_of(key, answer);
}

static enum status verify_once(const struct jwk *key, struct span input, struct span signature)
{
    return key->verifier == NULL ? verify_eddsa(key, input, signature)
                                 : verify_digest(key, input, signature);
}

enum status jws_verify_signature(const struct jwk *key, struct span input, struct span signature)
{
    enum status status = verify_once(key, input, signature);
    /* Elliptic curves may say nothing when they had no memory: a wrong one is looked at twice. */
    if (status == UNAUTHENTICATED && jose_algs[key->alg].kty != JOSE_RSA)
        status = verify_once(key, input, signature);
    /* A refused signature leaves errors behind that the thread's next TLS call would take for its
     * own. */
    if (status != OK)
        ERR_clear_error();
    return status;
}

enum status jws_verify(const struct jws *jws, const struct jwk *key, struct err *err)
{
    if (jws->alg != key->alg)
        return fail(err, UNAUTHENTICATED, "The alg of the token is not that of its key");
    if (jws->signature.len != key->signature_bytes)
        return fail(err, UNAUTHENTICATED, "The signature of the token has the wrong length");
    enum status status = jws_verify_signature(key, jws->signing_input, jws->signature);
    if (status == NO_MEMORY)
        return fail(err, NO_MEMORY, "no memory to check a signature");
    if (status != OK)
        return fail(err, UNAUTHENTICATED, "The signature of the token is wrong");
    return OK;
}
