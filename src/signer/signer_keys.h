/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of the process, and each lane's own copy of them.
 *
 * The set is locked and changes rarely; its generation goes up with each change. A lane works with
 * a ring: copies that only it uses, made anew when the generation is another, so that the way of a
 * token takes no lock and no OpenSSL object is shared between threads. Of the token keys only the
 * one that signs is kept: the others are needed to verify, which the front does with their public
 * halves. */
#pragma once

#include "base/attr.h"
#include "base/span.h"
#include "base/status.h"
#include "jose/jose_alg.h"
#include "signing/signing.h"

enum { SIGNER_SECRET_BYTES = 32 }; /* pepper and record MAC key */

struct signer_keys;
struct hmac;
struct jose_signer;
struct signing_key;

/* kek has SEAL_KEY_BYTES bytes and is copied. NULL without memory. */
struct signer_keys *signer_keys_new(struct span kek);
void signer_keys_free(struct signer_keys *keys);

struct span signer_keys_kek(const struct signer_keys *keys);

struct signer_key {
    enum signing_key_kind kind;
    enum jose_alg alg;
    struct span material; /* PKCS #8 DER, or SIGNER_SECRET_BYTES */
    bool is_active;
};

/* Takes a key into use (material is copied). CORRUPT: the material is not such a key. A token key
 * that is not active is checked and forgotten. */
enum status signer_keys_load(struct signer_keys *keys, const struct signer_key *key,
                             struct err *err) MUST_USE;

struct signer_ring {
    uint64_t generation;     /* 0: empty */
    struct hmac *pepper;     /* NULL: not loaded yet */
    struct hmac *record_mac; /* likewise */
    struct signing_key *key;
    struct jose_signer *signer; /* NULL: no token key yet */
};

/* Brings the ring up to date; cheap when nothing changed. */
enum status signer_ring_refresh(struct signer_ring *ring, struct signer_keys *keys,
                                struct err *err) MUST_USE;
void signer_ring_done(struct signer_ring *ring);
