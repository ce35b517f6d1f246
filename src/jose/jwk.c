/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/jwk.h"

#include "base/arena.h"
#include "base/buf.h"
#include "codec/base64url.h"
#include "crypto/digest.h"
#include "jose/jose_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

/* Members by kty (RFC 7518 §6.2.1, §6.3.1, RFC 8037 §2). */
struct kty_row {
    struct span kty;
    struct span crv; /* empty: the type has none */
    const char *first;
    const char *second; /* NULL: the type has one */
    enum jose_alg usual;
};

static const struct kty_row ktys[JOSE_KTY_COUNT] = {
    [JOSE_RSA] = {SPAN_INIT("RSA"), {0}, "n", "e", JOSE_RS256},
    [JOSE_EC_P256] = {SPAN_INIT("EC"), SPAN_INIT("P-256"), "x", "y", JOSE_ES256},
    [JOSE_OKP_ED25519] = {SPAN_INIT("OKP"), SPAN_INIT("Ed25519"), "x", NULL, JOSE_EDDSA},
};

static const struct json_limits key_limits = {.depth_max = 8, .members_max = 64};

bool jwk_set_parameters(EVP_PKEY_CTX *context, enum jose_alg alg)
{
    if (EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) != 1)
        return false;
    if (alg == JOSE_RS256)
        return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1;
    if (alg == JOSE_PS256)
        return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha256()) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
    return true;
}

/* RFC 7518 §2: a Base64urlUInt has no leading zero octets. We read them, but never keep them: the
 * thumbprint is of the minimal form. */
static struct span minimal(struct span number)
{
    while (number.len > 0 && number.ptr[0] == '\0')
        number = span_from(number, 1);
    return number;
}

static bool is_odd(struct span number)
{
    return number.len > 0 && (number.ptr[number.len - 1] & 1) != 0;
}

/* RFC 7518 §3.3: 2048 bits or more; the upper bounds limit what a verification costs. */
static enum status check_rsa(struct jwk_values values, struct err *err)
{
    struct span n = values.first;
    struct span e = values.second;
    bool is_short = n.len < RSA_MODULUS_BYTES_MIN ||
                    (n.len == RSA_MODULUS_BYTES_MIN && ((unsigned char)n.ptr[0] & 0x80) == 0);
    if (is_short || n.len > RSA_MODULUS_BYTES_MAX)
        return fail(err, INVALID, "n must have 2048 to 8192 bits");
    if (!is_odd(n))
        return fail(err, INVALID, "n must be odd");
    if (!is_odd(e) || e.len > 4 || (e.len == 1 && e.ptr[0] == 1))
        return fail(err, INVALID, "e must be odd, from 3 to 2^32");
    return OK;
}

static enum status check_values(enum jose_kty kty, struct jwk_values *values, struct err *err)
{
    switch (kty) {
    case JOSE_RSA:
        values->first = minimal(values->first);
        values->second = minimal(values->second);
        return check_rsa(*values, err);
    case JOSE_EC_P256:
        if (values->first.len != P256_BYTES || values->second.len != P256_BYTES)
            return fail(err, INVALID, "x and y must have 32 octets each");
        return OK;
    case JOSE_OKP_ED25519:
        if (values->first.len != ED25519_BYTES)
            return fail(err, INVALID, "x must have 32 octets");
        return OK;
    case JOSE_KTY_COUNT:
        break;
    }
    abort();
}

static EVP_PKEY *pkey_from_parameters(const char *type, OSSL_PARAM *parameters)
{
    AUTO(pkey_context) EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *pkey = NULL;
    if (context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
        return NULL;
    return pkey;
}

static EVP_PKEY *rsa_pkey(struct jwk_values values)
{
    AUTO(number) BIGNUM *n = BN_bin2bn(jose_bytes(values.first), (int)values.first.len, NULL);
    AUTO(number) BIGNUM *e = BN_bin2bn(jose_bytes(values.second), (int)values.second.len, NULL);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    OSSL_PARAM *parameters = NULL;
    EVP_PKEY *pkey = NULL;
    if (n != NULL && e != NULL && builder != NULL &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) == 1)
        parameters = OSSL_PARAM_BLD_to_param(builder);
    if (parameters != NULL)
        pkey = pkey_from_parameters("RSA", parameters);
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(builder);
    return pkey;
}

/* RFC 8725 §3.4: the point is on the curve, or there is no key. */
static EVP_PKEY *p256_pkey(struct jwk_values values)
{
    unsigned char point[1 + 2 * P256_BYTES] = {POINT_CONVERSION_UNCOMPRESSED};
    char group[] = "P-256";
    memcpy(point + 1, values.first.ptr, P256_BYTES);
    memcpy(point + 1 + P256_BYTES, values.second.ptr, P256_BYTES);
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *pkey = pkey_from_parameters("EC", parameters);
    AUTO(pkey_context)
    EVP_PKEY_CTX *context = pkey == NULL ? NULL : EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    if (context == NULL || EVP_PKEY_public_check(context) != 1) {
        EVP_PKEY_free(pkey);
        return NULL;
    }
    return pkey;
}

static EVP_PKEY *make_pkey(enum jose_kty kty, struct jwk_values values)
{
    switch (kty) {
    case JOSE_RSA:
        return rsa_pkey(values);
    case JOSE_EC_P256:
        return p256_pkey(values);
    case JOSE_OKP_ED25519:
        return EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, jose_bytes(values.first),
                                              values.first.len);
    case JOSE_KTY_COUNT:
        break;
    }
    abort();
}

static size_t signature_bytes(enum jose_kty kty, struct jwk_values values)
{
    switch (kty) {
    case JOSE_RSA:
        return values.first.len;
    case JOSE_EC_P256:
        return ES256_SIGNATURE_BYTES;
    case JOSE_OKP_ED25519:
        return EDDSA_SIGNATURE_BYTES;
    case JOSE_KTY_COUNT:
        break;
    }
    abort();
}

/* Ed25519 has no two-step verification, so no context for it. */
static bool make_verifier(struct jwk *key)
{
    if (jose_algs[key->alg].kty == JOSE_OKP_ED25519)
        return true;
    key->verifier = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    return key->verifier != NULL && EVP_PKEY_verify_init(key->verifier) == 1 &&
           jwk_set_parameters(key->verifier, key->alg);
}

static void copy_values(struct jwk *key, struct jwk_values values)
{
    memcpy(key->bytes, values.first.ptr, values.first.len);
    key->values.first = span_of(key->bytes, values.first.len);
    if (values.second.len > 0)
        memcpy(key->bytes + values.first.len, values.second.ptr, values.second.len);
    key->values.second = span_of(key->bytes + values.first.len, values.second.len);
}

enum status jwk_new(enum jose_alg alg, struct jwk_values values, struct span kid,
                    struct jwk **ret_key, struct err *err)
{
    const enum jose_kty kty = jose_algs[alg].kty;
    enum status status = check_values(kty, &values, err);
    if (status != OK)
        return status;
    AUTO(jwk) struct jwk *key = calloc(1, sizeof *key);
    if (key == NULL)
        return fail(err, NO_MEMORY, "no memory for a key");
    key->alg = alg;
    key->signature_bytes = signature_bytes(kty, values);
    copy_values(key, values);
    key->pkey = make_pkey(kty, values);
    if (key->pkey == NULL || !make_verifier(key)) {
        ERR_clear_error();
        return fail(err, INVALID, "%s",
                    kty == JOSE_EC_P256 ? "x and y are not a point of P-256"
                                        : "the key cannot be used");
    }
    assert(kid.len <= sizeof key->kid);
    if (kid.len > 0)
        memcpy(key->kid, kid.ptr, kid.len);
    else
        jwk_thumbprint(key, key->kid);
    key->kid_len = kid.len > 0 ? kid.len : JWK_THUMBPRINT_LEN;
    *ret_key = key;
    key = NULL;
    return OK;
}

void jwk_free(struct jwk *key)
{
    if (key == NULL)
        return;
    EVP_PKEY_CTX_free(key->verifier);
    EVP_PKEY_free(key->pkey);
    free(key);
}

/* An absent member is an empty text. */
static enum status read_text(const json_t *object, const char *name, struct span *ret_text,
                             struct err *err)
{
    const json_t *member = json_object_get(object, name);
    if (member != NULL && !json_is_string(member))
        return fail(err, INVALID, "%s must be a string", name);
    *ret_text = json_text(member);
    return OK;
}

static enum status read_bytes(const json_t *object, const char *name, struct arena *arena,
                              struct span *ret_bytes, struct err *err)
{
    struct span text;
    enum status status = read_text(object, name, &text, err);
    if (status != OK)
        return status;
    if (text.len == 0)
        return fail(err, INVALID, "%s is missing", name);
    /* Two octets more than the largest modulus: room for a leading zero. */
    if (text.len > base64url_encoded_len(RSA_MODULUS_BYTES_MAX + 2))
        return fail(err, INVALID, "%s is too long", name);
    status = base64url_decode(text, arena, ret_bytes);
    if (status != OK)
        return fail(err, status, "%s is not base64url", name);
    return OK;
}

static enum status read_kty(const json_t *object, enum jose_kty *ret_kty, struct err *err)
{
    struct span kty, crv;
    enum status status = read_text(object, "kty", &kty, err);
    if (status == OK)
        status = read_text(object, "crv", &crv, err);
    if (status != OK)
        return status;
    if (kty.len == 0)
        return fail(err, INVALID, "kty is missing");
    for (size_t i = 0; i < JOSE_KTY_COUNT; i++) {
        if (!span_equal(kty, ktys[i].kty))
            continue;
        if (ktys[i].crv.len > 0 && crv.len == 0)
            return fail(err, INVALID, "crv is missing");
        if (ktys[i].crv.len > 0 && !span_equal(crv, ktys[i].crv))
            return fail(err, UNSUPPORTED, "crv is not one that we have");
        *ret_kty = (enum jose_kty)i;
        return OK;
    }
    return fail(err, UNSUPPORTED, "kty is not one that we have");
}

/* RFC 8725 §3.1: each key is used with exactly one algorithm. */
static enum status read_alg(const json_t *object, enum jose_kty kty, enum jose_alg fallback,
                            enum jose_alg *ret_alg, struct err *err)
{
    struct span name;
    enum status status = read_text(object, "alg", &name, err);
    if (status != OK)
        return status;
    *ret_alg = fallback == JOSE_ALG_COUNT ? ktys[kty].usual : fallback;
    if (json_object_get(object, "alg") != NULL && !jose_alg_find(name, ret_alg))
        return fail(err, UNSUPPORTED, "alg is not one that we have");
    if (jose_algs[*ret_alg].kty != kty)
        return fail(err, INVALID, "alg does not fit kty");
    return OK;
}

/* RFC 7517 §4.2, §4.3: what the key may be used for, if it says so, includes verifying. */
static enum status check_use(const json_t *object, struct err *err)
{
    struct span use;
    enum status status = read_text(object, "use", &use, err);
    if (status != OK)
        return status;
    if (json_object_get(object, "use") != NULL && !span_equal(use, SPAN("sig")))
        return fail(err, UNSUPPORTED, "use is not sig");
    const json_t *operations = json_object_get(object, "key_ops");
    if (operations == NULL)
        return OK;
    if (!json_is_array(operations))
        return fail(err, INVALID, "key_ops must be an array");
    for (size_t i = 0; i < json_array_size(operations); i++) {
        if (span_equal(json_text(json_array_get(operations, i)), SPAN("verify")))
            return OK;
    }
    return fail(err, UNSUPPORTED, "key_ops does not include verify");
}

static enum status read_key(const json_t *object, enum jose_alg fallback, struct arena *arena,
                            struct jwk **ret_key, struct err *err)
{
    enum jose_kty kty = JOSE_KTY_COUNT;
    enum jose_alg alg = JOSE_ALG_COUNT;
    struct jwk_values values = {0};
    struct span kid = {0};
    enum status status = read_kty(object, &kty, err);
    if (status == OK)
        status = read_alg(object, kty, fallback, &alg, err);
    if (status == OK)
        status = check_use(object, err);
    if (status == OK)
        status = read_text(object, "kid", &kid, err);
    if (status == OK && kid.len > JWK_KID_LEN_MAX)
        status = fail(err, INVALID, "kid has more than %d octets", JWK_KID_LEN_MAX);
    if (status == OK)
        status = read_bytes(object, ktys[kty].first, arena, &values.first, err);
    if (status == OK && ktys[kty].second != NULL)
        status = read_bytes(object, ktys[kty].second, arena, &values.second, err);
    return status == OK ? jwk_new(alg, values, kid, ret_key, err) : status;
}

enum status jwk_from_json(const json_t *object, enum jose_alg fallback, struct jwk **ret_key,
                          struct err *err)
{
    struct arena arena;
    if (!json_is_object(object))
        return fail(err, INVALID, "a key must be a JSON object");
    arena_init(&arena, JWK_TEXT_LEN_MAX);
    enum status status = read_key(object, fallback, &arena, ret_key, err);
    arena_done(&arena);
    return status;
}

enum status jwk_parse(struct span json, enum jose_alg fallback, struct jwk **ret_key,
                      struct err *err)
{
    AUTO(json) json_t *object = NULL;
    assert(fallback < JOSE_ALG_COUNT);
    if (json.len > JWK_TEXT_LEN_MAX)
        return fail(err, INVALID, "a key has more than %d octets", JWK_TEXT_LEN_MAX);
    enum status status = json_parse(json, &key_limits, &object, err);
    return status == OK ? jwk_from_json(object, fallback, ret_key, err) : status;
}

enum jose_alg jwk_alg(const struct jwk *key)
{
    return key->alg;
}

struct span jwk_kid(const struct jwk *key)
{
    return span_of(key->kid, key->kid_len);
}

static void write_bytes(struct json_writer *writer, const char *name, struct span bytes)
{
    json_name(writer, span_cstr(name));
    buf_byte(writer->out, '"');
    base64url_write(writer->out, bytes);
    buf_byte(writer->out, '"');
    writer->is_after_name = false;
}

void jwk_write(const struct jwk *key, struct buf *out)
{
    const struct kty_row *row = &ktys[jose_algs[key->alg].kty];
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_object_open(&writer);
    json_member_text(&writer, SPAN("kty"), row->kty);
    if (row->crv.len > 0)
        json_member_text(&writer, SPAN("crv"), row->crv);
    write_bytes(&writer, row->first, key->values.first);
    if (row->second != NULL)
        write_bytes(&writer, row->second, key->values.second);
    json_member_text(&writer, SPAN("use"), SPAN("sig"));
    json_member_text(&writer, SPAN("alg"), jose_algs[key->alg].name);
    json_member_text(&writer, SPAN("kid"), jwk_kid(key));
    json_object_close(&writer);
}

enum status jwk_write_pem(const struct jwk *key, struct buf *out)
{
    AUTO(bio) BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    if (bio == NULL || PEM_write_bio_PUBKEY(bio, key->pkey) != 1) {
        ERR_clear_error();
        return NO_MEMORY;
    }
    long len = BIO_get_mem_data(bio, &text);
    buf_put(out, span_of(text, (size_t)len));
    return buf_ok(out) ? OK : NO_MEMORY;
}

/* RFC 7638 §3.3: the required members alone, in the order of their names: crv, e, kty, n, x, y. */
static void write_thumbprint_input(const struct jwk *key, struct buf *out)
{
    const enum jose_kty kty = jose_algs[key->alg].kty;
    const struct kty_row *row = &ktys[kty];
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_object_open(&writer);
    if (row->crv.len > 0)
        json_member_text(&writer, SPAN("crv"), row->crv);
    if (kty == JOSE_RSA)
        write_bytes(&writer, row->second, key->values.second);
    json_member_text(&writer, SPAN("kty"), row->kty);
    write_bytes(&writer, row->first, key->values.first);
    if (kty == JOSE_EC_P256)
        write_bytes(&writer, row->second, key->values.second);
    json_object_close(&writer);
}

void jwk_thumbprint(const struct jwk *key, char text[static JWK_THUMBPRINT_LEN])
{
    unsigned char digest[SHA256_BYTES];
    AUTO(buf) struct buf input;
    AUTO(buf) struct buf encoded;
    buf_init(&input, JWK_TEXT_LEN_MAX);
    buf_init(&encoded, JWK_THUMBPRINT_LEN);
    write_thumbprint_input(key, &input);
    sha256(buf_span(&input), digest);
    base64url_write(&encoded, span_of(digest, sizeof digest));
    if (!buf_ok(&input) || !buf_ok(&encoded))
        abort(); /* only without memory */
    memcpy(text, encoded.data, JWK_THUMBPRINT_LEN);
}
