/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens: taken apart, claims read, and checked against the example keys of RFC 7515 and RFC 8037,
 * whose private halves everyone has: seeds are signed with them. The claims are also read from the
 * input itself, so that signatures are not in the way. */
#include "base/arena.h"
#include "base/buf.h"
#include "jose/jwk.h"
#include "jose/jwt.h"

#include <stdlib.h>

enum { ARENA_BYTES = 1 << 17, NOW = 1764037000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct span keys_text =
    SPAN_INIT("{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
              "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"},"
              "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"ec\","
              "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
              "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}");

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* RFC 6749 §5.2: what may stand in an error_description. */
static void check_detail(const struct err *err)
{
    for (const char *at = err->detail; *at != '\0'; at++)
        require(*at >= 0x20 && *at <= 0x7e && *at != '"' && *at != '\\');
}

static void check_claims(struct span payload, struct arena *arena)
{
    struct jwt_claims claims;
    struct jwt_claims again;
    struct err err = {0};
    AUTO(buf) struct buf out;
    buf_init(&out, 1 << 18);
    enum status status = jwt_claims_parse(payload, arena, &claims, &err);
    require(err.status == status);
    check_detail(&err);
    if (status != OK)
        return;
    require(claims.audience_count <= JWT_AUDIENCES_MAX && claims.role_count <= JWT_ROLES_MAX);
    jwt_claims_write(&claims, &out);
    require(buf_ok(&out));
    status = jwt_claims_parse(buf_span(&out), arena, &again, NULL);
    if (status != OK) /* escapes may make it longer than what is read */
        return;
    require(span_equal(again.issuer, claims.issuer) && span_equal(again.subject, claims.subject));
    require(again.expires_at == claims.expires_at && again.issued_at == claims.issued_at);
    require(again.audience_count == claims.audience_count);
    require(again.role_count == claims.role_count && again.has_roles == claims.has_roles);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct span text = span_of(data, size);
    const struct jwt_rules rules = {.issuer = SPAN("https://as.example"),
                                    .audience = SPAN("https://as.example/v2"),
                                    .now = NOW,
                                    .leeway_seconds = 30};
    struct arena arena;
    struct jws jws;
    struct jwt_claims claims;
    struct jwks *keys = NULL;
    struct err err = {0};
    arena_init(&arena, ARENA_BYTES);
    check_claims(text, &arena);
    if (jws_split(text, &arena, &jws, &err) == OK) {
        require(jws.kid.len <= JWK_KID_LEN_MAX && jws.header.len <= JWS_HEADER_LEN_MAX);
        require(jws.signature.len <= JOSE_SIGNATURE_BYTES_MAX);
        check_claims(jws.payload, &arena);
    }
    check_detail(&err);
    err = (struct err){0};
    require(jwks_parse(keys_text, &keys, NULL) == OK && jwks_count(keys) == 2);
    enum status status = jwt_access_token_check(text, keys, &rules, &arena, &claims, &err);
    require(err.status == status);
    require(status == OK || status == UNAUTHENTICATED || status == NO_MEMORY);
    check_detail(&err);
    if (status == OK)
        require(span_equal(claims.issuer, rules.issuer) && claims.expires_at > NOW - 30);
    jwks_free(keys);
    arena_done(&arena);
    return 0;
}
