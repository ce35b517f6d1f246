/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/jose_sign.h"

#include "base/buf.h"
#include "codec/base64url.h"
#include "crypto/digest.h"
#include "jose/jose_internal.h"
#include "jose/jwk.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/x509.h>

enum { RSA_BITS_NEW = 2048, HEADER_LEN_MAX = 1024, TYP_LEN_MAX = 64, CHECK_EVERY = 1024 };

struct signing_key {
    enum jose_alg alg;
    EVP_PKEY *pkey;
};

struct jose_signer {
    struct jwk *key;       /* the public half, for the header's kid and to check */
    EVP_PKEY_CTX *context; /* signs digests; NULL for Ed25519 */
    EVP_MD *sha256;        /* makes them; sha256() would look it up for each */
    EVP_MD_CTX *digest_context;
    EVP_MD_CTX *eddsa_template; /* made once, copied to eddsa_context for each signature */
    EVP_MD_CTX *eddsa_context;
    uint64_t made;
    char typ[TYP_LEN_MAX]; /* the one that header is for */
    size_t typ_len;
    struct buf header; /* base64url, with its dot */
};

static void auto_signing_key(struct signing_key **key)
{
    signing_key_free(*key);
}

static void auto_jose_signer(struct jose_signer **signer)
{
    jose_signer_free(*signer);
}

/* Takes the pkey. */
static struct signing_key *key_new(enum jose_alg alg, EVP_PKEY *take_pkey)
{
    struct signing_key *key = calloc(1, sizeof *key);
    if (key == NULL) {
        EVP_PKEY_free(take_pkey);
        return NULL;
    }
    *key = (struct signing_key){.alg = alg, .pkey = take_pkey};
    return key;
}

static EVP_PKEY *generate(enum jose_kty kty)
{
    switch (kty) {
    case JOSE_RSA:
        return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)RSA_BITS_NEW);
    case JOSE_EC_P256:
        return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    case JOSE_OKP_ED25519:
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    case JOSE_KTY_COUNT:
        break;
    }
    abort();
}

enum status signing_key_make(enum jose_alg alg, struct signing_key **ret_key, struct err *err)
{
    EVP_PKEY *pkey = generate(jose_algs[alg].kty);
    struct signing_key *key = pkey == NULL ? NULL : key_new(alg, pkey);
    if (key == NULL) {
        ERR_clear_error();
        return fail(err, NO_MEMORY, "a signing key could not be made");
    }
    *ret_key = key;
    return OK;
}

static bool is_of_kty(const EVP_PKEY *pkey, enum jose_kty kty)
{
    char group[32];
    switch (kty) {
    case JOSE_RSA:
        return EVP_PKEY_is_a(pkey, "RSA") == 1;
    case JOSE_EC_P256:
        return EVP_PKEY_is_a(pkey, "EC") == 1 &&
               EVP_PKEY_get_group_name(pkey, group, sizeof group, NULL) == 1 &&
               strcmp(group, SN_X9_62_prime256v1) == 0;
    case JOSE_OKP_ED25519:
        return EVP_PKEY_is_a(pkey, "ED25519") == 1;
    case JOSE_KTY_COUNT:
        break;
    }
    abort();
}

/* The whole of der, and nothing behind it. NULL when it is not PKCS #8. */
static EVP_PKEY *read_pkcs8(struct span der)
{
    const unsigned char *at = jose_bytes(der);
    if (der.len > INT_MAX)
        return NULL;
    PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)der.len);
    EVP_PKEY *pkey = NULL;
    if (info != NULL && at == jose_bytes(der) + der.len)
        pkey = EVP_PKCS82PKEY(info);
    PKCS8_PRIV_KEY_INFO_free(info);
    return pkey;
}

enum status signing_key_load(enum jose_alg alg, struct span der, struct signing_key **ret_key,
                             struct err *err)
{
    AUTO(jwk) struct jwk *public_half = NULL;
    EVP_PKEY *pkey = read_pkcs8(der);
    if (pkey == NULL || !is_of_kty(pkey, jose_algs[alg].kty)) {
        ERR_clear_error();
        EVP_PKEY_free(pkey);
        return fail(err, CORRUPT, "a stored signing key is not a key for its algorithm");
    }
    AUTO(signing_key) struct signing_key *key = key_new(alg, pkey);
    if (key == NULL)
        return fail(err, NO_MEMORY, "no memory for a signing key");
    /* Sizes and the point are checked where every public key's are. */
    enum status status = signing_key_public(key, &public_half, NULL);
    if (status != OK)
        return fail(err, status == NO_MEMORY ? NO_MEMORY : CORRUPT,
                    "a stored signing key has no usable public half");
    *ret_key = key;
    key = NULL;
    return OK;
}

void signing_key_dump(const struct signing_key *key, struct buf *out)
{
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key->pkey);
    unsigned char *der = NULL;
    int size = info == NULL ? -1 : i2d_PKCS8_PRIV_KEY_INFO(info, &der);
    PKCS8_PRIV_KEY_INFO_free(info); /* wipes the key octets */
    if (size <= 0) {
        ERR_clear_error();
        out->has_failed = true;
        return;
    }
    buf_put(out, span_of(der, (size_t)size));
    OPENSSL_clear_free(der, (size_t)size);
}

void signing_key_free(struct signing_key *key)
{
    if (key == NULL)
        return;
    EVP_PKEY_free(key->pkey); /* wipes the private numbers */
    free(key);
}

enum jose_alg signing_key_alg(const struct signing_key *key)
{
    return key->alg;
}

/* A public number, big-endian; at least size octets, which are padded at their front. */
static bool read_number(const EVP_PKEY *pkey, const char *name, size_t size, char *bytes,
                        size_t capacity, struct span *ret_value)
{
    AUTO(number) BIGNUM *number = NULL;
    if (EVP_PKEY_get_bn_param(pkey, name, &number) != 1)
        return false;
    size_t needed = (size_t)BN_num_bytes(number);
    needed = needed < size ? size : needed;
    if (needed > capacity || BN_bn2binpad(number, (unsigned char *)bytes, (int)needed) < 0)
        return false;
    *ret_value = span_of(bytes, needed);
    return true;
}

static bool read_values(const struct signing_key *key, char first[static RSA_MODULUS_BYTES_MAX],
                        char second[static P256_BYTES], struct jwk_values *ret_values)
{
    size_t size = ED25519_BYTES;
    switch (jose_algs[key->alg].kty) {
    case JOSE_RSA:
        return read_number(key->pkey, OSSL_PKEY_PARAM_RSA_N, 1, first, RSA_MODULUS_BYTES_MAX,
                           &ret_values->first) &&
               read_number(key->pkey, OSSL_PKEY_PARAM_RSA_E, 1, second, P256_BYTES,
                           &ret_values->second);
    case JOSE_EC_P256:
        return read_number(key->pkey, OSSL_PKEY_PARAM_EC_PUB_X, P256_BYTES, first, P256_BYTES,
                           &ret_values->first) &&
               read_number(key->pkey, OSSL_PKEY_PARAM_EC_PUB_Y, P256_BYTES, second, P256_BYTES,
                           &ret_values->second);
    case JOSE_OKP_ED25519:
        ret_values->first = span_of(first, ED25519_BYTES);
        return EVP_PKEY_get_raw_public_key(key->pkey, (unsigned char *)first, &size) == 1 &&
               size == ED25519_BYTES;
    case JOSE_KTY_COUNT:
        break;
    }
    abort();
}

enum status signing_key_public(const struct signing_key *key, struct jwk **ret_key, struct err *err)
{
    char first[RSA_MODULUS_BYTES_MAX];
    char second[P256_BYTES];
    struct jwk_values values = {0};
    if (!read_values(key, first, second, &values)) {
        ERR_clear_error();
        return fail(err, CORRUPT, "a signing key has no public half");
    }
    return jwk_new(key->alg, values, (struct span){0}, ret_key, err);
}

static bool make_contexts(struct jose_signer *signer, const struct signing_key *key)
{
    if (jose_algs[key->alg].kty == JOSE_OKP_ED25519) {
        signer->eddsa_template = EVP_MD_CTX_new();
        signer->eddsa_context = EVP_MD_CTX_new();
        return signer->eddsa_template != NULL && signer->eddsa_context != NULL &&
               EVP_DigestSignInit(signer->eddsa_template, NULL, NULL, NULL, key->pkey) == 1;
    }
    signer->context = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    signer->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    signer->digest_context = EVP_MD_CTX_new();
    return signer->context != NULL && signer->sha256 != NULL && signer->digest_context != NULL &&
           EVP_PKEY_sign_init(signer->context) == 1 &&
           jwk_set_parameters(signer->context, key->alg);
}

enum status jose_signer_new(const struct signing_key *key, struct jose_signer **ret_signer,
                            struct err *err)
{
    AUTO(jose_signer) struct jose_signer *signer = calloc(1, sizeof *signer);
    if (signer == NULL)
        return fail(err, NO_MEMORY, "no memory for a signer");
    buf_init(&signer->header, HEADER_LEN_MAX);
    enum status status = signing_key_public(key, &signer->key, err);
    if (status != OK)
        return status;
    if (!make_contexts(signer, key)) {
        ERR_clear_error();
        return fail(err, NO_MEMORY, "no memory for a signer");
    }
    *ret_signer = signer;
    signer = NULL;
    return OK;
}

void jose_signer_free(struct jose_signer *signer)
{
    if (signer == NULL)
        return;
    EVP_PKEY_CTX_free(signer->context);
    EVP_MD_CTX_free(signer->digest_context);
    EVP_MD_free(signer->sha256);
    EVP_MD_CTX_free(signer->eddsa_context);
    EVP_MD_CTX_free(signer->eddsa_template);
    jwk_free(signer->key);
    buf_done(&signer->header);
    free(signer);
}

/* The header is made anew only when typ is another than last time. */
static enum status prepare_header(struct jose_signer *signer, struct span typ, struct err *err)
{
    if (signer->header.len > 0 && span_equal(typ, span_of(signer->typ, signer->typ_len)))
        return OK;
    if (typ.len == 0 || typ.len > TYP_LEN_MAX)
        return fail(err, INVALID, "typ must have 1 to %d characters", TYP_LEN_MAX);
    AUTO(buf) struct buf text;
    struct json_writer writer;
    buf_init(&text, HEADER_LEN_MAX);
    json_writer_init(&writer, &text);
    json_object_open(&writer);
    json_member_text(&writer, SPAN("alg"), jose_algs[signer->key->alg].name);
    json_member_text(&writer, SPAN("typ"), typ);
    json_member_text(&writer, SPAN("kid"), jwk_kid(signer->key));
    json_object_close(&writer);
    buf_clear(&signer->header);
    base64url_write(&signer->header, buf_span(&text));
    buf_byte(&signer->header, '.');
    if (!buf_ok(&text) || !buf_ok(&signer->header)) {
        buf_clear(&signer->header);
        return fail(err, NO_MEMORY, "no memory for a header");
    }
    memcpy(signer->typ, typ.ptr, typ.len);
    signer->typ_len = typ.len;
    return OK;
}

/* RFC 7518 §3.4: R and S as 32 octets each; BN_bn2binpad keeps leading zeros. */
static bool ecdsa_to_raw(const unsigned char *der, size_t size,
                         unsigned char raw[static ES256_SIGNATURE_BYTES])
{
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)size);
    bool is_done = pair != NULL &&
                   BN_bn2binpad(ECDSA_SIG_get0_r(pair), raw, P256_BYTES) == P256_BYTES &&
                   BN_bn2binpad(ECDSA_SIG_get0_s(pair), raw + P256_BYTES, P256_BYTES) == P256_BYTES;
    ECDSA_SIG_free(pair);
    return is_done;
}

static bool make_digest(struct jose_signer *signer, struct span input,
                        unsigned char digest[static SHA256_BYTES])
{
    return EVP_DigestInit_ex2(signer->digest_context, signer->sha256, NULL) == 1 &&
           EVP_DigestUpdate(signer->digest_context, input.ptr, input.len) == 1 &&
           EVP_DigestFinal_ex(signer->digest_context, digest, NULL) == 1;
}

static bool sign_digest(struct jose_signer *signer, struct span input,
                        unsigned char signature[static JOSE_SIGNATURE_BYTES_MAX])
{
    unsigned char digest[SHA256_BYTES];
    unsigned char made[JOSE_SIGNATURE_BYTES_MAX];
    const bool is_ecdsa = signer->key->alg == JOSE_ES256;
    size_t size = JOSE_SIGNATURE_BYTES_MAX;
    if (!make_digest(signer, input, digest) ||
        EVP_PKEY_sign(signer->context, is_ecdsa ? made : signature, &size, digest, sizeof digest) !=
            1)
        return false;
    return is_ecdsa ? ecdsa_to_raw(made, size, signature) : size == signer->key->signature_bytes;
}

static bool sign_eddsa(struct jose_signer *signer, struct span input,
                       unsigned char signature[static JOSE_SIGNATURE_BYTES_MAX])
{
    size_t size = JOSE_SIGNATURE_BYTES_MAX;
    return EVP_MD_CTX_copy_ex(signer->eddsa_context, signer->eddsa_template) == 1 &&
           EVP_DigestSign(signer->eddsa_context, signature, &size, jose_bytes(input), input.len) ==
               1 &&
           size == EDDSA_SIGNATURE_BYTES;
}

/* CORRUPT also when OpenSSL does not sign at all: a key that does so is of no use. */
static enum status sign_and_check(struct jose_signer *signer, struct span input,
                                  unsigned char signature[static JOSE_SIGNATURE_BYTES_MAX],
                                  struct err *err)
{
    const struct jwk *key = signer->key;
    bool is_signed = signer->context == NULL ? sign_eddsa(signer, input, signature)
                                             : sign_digest(signer, input, signature);
    if (!is_signed) {
        ERR_clear_error();
        return fail(err, CORRUPT, "a signing key does not sign");
    }
    bool is_due = jose_algs[key->alg].kty == JOSE_RSA || signer->made % CHECK_EVERY == 0;
    enum status status =
        is_due ? jws_verify_signature(key, input, span_of(signature, key->signature_bytes)) : OK;
    if (status == NO_MEMORY)
        return fail(err, NO_MEMORY, "no memory to check a signature");
    if (status != OK)
        return fail(err, CORRUPT, "a signing key made a wrong signature");
    signer->made++;
    return OK;
}

enum status jose_sign(struct jose_signer *signer, struct span typ, struct span payload,
                      struct buf *out, struct err *err)
{
    unsigned char signature[JOSE_SIGNATURE_BYTES_MAX];
    const size_t start = out->len;
    enum status status = prepare_header(signer, typ, err);
    if (status != OK)
        return status;
    buf_put(out, buf_span(&signer->header));
    base64url_write(out, payload);
    if (!buf_ok(out))
        return fail(err, NO_MEMORY, "no room for a token");
    status = sign_and_check(signer, span_from(buf_span(out), start), signature, err);
    if (status != OK) {
        out->len = start;
        return status;
    }
    buf_byte(out, '.');
    base64url_write(out, span_of(signature, signer->key->signature_bytes));
    return buf_ok(out) ? OK : fail(err, NO_MEMORY, "no room for a token");
}
