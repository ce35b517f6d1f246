/* SPDX-License-Identifier: Apache-2.0 */
/* Private keys: making, loading, signing. Only the signer links this file (rule R1). */
#pragma once

#include "base/attr.h"
#include "base/span.h"
#include "base/status.h"
#include "jose/jose_alg.h"

struct buf;
struct jwk;
struct signing_key; /* not for several threads at once: jose_signer is each thread's own handle */

/* A new key: RSA of 2048 bits, P-256 or Ed25519 by alg. */
enum status signing_key_make(enum jose_alg alg, struct signing_key **ret_key,
                             struct err *err) MUST_USE;

/* PKCS #8 DER, as sealed in the store. */
enum status signing_key_load(enum jose_alg alg, struct span der, struct signing_key **ret_key,
                             struct err *err) MUST_USE;
void signing_key_dump(const struct signing_key *key, struct buf *out); /* PKCS #8 DER */
void signing_key_free(struct signing_key *key);

enum jose_alg signing_key_alg(const struct signing_key *key);
/* The public half, caller owns. */
enum status signing_key_public(const struct signing_key *key, struct jwk **ret_key,
                               struct err *err) MUST_USE;

/* A thread's handle on a key: contexts made once, used for many signatures. */
struct jose_signer;
enum status jose_signer_new(const struct signing_key *key, struct jose_signer **ret_signer,
                            struct err *err) MUST_USE;
void jose_signer_free(struct jose_signer *signer);

/* Appends to out the compact JWS of payload under the fixed header {"alg","typ","kid"} (kid is the
 * key's thumbprint). The signature is checked before it is handed out: always for RSA, one in 1,024
 * and the first for the others (a fault in an RSA-CRT signature gives the key away). CORRUPT when
 * that check fails: the caller must stop using the key. */
enum status jose_sign(struct jose_signer *signer, struct span typ, struct span payload,
                      struct buf *out, struct err *err) MUST_USE;
