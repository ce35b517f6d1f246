/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and tokens of the RFCs, and tokens of any form, signed with the public example key of RFC
 * 8037: with a key that everyone has a test can sign what the product never would. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "codec/base64url.h"
#include "jose/jwk.h"
#include "unit.h"

#include <stdio.h>

#include <openssl/evp.h>

/* RFC 7638 §3.1, also the RSA key of RFC 7517 appendix A.1. */
#define RFC7638_N                                                                                  \
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_"      \
    "BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-"              \
    "65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-"   \
    "bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
#define RFC7638_THUMBPRINT "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"

/* RFC 7515 appendix A.2. */
#define RFC7515_A2_N                                                                               \
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4" \
    "d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-"                     \
    "bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-"                                                    \
    "UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG"                                         \
    "4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
#define RFC7515_A2_KEY "{\"kty\":\"RSA\",\"n\":\"" RFC7515_A2_N "\",\"e\":\"AQAB\"}"
#define RFC7515_PAYLOAD                                                                            \
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl" \
    "fQ"
#define RFC7515_A2_TOKEN                                                                           \
    "eyJhbGciOiJSUzI1NiJ9." RFC7515_PAYLOAD ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__"                      \
    "dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_"                                             \
    "lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_"                             \
    "nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--"                \
    "xi12jzDwusC-"                                                                                 \
    "eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0i" \
    "gcN_IoypGlUPQGe77Rw"

/* RFC 7515 appendix A.3. */
#define RFC7515_A3_X "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define RFC7515_A3_Y "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define RFC7515_A3_KEY                                                                             \
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" RFC7515_A3_X "\",\"y\":\"" RFC7515_A3_Y "\"}"
#define RFC7515_A3_INPUT "eyJhbGciOiJFUzI1NiJ9." RFC7515_PAYLOAD
#define RFC7515_A3_TOKEN                                                                           \
    RFC7515_A3_INPUT                                                                               \
    ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"

/* RFC 7515 appendix A.5 (alg none) and appendix E (alg none, and crit with an unknown member). */
#define RFC7515_A5_TOKEN "eyJhbGciOiJub25lIn0." RFC7515_PAYLOAD "."
#define RFC7515_E_TOKEN                                                                            \
    "eyJhbGciOiJub25lIiwNCiAiY3JpdCI6WyJodHRwOi8vZXhhbXBsZS5jb20vVU5ERUZJTkVEIl0sDQogImh0dHA6Ly9l" \
    "eGFtcGxlLmNvbS9VTkRFRklORUQiOnRydWUNCn0.RkFJTA."

/* RFC 8037 appendix A. */
#define RFC8037_X          "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
#define RFC8037_THUMBPRINT "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
#define RFC8037_KEY        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" RFC8037_X "\"}"
#define RFC8037_TOKEN                                                                              \
    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_"                            \
    "MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"

static inline struct jwk *key_of(const char *json, enum jose_alg fallback)
{
    struct jwk *key = NULL;
    struct err err = {0};
    enum status status = jwk_parse(span_cstr(json), fallback, &key, &err);
    if (status != OK)
        print_message("%s: %s\n", status_name(status), err.detail);
    assert_int_equal(status, OK);
    return key;
}

/* header "." payload, each encoded: what is signed. */
static inline struct span signing_input(struct span header, struct span payload,
                                        struct arena *arena)
{
    struct buf out;
    buf_init_arena(&out, arena, 1 << 17);
    base64url_write(&out, header);
    buf_byte(&out, '.');
    base64url_write(&out, payload);
    assert_true(buf_ok(&out));
    return buf_span(&out);
}

static inline struct span with_signature(struct span input, struct span signature,
                                         struct arena *arena)
{
    struct buf out;
    buf_init_arena(&out, arena, 1 << 17);
    buf_put(&out, input);
    buf_byte(&out, '.');
    base64url_write(&out, signature);
    assert_true(buf_ok(&out));
    return buf_span(&out);
}

/* Signed with the private key of RFC 8037 appendix A.1, whatever the header says. */
static inline struct span token_of(struct span header, struct span payload, struct arena *arena)
{
    static const unsigned char seed[32] = {0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60,
                                           0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
                                           0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19,
                                           0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60};
    unsigned char signature[64];
    size_t size = sizeof signature;
    struct span input = signing_input(header, payload, arena);
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof seed);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit(context, NULL, NULL, NULL, key), 1);
    assert_int_equal(
        EVP_DigestSign(context, signature, &size, (const unsigned char *)input.ptr, input.len), 1);
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return with_signature(input, span_of(signature, size), arena);
}
