/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/jwk.h"
#include "jose/jwt.h"

/* Every failure but NO_MEMORY is the bearer's (RFC 6750 §3.1 invalid_token). */
static enum status refuse(enum status status, const struct err *cause, struct err *err)
{
    return fail(err, status == NO_MEMORY ? NO_MEMORY : UNAUTHENTICATED, "%s", cause->detail);
}

/* RFC 9068 §2.2: all of these are required. */
static enum status check_presence(const struct jwt_claims *claims, struct err *err)
{
    const struct {
        const char *name;
        bool is_there;
    } required[] = {
        {"iss", claims->issuer.len > 0},          {"exp", claims->expires_at != 0},
        {"aud", claims->audience_count > 0},      {"sub", claims->subject.len > 0},
        {"client_id", claims->client_id.len > 0}, {"iat", claims->issued_at != 0},
        {"jti", claims->token_id.len > 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(required); i++) {
        if (!required[i].is_there)
            return fail(err, UNAUTHENTICATED, "The access token has no %s", required[i].name);
    }
    return OK;
}

static bool names_audience(const struct jwt_claims *claims, struct span audience)
{
    for (size_t i = 0; i < claims->audience_count; i++) {
        if (span_equal(claims->audiences[i], audience))
            return true;
    }
    return false;
}

/* RFC 7519 §4.1.4-§4.1.6. Only now and the leeway, which are ours, are added: no claim can make a
 * sum overflow. */
static enum status check_times(const struct jwt_claims *claims, const struct jwt_rules *rules,
                               struct err *err)
{
    const int64_t earliest = rules->now - rules->leeway_seconds;
    const int64_t latest = rules->now + rules->leeway_seconds;
    if (claims->expires_at <= earliest)
        return fail(err, UNAUTHENTICATED, "The access token has expired");
    if (claims->not_before > latest)
        return fail(err, UNAUTHENTICATED, "The access token is not valid yet (nbf)");
    if (claims->issued_at > latest && !rules->ignores_iat)
        return fail(err, UNAUTHENTICATED, "The access token was issued in the future (iat)");
    return OK;
}

static enum status check_claims(const struct jwt_claims *claims, const struct jwt_rules *rules,
                                struct err *err)
{
    enum status status = check_presence(claims, err);
    if (status != OK)
        return status;
    if (!span_equal(claims->issuer, rules->issuer))
        return fail(err, UNAUTHENTICATED, "The access token is from another issuer");
    if (!names_audience(claims, rules->audience))
        return fail(err, UNAUTHENTICATED, "The access token is for another audience");
    return check_times(claims, rules, err);
}

enum status jwt_access_token_check(struct span text, const struct jwks *keys,
                                   const struct jwt_rules *rules, struct arena *arena,
                                   struct jwt_claims *ret_claims, struct err *err)
{
    struct err cause = {0};
    struct jws jws;
    struct jwt_claims claims;
    *ret_claims = (struct jwt_claims){0};
    enum status status = jws_split(text, arena, &jws, &cause);
    if (status != OK)
        return refuse(status, &cause, err);
    /* RFC 9068 §4, RFC 8725 §3.11: other kinds of token are not access tokens. */
    if (!span_equal_nocase(jws.typ, SPAN("at+jwt")))
        return fail(err, UNAUTHENTICATED, "The token is not an access token (typ at+jwt)");
    if (jws.kid.len == 0)
        return fail(err, UNAUTHENTICATED, "The access token names no key (kid)");
    const struct jwk *key = jwks_find(keys, jws.kid);
    if (key == NULL)
        return fail(err, UNAUTHENTICATED, "The key of the access token is not known");
    status = jws_verify(&jws, key, err);
    if (status != OK)
        return status;
    ret_claims->is_signed = true;
    status = jwt_claims_parse(jws.payload, arena, &claims, &cause);
    if (status != OK)
        return refuse(status, &cause, err);
    status = check_claims(&claims, rules, err);
    if (status != OK)
        return status;
    *ret_claims = claims;
    ret_claims->is_signed = true;
    return status;
}
