/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and key sets: what is read is written so that it reads as the same again. */
#include "base/buf.h"
#include "jose/jwk.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_key(const struct jwk *key)
{
    AUTO(buf) struct buf text;
    AUTO(buf) struct buf text_again;
    AUTO(jwk) struct jwk *again = NULL;
    char thumbprint[JWK_THUMBPRINT_LEN];
    char thumbprint_again[JWK_THUMBPRINT_LEN];
    buf_init(&text, JWK_TEXT_LEN_MAX);
    buf_init(&text_again, JWK_TEXT_LEN_MAX);
    jwk_write(key, &text);
    require(buf_ok(&text));
    require(jwk_kid(key).len > 0 && jwk_kid(key).len <= JWK_KID_LEN_MAX);
    enum jose_alg other = jwk_alg(key) == JOSE_RS256 ? JOSE_ES256 : JOSE_RS256;
    require(jwk_parse(buf_span(&text), other, &again, NULL) == OK);
    jwk_write(again, &text_again);
    require(span_equal(buf_span(&text), buf_span(&text_again)));
    require(jwk_alg(key) == jwk_alg(again));
    jwk_thumbprint(key, thumbprint);
    jwk_thumbprint(again, thumbprint_again);
    require(memcmp(thumbprint, thumbprint_again, sizeof thumbprint) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct span text = span_of(data, size);
    struct err err = {0};
    struct jwks *set = NULL;
    for (unsigned alg = 0; alg < JOSE_ALG_COUNT; alg++) {
        AUTO(jwk) struct jwk *key = NULL;
        enum status status = jwk_parse(text, (enum jose_alg)alg, &key, NULL);
        require((status == OK) == (key != NULL));
        require(status == OK || status == INVALID || status == UNSUPPORTED);
        if (status == OK)
            check_key(key);
    }
    enum status status = jwks_parse(text, &set, &err);
    require(status == err.status && (status == OK || status == INVALID));
    for (size_t i = 0; status == OK && i < jwks_count(set); i++) {
        check_key(jwks_at(set, i));
        require(jwks_find(set, jwk_kid(jwks_at(set, i))) == jwks_at(set, i));
    }
    jwks_free(set);
    return 0;
}
