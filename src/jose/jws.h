/* SPDX-License-Identifier: Apache-2.0 */
/* JWS compact serialisation, taking apart and verifying (RFC 7515 §5.2, RFC 8725, RFC 9068 §4).
 *
 * Splitting checks everything that needs no key: three parts, strict base64url, header a JSON
 * object without duplicates, alg known, no crit, sizes. jku, x5u, x5c and jwk in a header are
 * ignored. */
#pragma once

#include "base/attr.h"
#include "base/span.h"
#include "base/status.h"
#include "jose/jose_alg.h"

struct arena;
struct jwk;

enum { JWS_LEN_MAX = 16384, JWS_HEADER_LEN_MAX = 4096 };

struct jws {
    enum jose_alg alg;
    struct span kid;           /* empty when absent */
    struct span typ;           /* as written, "application/" cut off; empty when absent */
    struct span header;        /* decoded JSON text */
    struct span payload;       /* decoded bytes: nothing to trust before jws_verify() said OK */
    struct span signing_input; /* the first two parts with their dot, borrowed from the text */
    struct span signature;     /* decoded */
};

/* INVALID for anything that is not well-formed; UNSUPPORTED for an alg that we do not have (also
 * every spelling of none). Memory is the arena's; text is borrowed. */
enum status jws_split(struct span text, struct arena *arena, struct jws *ret_jws,
                      struct err *err) MUST_USE;

/* OK, or UNAUTHENTICATED: alg is not the key's one algorithm, the signature's length is wrong
 * (before any other work), or it does not verify. kid is the caller's to match. */
enum status jws_verify(const struct jws *jws, const struct jwk *key, struct err *err) MUST_USE;
