/* SPDX-License-Identifier: Apache-2.0 */
/* Access tokens as JWTs (RFC 7519, RFC 9068): the claims that we issue and check. */
#pragma once

#include "base/attr.h"
#include "base/span.h"
#include "base/status.h"
#include "jose/jws.h"

struct arena;
struct buf;
struct jwks;

enum { JWT_AUDIENCES_MAX = 8, JWT_ROLES_MAX = 64 };

struct jwt_claims {
    struct span issuer;
    struct span subject;
    struct span client_id;
    struct span audiences[JWT_AUDIENCES_MAX]; /* aud: a string or an array of strings */
    size_t audience_count;
    int64_t issued_at;    /* iat, seconds; fractions are cut */
    int64_t expires_at;   /* exp */
    int64_t not_before;   /* nbf; 0 when absent */
    struct span token_id; /* jti */
    struct span roles[JWT_ROLES_MAX];
    size_t role_count;
    bool has_roles;            /* an empty array differs from none */
    struct span scope;         /* empty when absent */
    struct span account_id;    /* ours */
    struct span credential_id; /* ours */
    int64_t revision;          /* rev, ours; 0 when absent */
    bool is_signed;            /* set by jwt_access_token_check(): the signature was right */
};

/* Reads the payload of any JWT. Wrong types, duplicates, numbers that do not fit are INVALID;
 * absent claims stay empty or 0; unknown ones are ignored. */
enum status jwt_claims_parse(struct span payload, struct arena *arena,
                             struct jwt_claims *ret_claims, struct err *err) MUST_USE;

/* Writes the payload in a fixed order, leaving out what is empty. Used by the signer. */
void jwt_claims_write(const struct jwt_claims *claims, struct buf *out);

struct jwt_rules {
    struct span issuer;     /* must be equal, byte by byte */
    struct span audience;   /* must be among aud */
    int64_t now;            /* seconds */
    int64_t leeway_seconds; /* for exp and nbf, and an iat in the future */
    bool ignores_iat; /* the issuer's clock is ours and never goes back: iat proves nothing more */
};

/* All of RFC 9068 §4: split, typ at+jwt, key by kid (a token without kid is refused), signature,
 * iss, aud, exp, nbf, iat, and that sub, client_id and jti are there. Every failure is
 * UNAUTHENTICATED but for NO_MEMORY; err->detail says which check, in words fit for
 * error_description. ret_claims->is_signed is set also on failure; the rest is then empty. */
enum status jwt_access_token_check(struct span text, const struct jwks *keys,
                                   const struct jwt_rules *rules, struct arena *arena,
                                   struct jwt_claims *ret_claims, struct err *err) MUST_USE;
