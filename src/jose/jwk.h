/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys as JSON Web Keys (RFC 7517, RFC 7518 §6, RFC 8037 §2) and their thumbprints (RFC
 * 7638).
 *
 * RSA 2048 to 8192 bits with an odd exponent of 3 to 2^32; P-256 points on the curve, coordinates
 * of exactly 32 octets; Ed25519 keys of exactly 32 octets. kid is the SHA-256 thumbprint for keys
 * of ours. */
#pragma once

#include "base/attr.h"
#include "base/span.h"
#include "base/status.h"
#include "jose/jose_alg.h"

struct buf;
struct arena;

enum { JWK_THUMBPRINT_LEN = 43, JWK_KID_LEN_MAX = 128, JWK_TEXT_LEN_MAX = 8192 };

struct jwk; /* a public key with kid and the one algorithm it is used with; immutable, thread-safe
             */

/* Reads one public key of a JSON object text. Private members are ignored, never kept. alg comes
 * from the key, or is fallback when the key names none; the two must fit kty. INVALID with the
 * member that is wrong; UNSUPPORTED for a kty, crv or alg that we do not have. */
enum status jwk_parse(struct span json, enum jose_alg fallback, struct jwk **ret_key,
                      struct err *err) MUST_USE;
void jwk_free(struct jwk *key);

enum jose_alg jwk_alg(const struct jwk *key);
struct span jwk_kid(const struct jwk *key); /* the key's own, or its thumbprint */

/* Writes {"kty":…,…,"use":"sig","alg":…,"kid":…} with minimal integers. */
void jwk_write(const struct jwk *key, struct buf *out);

/* Writes the key as PEM, a SubjectPublicKeyInfo (RFC 7468 §13), for verifiers that read no JWK; it
 * does not say the algorithm. NO_MEMORY. */
enum status jwk_write_pem(const struct jwk *key, struct buf *out) MUST_USE;

/* RFC 7638 §3 SHA-256 thumbprint, base64url. */
void jwk_thumbprint(const struct jwk *key, char text[static JWK_THUMBPRINT_LEN]);

static inline void auto_jwk(struct jwk **key)
{
    jwk_free(*key);
}

/* A set (RFC 7517 §5): keys that we cannot use are skipped, as are all that share one kid; the rest
 * stays usable. */
struct jwks;

enum status jwks_parse(struct span json, struct jwks **ret_set, struct err *err) MUST_USE;
struct jwks *jwks_new(void); /* empty; NULL without memory */
/* Takes the key. NO_MEMORY: the key is freed. CONFLICT: its kid is there already; freed. */
enum status jwks_add(struct jwks *set, struct jwk *take_key) MUST_USE;
void jwks_free(struct jwks *set);
size_t jwks_count(const struct jwks *set);
const struct jwk *jwks_at(const struct jwks *set, size_t index);
const struct jwk *jwks_find(const struct jwks *set, struct span kid); /* NULL when absent */
void jwks_write(const struct jwks *set, struct buf *out);             /* {"keys":[…]} */
