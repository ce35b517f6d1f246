/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/jwk.h"
#include "jose/jwt.h"

static enum status refuse(struct err *err, const char *why)
{
    return fail(err, UNAUTHENTICATED, "%s", why);
}

/* Times are compared without overflow: claims are below 2^53 or int64, now is the clock's. */
static enum status check_times(const struct jwt_claims *claims, const struct jwt_rules *rules,
                               struct err *err)
{
    if (claims->expires_at == 0 || claims->expires_at <= rules->now)
        return refuse(err, "The access token has expired");
    if (claims->not_before > rules->now + rules->leeway_seconds)
        return refuse(err, "The access token is not valid yet");
    if (claims->issued_at == 0 || claims->issued_at > rules->now + rules->leeway_seconds)
        return refuse(err, "The access token was issued in the future");
    return OK;
}

static enum status check_claims(const struct jwt_claims *claims, const struct jwt_rules *rules,
                                struct err *err)
{
    if (!span_equal(claims->issuer, rules->issuer))
        return refuse(err, "The access token is from another issuer");
    bool is_for_us = false;
    for (size_t i = 0; i < claims->audience_count; i++)
        is_for_us |= span_equal(claims->audiences[i], rules->audience);
    if (!is_for_us)
        return refuse(err, "The access token is for another audience");
    if (claims->subject.len == 0 || claims->client_id.len == 0 || claims->token_id.len == 0)
        return refuse(err, "The access token lacks a required claim");
    return check_times(claims, rules, err);
}

enum status jwt_access_token_check(struct span text, const struct jwks *keys,
                                   const struct jwt_rules *rules, struct arena *arena,
                                   struct jwt_claims *ret_claims, struct err *err)
{
    struct jws jws;
    struct jwt_claims claims;
    enum status status = jws_split(text, arena, &jws, NULL);
    if (status == NO_MEMORY)
        return fail(err, status, "no memory for a token");
    if (status != OK)
        return refuse(err, "The access token is malformed");
    if (!span_equal_nocase(jws.typ, SPAN("at+jwt")))
        return refuse(err, "The token is not an access token");
    const struct jwk *key = jws.kid.len == 0 ? NULL : jwks_find(keys, jws.kid);
    if (key == NULL)
        return refuse(err, "The access token is signed by an unknown key");
    if (jws_verify(&jws, key, NULL) != OK)
        return refuse(err, "The signature of the access token is not right");
    status = jwt_claims_parse(jws.payload, arena, &claims, NULL);
    if (status == NO_MEMORY)
        return fail(err, status, "no memory for a token");
    if (status != OK)
        return refuse(err, "The claims of the access token are malformed");
    status = check_claims(&claims, rules, err);
    if (status == OK)
        *ret_claims = claims;
    return status;
}
