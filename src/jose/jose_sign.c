/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/jose_sign.h"

#include "base/buf.h"
#include "codec/base64url.h"
#include "jose/jwk_internal.h"
#include "jose/jws.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { RSA_BITS = 2048, HEADER_LEN_MAX = 256, CHECK_EVERY = 1024, DER_KEY_BYTES_MAX = 8192 };

struct signing_key {
    enum jose_alg alg;
    EVP_PKEY *key;
};

struct jose_signer {
    struct jwk *public_key; /* for the check, and the kid */
    enum jose_alg alg;
    EVP_MD_CTX *prepared; /* key, digest and padding set: copied for each signature */
    EVP_MD_CTX *working;
    uint32_t made;
    size_t header_len; /* {"alg","typ","kid"} base64url, of the last typ */
    char header[HEADER_LEN_MAX];
    size_t typ_len;
    char typ[32];
};

static inline void auto_key_context(EVP_PKEY_CTX **context)
{
    EVP_PKEY_CTX_free(*context);
}

void signing_key_free(struct signing_key *key)
{
    if (key == NULL)
        return;
    EVP_PKEY_free(key->key);
    free(key);
}

enum jose_alg signing_key_alg(const struct signing_key *key)
{
    return key->alg;
}

static enum status wrap(EVP_PKEY *take_key, enum jose_alg alg, struct signing_key **ret_key,
                        struct err *err)
{
    struct signing_key *key = take_key == NULL ? NULL : calloc(1, sizeof *key);
    if (key == NULL) {
        EVP_PKEY_free(take_key);
        return fail(err, NO_MEMORY, "cannot make a signing key");
    }
    *key = (struct signing_key){.alg = alg, .key = take_key};
    *ret_key = key;
    return OK;
}

enum status signing_key_make(enum jose_alg alg, struct signing_key **ret_key, struct err *err)
{
    EVP_PKEY *key = NULL;
    switch (jose_algs[alg].kty) {
    case JOSE_RSA:
        key = EVP_RSA_gen(RSA_BITS);
        break;
    case JOSE_EC_P256:
        key = EVP_EC_gen("P-256");
        break;
    case JOSE_OKP_ED25519:
        key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
        break;
    case JOSE_KTY_COUNT:
        break;
    }
    return wrap(key, alg, ret_key, err);
}

static bool fits(const EVP_PKEY *key, enum jose_alg alg)
{
    switch (jose_algs[alg].kty) {
    case JOSE_RSA:
        return EVP_PKEY_is_a(key, "RSA") && EVP_PKEY_get_bits(key) >= RSA_BITS_MIN;
    case JOSE_EC_P256:
        return EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_bits(key) == 256;
    case JOSE_OKP_ED25519:
        return EVP_PKEY_is_a(key, "ED25519");
    case JOSE_KTY_COUNT:
        break;
    }
    return false;
}

enum status signing_key_load(enum jose_alg alg, struct span der, struct signing_key **ret_key,
                             struct err *err)
{
    const unsigned char *at = (const unsigned char *)der.ptr;
    EVP_PKEY *key = der.len > LONG_MAX ? NULL : d2i_AutoPrivateKey(NULL, &at, (long)der.len);
    if (key == NULL || !fits(key, alg)) {
        EVP_PKEY_free(key);
        ERR_clear_error();
        return fail(err, CORRUPT, "a signing key does not read");
    }
    return wrap(key, alg, ret_key, err);
}

void signing_key_dump(const struct signing_key *key, struct buf *out)
{
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key->key);
    int len = info == NULL ? -1 : i2d_PKCS8_PRIV_KEY_INFO(info, NULL);
    unsigned char *room = len <= 0 ? NULL : (unsigned char *)buf_reserve(out, (size_t)len);
    if (room == NULL || i2d_PKCS8_PRIV_KEY_INFO(info, &room) != len)
        out->has_failed = true;
    PKCS8_PRIV_KEY_INFO_free(info);
}

enum status signing_key_public(const struct signing_key *key, struct jwk **ret_key, struct err *err)
{
    /* Through the public encoding: what is handed out holds no private part at all. */
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key->key, &der);
    const unsigned char *at = der;
    EVP_PKEY *public_key = len <= 0 ? NULL : d2i_PUBKEY(NULL, &at, len);
    OPENSSL_free(der);
    if (public_key == NULL)
        return fail(err, NO_MEMORY, "cannot take the public half of a key");
    return jwk_wrap(public_key, key->alg, (struct span){0}, ret_key, err);
}

void jose_signer_free(struct jose_signer *signer)
{
    if (signer == NULL)
        return;
    jwk_free(signer->public_key);
    EVP_MD_CTX_free(signer->prepared);
    EVP_MD_CTX_free(signer->working);
    free(signer);
}

static bool prepare(struct jose_signer *signer, const struct signing_key *key)
{
    EVP_PKEY_CTX *padding;
    const EVP_MD *digest = key->alg == JOSE_EDDSA ? NULL : EVP_sha256();
    signer->prepared = EVP_MD_CTX_new();
    signer->working = EVP_MD_CTX_new();
    if (signer->prepared == NULL || signer->working == NULL ||
        EVP_DigestSignInit(signer->prepared, &padding, digest, NULL, key->key) != 1)
        return false;
    return key->alg != JOSE_PS256 ||
           (EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PSS_PADDING) == 1 &&
            EVP_PKEY_CTX_set_rsa_pss_saltlen(padding, RSA_PSS_SALTLEN_DIGEST) == 1);
}

enum status jose_signer_new(const struct signing_key *key, struct jose_signer **ret_signer,
                            struct err *err)
{
    struct jose_signer *signer = calloc(1, sizeof *signer);
    if (signer == NULL)
        return fail(err, NO_MEMORY, "no memory for a signer");
    signer->alg = key->alg;
    enum status status = signing_key_public(key, &signer->public_key, err);
    if (status == OK && !prepare(signer, key))
        status = fail(err, NO_MEMORY, "cannot prepare a signer");
    if (status != OK) {
        jose_signer_free(signer);
        return status;
    }
    *ret_signer = signer;
    return OK;
}

/* The encoded header for typ: the same for every token, so made when typ changes. */
static bool set_typ(struct jose_signer *signer, struct span typ)
{
    if (signer->header_len > 0 && span_equal(span_of(signer->typ, signer->typ_len), typ))
        return true;
    if (typ.len > sizeof signer->typ)
        return false;
    struct buf json AUTO(buf);
    struct buf text = {.data = signer->header, .capacity = HEADER_LEN_MAX, .limit = HEADER_LEN_MAX};
    buf_init(&json, HEADER_LEN_MAX);
    buf_put(&json, SPAN("{\"alg\":\""));
    buf_put(&json, jose_algs[signer->alg].name);
    buf_put(&json, SPAN("\",\"typ\":\""));
    buf_put(&json, typ);
    buf_put(&json, SPAN("\",\"kid\":\""));
    buf_put(&json, jwk_kid(signer->public_key));
    buf_put(&json, SPAN("\"}"));
    base64url_write(&text, buf_span(&json));
    signer->header_len = text.len;
    memcpy(signer->typ, typ.ptr, typ.len);
    signer->typ_len = typ.len;
    return buf_ok(&json) && buf_ok(&text);
}

/* DER as OpenSSL gives it to R || S of fixed length, leading zeros kept (RFC 7518 §3.4). */
static bool der_to_pair(unsigned char *signature, size_t *len)
{
    const unsigned char *at = signature;
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)*len);
    if (pair == NULL)
        return false;
    bool is_ok = BN_bn2binpad(ECDSA_SIG_get0_r(pair), signature, P256_COORDINATE_BYTES) > 0 &&
                 BN_bn2binpad(ECDSA_SIG_get0_s(pair), signature + P256_COORDINATE_BYTES,
                              P256_COORDINATE_BYTES) > 0;
    *len = (size_t)2 * P256_COORDINATE_BYTES;
    ECDSA_SIG_free(pair);
    return is_ok;
}

static bool make_signature(struct jose_signer *signer, struct span input, unsigned char *signature,
                           size_t *len)
{
    return EVP_MD_CTX_copy_ex(signer->working, signer->prepared) == 1 &&
           EVP_DigestSign(signer->working, signature, len, (const unsigned char *)input.ptr,
                          input.len) == 1 &&
           (signer->alg != JOSE_ES256 || der_to_pair(signature, len));
}

/* A faulty RSA-CRT signature gives the key away (S19); the others are sampled, since checking one
 * costs three of them. */
static enum status check_signature(struct jose_signer *signer, struct span input,
                                   struct span signature, struct err *err)
{
    bool is_due = jose_algs[signer->alg].kty == JOSE_RSA || signer->made % CHECK_EVERY == 0;
    signer->made++;
    if (!is_due)
        return OK;
    const struct jws made = {.alg = signer->alg, .signing_input = input, .signature = signature};
    if (jws_verify(&made, signer->public_key, NULL) != OK)
        return fail(err, CORRUPT, "a signature that was just made does not verify");
    return OK;
}

enum status jose_sign(struct jose_signer *signer, struct span typ, struct span payload,
                      struct buf *out, struct err *err)
{
    unsigned char signature[JOSE_SIGNATURE_BYTES_MAX];
    size_t len = sizeof signature;
    size_t start = out->len;
    if (!set_typ(signer, typ))
        return fail(err, INVALID, "the typ is too long");
    buf_put(out, span_of(signer->header, signer->header_len));
    buf_byte(out, '.');
    base64url_write(out, payload);
    if (!buf_ok(out))
        return fail(err, NO_MEMORY, "no memory for a token");
    struct span input = span_from(buf_span(out), start);
    if (!make_signature(signer, input, signature, &len))
        return fail(err, UNAVAILABLE, "cannot sign");
    enum status status = check_signature(signer, input, span_of(signature, len), err);
    if (status != OK) {
        out->len = start;
        return status;
    }
    buf_byte(out, '.');
    base64url_write(out, span_of(signature, len));
    return buf_ok(out) ? OK : fail(err, NO_MEMORY, "no memory for a token");
}
