/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/jwk.h"

#include "base/arena.h"
#include "base/buf.h"
#include "codec/base64url.h"
#include "codec/json.h"
#include "crypto/digest.h"
#include "jose/jwk_internal.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>

#include <stdlib.h>
#include <string.h>

enum { COMPONENT_BYTES_MAX = RSA_BITS_MAX / 8 };

static inline void auto_bn(BIGNUM **number)
{
    BN_free(*number);
}

static inline void auto_builder(OSSL_PARAM_BLD **builder)
{
    OSSL_PARAM_BLD_free(*builder);
}

static inline void auto_params(OSSL_PARAM **params)
{
    OSSL_PARAM_free(*params);
}

static inline void auto_key_context(EVP_PKEY_CTX **context)
{
    EVP_PKEY_CTX_free(*context);
}

static inline void auto_scratch(struct arena *arena)
{
    arena_done(arena);
}

void jwk_free(struct jwk *key)
{
    if (key == NULL)
        return;
    EVP_PKEY_free(key->key);
    free(key);
}

enum jose_alg jwk_alg(const struct jwk *key)
{
    return key->alg;
}

struct span jwk_kid(const struct jwk *key)
{
    return span_of(key->kid, key->kid_len);
}

void jwk_thumbprint(const struct jwk *key, char text[static JWK_THUMBPRINT_LEN])
{
    memcpy(text, key->thumbprint, JWK_THUMBPRINT_LEN);
}

/* One number of a key, base64url, in the length given (0: minimal, RFC 7518 §2 Base64urlUInt). */
static void write_number(const EVP_PKEY *key, const char *param, int bytes, struct buf *out)
{
    BIGNUM *number AUTO(bn) = NULL;
    unsigned char text[COMPONENT_BYTES_MAX];
    if (EVP_PKEY_get_bn_param(key, param, &number) != 1) {
        out->has_failed = true;
        return;
    }
    int len = bytes == 0 ? BN_num_bytes(number) : bytes;
    if (len > COMPONENT_BYTES_MAX || BN_bn2binpad(number, text, len) != len) {
        out->has_failed = true;
        return;
    }
    base64url_write(out, span_of(text, (size_t)len));
}

/* The members that make the key, in the order of their names and without spaces: what a thumbprint
 * is taken of (RFC 7638 §3.2, RFC 8037 §2), and the front of what is published. */
static void write_members(const struct jwk *key, struct buf *out)
{
    unsigned char raw[ED25519_KEY_BYTES];
    size_t raw_len = sizeof raw;
    switch (jose_algs[key->alg].kty) {
    case JOSE_RSA:
        buf_put(out, SPAN("\"e\":\""));
        write_number(key->key, OSSL_PKEY_PARAM_RSA_E, 0, out);
        buf_put(out, SPAN("\",\"kty\":\"RSA\",\"n\":\""));
        write_number(key->key, OSSL_PKEY_PARAM_RSA_N, 0, out);
        buf_put(out, SPAN("\""));
        return;
    case JOSE_EC_P256:
        buf_put(out, SPAN("\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\""));
        write_number(key->key, OSSL_PKEY_PARAM_EC_PUB_X, P256_COORDINATE_BYTES, out);
        buf_put(out, SPAN("\",\"y\":\""));
        write_number(key->key, OSSL_PKEY_PARAM_EC_PUB_Y, P256_COORDINATE_BYTES, out);
        buf_put(out, SPAN("\""));
        return;
    case JOSE_OKP_ED25519:
        if (EVP_PKEY_get_raw_public_key(key->key, raw, &raw_len) != 1)
            out->has_failed = true;
        buf_put(out, SPAN("\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\""));
        base64url_write(out, span_of(raw, raw_len));
        buf_put(out, SPAN("\""));
        return;
    case JOSE_KTY_COUNT:
        break;
    }
    out->has_failed = true;
}

void jwk_write(const struct jwk *key, struct buf *out)
{
    buf_byte(out, '{');
    write_members(key, out);
    buf_put(out, SPAN(",\"use\":\"sig\",\"alg\":\""));
    buf_put(out, jose_algs[key->alg].name);
    buf_put(out, SPAN("\",\"kid\":\""));
    buf_put(out, jwk_kid(key));
    buf_put(out, SPAN("\"}"));
}

static bool set_thumbprint(struct jwk *key)
{
    struct buf members AUTO(buf);
    unsigned char digest[SHA256_BYTES];
    struct buf text = {
        .data = key->thumbprint, .capacity = JWK_THUMBPRINT_LEN, .limit = JWK_THUMBPRINT_LEN};
    buf_init(&members, JWK_TEXT_LEN_MAX);
    buf_byte(&members, '{');
    write_members(key, &members);
    buf_byte(&members, '}');
    sha256(buf_span(&members), digest);
    base64url_write(&text, span_of(digest, sizeof digest));
    return buf_ok(&members) && buf_ok(&text);
}

enum status jwk_wrap(EVP_PKEY *take_key, enum jose_alg alg, struct span kid, struct jwk **ret_key,
                     struct err *err)
{
    struct jwk *key = calloc(1, sizeof *key);
    if (key == NULL) {
        EVP_PKEY_free(take_key);
        return fail(err, NO_MEMORY, "no memory for a key");
    }
    key->key = take_key;
    key->alg = alg;
    if (!set_thumbprint(key)) {
        jwk_free(key);
        return fail(err, INVALID, "the key has no thumbprint");
    }
    if (kid.len == 0)
        kid = span_of(key->thumbprint, JWK_THUMBPRINT_LEN);
    memcpy(key->kid, kid.ptr, kid.len);
    key->kid_len = kid.len;
    *ret_key = key;
    return OK;
}

/* A base64url member with at most bytes_max bytes. */
static enum status read_member(const json_t *json, const char *name, size_t bytes_max,
                               struct arena *arena, struct span *ret_bytes, struct err *err)
{
    struct span text = json_text(json_object_get(json, name));
    if (text.len == 0 || base64url_decode(text, arena, ret_bytes) != OK ||
        ret_bytes->len > bytes_max)
        return fail(err, INVALID, "the key's %s is absent or not base64url of the right length",
                    name);
    return OK;
}

static EVP_PKEY *build(const char *type, OSSL_PARAM_BLD *builder)
{
    AUTO(params) OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
    AUTO(key_context) EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *key = NULL;
    if (params == NULL || context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
        return NULL;
    return key;
}

static BIGNUM *number_of(struct span bytes)
{
    return BN_bin2bn((const unsigned char *)bytes.ptr, (int)bytes.len, NULL);
}

static enum status read_rsa(const json_t *json, struct arena *arena, EVP_PKEY **ret_key,
                            struct err *err)
{
    struct span n;
    struct span e;
    enum status status = read_member(json, "n", COMPONENT_BYTES_MAX + 1, arena, &n, err);
    if (status == OK)
        status = read_member(json, "e", 5, arena, &e, err);
    if (status != OK)
        return status;
    AUTO(bn) BIGNUM *modulus = number_of(n);
    AUTO(bn) BIGNUM *exponent = number_of(e);
    AUTO(builder) OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    if (modulus == NULL || exponent == NULL || builder == NULL)
        return fail(err, NO_MEMORY, "no memory for a key");
    int bits = BN_num_bits(modulus);
    /* RFC 7518 §3.3 sets the lower bound; the others bound the cost and refuse e = 1. */
    if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX || !BN_is_odd(modulus))
        return fail(err, INVALID, "the key's n is not an odd number of 2048 to 8192 bits");
    if (!BN_is_odd(exponent) || BN_is_one(exponent) || BN_num_bits(exponent) > 33)
        return fail(err, INVALID, "the key's e is not an odd number of 3 to 2^32");
    if (OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent) != 1)
        return fail(err, NO_MEMORY, "no memory for a key");
    *ret_key = build("RSA", builder);
    return *ret_key == NULL ? fail(err, INVALID, "the key is not an RSA key") : OK;
}

static enum status read_ec(const json_t *json, struct arena *arena, EVP_PKEY **ret_key,
                           struct err *err)
{
    struct span x;
    struct span y;
    unsigned char point[1 + 2 * P256_COORDINATE_BYTES] = {POINT_CONVERSION_UNCOMPRESSED};
    if (!span_equal(json_text(json_object_get(json, "crv")), SPAN("P-256")))
        return fail(err, UNSUPPORTED, "the key's crv is not P-256");
    enum status status = read_member(json, "x", P256_COORDINATE_BYTES, arena, &x, err);
    if (status == OK)
        status = read_member(json, "y", P256_COORDINATE_BYTES, arena, &y, err);
    if (status != OK)
        return status;
    if (x.len != P256_COORDINATE_BYTES || y.len != P256_COORDINATE_BYTES)
        return fail(err, INVALID, "the key's x and y must be 32 octets"); /* RFC 7518 §6.2.1.2 */
    memcpy(point + 1, x.ptr, x.len);
    memcpy(point + 1 + P256_COORDINATE_BYTES, y.ptr, y.len);
    AUTO(builder) OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    if (builder == NULL ||
        OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point) !=
            1)
        return fail(err, NO_MEMORY, "no memory for a key");
    EVP_PKEY *key AUTO(pkey) = build("EC", builder);
    AUTO(key_context) EVP_PKEY_CTX *context = key == NULL ? NULL : EVP_PKEY_CTX_new(key, NULL);
    /* Also refuses a point that is not on the curve (RFC 8725 §3.4). */
    if (context == NULL || EVP_PKEY_public_check(context) != 1)
        return fail(err, INVALID, "the key is not a point on P-256");
    *ret_key = key;
    key = NULL;
    return OK;
}

static enum status read_okp(const json_t *json, struct arena *arena, EVP_PKEY **ret_key,
                            struct err *err)
{
    struct span x;
    if (!span_equal(json_text(json_object_get(json, "crv")), SPAN("Ed25519")))
        return fail(err, UNSUPPORTED, "the key's crv is not Ed25519");
    enum status status = read_member(json, "x", ED25519_KEY_BYTES, arena, &x, err);
    if (status != OK)
        return status;
    if (x.len == ED25519_KEY_BYTES)
        *ret_key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, (const unsigned char *)x.ptr,
                                               x.len);
    return *ret_key == NULL ? fail(err, INVALID, "the key's x is not an Ed25519 key of 32 octets")
                            : OK;
}

static enum status read_alg(const json_t *json, enum jose_alg fallback, enum jose_alg *ret_alg,
                            struct err *err)
{
    const json_t *alg = json_object_get(json, "alg");
    const json_t *use = json_object_get(json, "use");
    if (use != NULL && !span_equal(json_text(use), SPAN("sig")))
        return fail(err, UNSUPPORTED, "the key's use is not sig");
    *ret_alg = fallback;
    if (alg != NULL && !json_is_string(alg))
        return fail(err, INVALID, "the key's alg is not a string");
    if (alg != NULL && !jose_alg_find(json_text(alg), ret_alg))
        return fail(err, UNSUPPORTED, "the key's alg is not one of ours");
    return OK;
}

static enum status read_key(const json_t *json, enum jose_alg fallback, struct arena *arena,
                            struct jwk **ret_key, struct err *err)
{
    enum jose_alg alg;
    EVP_PKEY *key = NULL;
    if (!json_is_object(json))
        return fail(err, INVALID, "a key must be a JSON object");
    const json_t *kid = json_object_get(json, "kid");
    if (kid != NULL && (!json_is_string(kid) || json_string_length(kid) > JWK_KID_LEN_MAX))
        return fail(err, INVALID, "the key's kid is not a string of at most %d bytes",
                    JWK_KID_LEN_MAX);
    struct span kty = json_text(json_object_get(json, "kty"));
    enum jose_kty type = JOSE_KTY_COUNT;
    enum status status = read_alg(json, fallback, &alg, err);
    if (status == OK && span_equal(kty, SPAN("RSA"))) {
        type = JOSE_RSA;
        status = read_rsa(json, arena, &key, err);
    } else if (status == OK && span_equal(kty, SPAN("EC"))) {
        type = JOSE_EC_P256;
        status = read_ec(json, arena, &key, err);
    } else if (status == OK && span_equal(kty, SPAN("OKP"))) {
        type = JOSE_OKP_ED25519;
        status = read_okp(json, arena, &key, err);
    } else if (status == OK) {
        status = fail(err, UNSUPPORTED, "the key's kty is not RSA, EC or OKP");
    }
    if (status != OK)
        return status;
    if (jose_algs[alg].kty != type) {
        EVP_PKEY_free(key);
        return fail(err, INVALID, "the key's alg does not fit its kty");
    }
    return jwk_wrap(key, alg, json_text(kid), ret_key, err);
}

enum status jwk_parse(struct span json, enum jose_alg fallback, struct jwk **ret_key,
                      struct err *err)
{
    AUTO(json) json_t *parsed = NULL;
    struct arena scratch AUTO(scratch);
    arena_init(&scratch, 65536);
    if (json.len > JWK_TEXT_LEN_MAX)
        return fail(err, INVALID, "the key is longer than %d bytes", JWK_TEXT_LEN_MAX);
    enum status status = json_parse(json, &json_limits_default, &parsed, err);
    return status == OK ? read_key(parsed, fallback, &scratch, ret_key, err) : status;
}

/* --- Sets --- */

enum { JWKS_KEYS_MAX = 64, JWKS_TEXT_LEN_MAX = 524288 };

struct jwks {
    size_t count;
    struct jwk *keys[JWKS_KEYS_MAX];
};

struct jwks *jwks_new(void)
{
    return calloc(1, sizeof(struct jwks));
}

void jwks_free(struct jwks *set)
{
    if (set == NULL)
        return;
    for (size_t i = 0; i < set->count; i++)
        jwk_free(set->keys[i]);
    free(set);
}

enum status jwks_add(struct jwks *set, struct jwk *take_key)
{
    enum status status = OK;
    if (set->count == JWKS_KEYS_MAX)
        status = NO_MEMORY;
    else if (jwks_find(set, jwk_kid(take_key)) != NULL)
        status = CONFLICT;
    if (status == OK)
        set->keys[set->count++] = take_key;
    else
        jwk_free(take_key);
    return status;
}

size_t jwks_count(const struct jwks *set)
{
    return set->count;
}

const struct jwk *jwks_at(const struct jwks *set, size_t index)
{
    return set->keys[index];
}

const struct jwk *jwks_find(const struct jwks *set, struct span kid)
{
    for (size_t i = 0; i < set->count; i++) {
        if (span_equal(jwk_kid(set->keys[i]), kid))
            return set->keys[i];
    }
    return NULL;
}

void jwks_write(const struct jwks *set, struct buf *out)
{
    buf_put(out, SPAN("{\"keys\":["));
    for (size_t i = 0; i < set->count; i++) {
        if (i > 0)
            buf_byte(out, ',');
        jwk_write(set->keys[i], out);
    }
    buf_put(out, SPAN("]}"));
}

/* RFC 7517 §5: keys that cannot be used are skipped, also when they are ill-formed. Without an alg
 * of its own a key has the first that fits its type. */
static void add_usable(struct jwks *set, const json_t *json)
{
    static const enum jose_alg fallbacks[] = {JOSE_RS256, JOSE_ES256, JOSE_EDDSA};
    struct arena scratch AUTO(scratch);
    arena_init(&scratch, 65536);
    struct jwk *key = NULL;
    for (size_t i = 0; i < ARRAY_LEN(fallbacks) && key == NULL; i++) {
        if (read_key(json, fallbacks[i], &scratch, &key, NULL) != OK)
            key = NULL;
    }
    if (key != NULL && jwks_add(set, key) != OK)
        return; /* a second key of one kid: the first stays */
}

enum status jwks_parse(struct span json, struct jwks **ret_set, struct err *err)
{
    AUTO(json) json_t *parsed = NULL;
    if (json.len > JWKS_TEXT_LEN_MAX)
        return fail(err, INVALID, "the key set is longer than %d bytes", JWKS_TEXT_LEN_MAX);
    enum status status = json_parse(json, &json_limits_default, &parsed, err);
    if (status != OK)
        return status;
    const json_t *keys = json_object_get(parsed, "keys");
    if (!json_is_array(keys))
        return fail(err, INVALID, "a key set must be an object with an array \"keys\"");
    struct jwks *set = jwks_new();
    if (set == NULL)
        return fail(err, NO_MEMORY, "no memory for a key set");
    for (size_t i = 0; i < json_array_size(keys); i++)
        add_usable(set, json_array_get(keys, i));
    *ret_set = set;
    return OK;
}
