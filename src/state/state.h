/* SPDX-License-Identifier: Apache-2.0 */
/* What this node holds in memory: a bounded table of principals (clients, API keys, users) and how
 * far it has applied the store's change feed.
 *
 * Entries are immutable and counted: a reader keeps what it took while the table moves on. Any
 * thread. Order matters for revocation: the revision that a look-up answers was applied before the
 * entry was taken, so an entry is at least as new as its revision, and a token that carries it is
 * refused by any later revocation (decisions: revocation is by revision). */
#pragma once

#include "base/attr.h"
#include "base/span.h"
#include "base/status.h"
#include "model/principal.h"

struct arena;
struct buf;
struct state;
struct store;

struct state_principal {
    enum principal_kind kind;
    struct span id;
    struct span account_id;
    struct span name;    /* what the table finds it by: as store_principal_find() */
    struct span user_id; /* personal API keys */
    bool is_enabled;     /* it, its account and, of API keys, its maker */
    api_role_set api_roles;
    const struct corpus_grant *corpus_grants; /* corpus_key is empty: a grant is bound to the id */
    size_t corpus_grant_count;
    size_t agent_grant_count;
    int64_t token_ttl_seconds_max; /* the account's; 0: none. The client's own is in the record */
    int64_t revoked_revision;      /* tokens with a lower rev are refused */
    int64_t expires_at;            /* API keys; 0: never */
    struct span record;            /* as encoded by signing/record.h, ready for the signer */
    struct span record_mac;
    const struct span *credential_ids;
    size_t credential_count;
};

enum { STATE_PROOF_BYTES = 32 };

/* What the signer said of this very entry, so that it is asked once: any change makes another
 * entry. Of an API key, proof is a digest of its text under a key of this process
 * (STATE_PROOF_BYTES); of clients and users, whose record alone is checked, NULL. */
bool state_principal_is_proven(const struct state_principal *principal, const unsigned char *proof);
void state_principal_prove(const struct state_principal *principal, const unsigned char *proof);

/* The record of a principal, as signing/record.h encodes it. NO_MEMORY. */
enum status state_record_write(const struct principal *principal, struct buf *out) MUST_USE;

/* bytes_max bounds the table; over it, entries that were not used lately make room. NULL without
 * memory. */
struct state *state_new(struct store *store, size_t bytes_max);
void state_free(struct state *state);

int64_t state_revision(struct state *state);

/* From memory only. NOT_FOUND: ask state_principal_load(), where blocking is allowed. name: OAuth's
 * client_id, the id of an API key's credential, a user's id. */
enum status state_principal_find(struct state *state, enum principal_kind kind, struct span name,
                                 const struct state_principal **ret_principal,
                                 int64_t *ret_revision) MUST_USE;

/* From memory, else from the store, keeping it. NOT_FOUND: there is none. Blocks. */
enum status state_principal_load(struct state *state, enum principal_kind kind, struct span name,
                                 struct arena *arena, const struct state_principal **ret_principal,
                                 int64_t *ret_revision, struct err *err) MUST_USE;

/* Gives an entry back; NULL is fine. */
void state_principal_release(const struct state_principal *principal);

static inline void auto_state_principal(const struct state_principal **principal)
{
    state_principal_release(*principal);
}

/* A committed change: forgets what is kept of it (with kinds "*" and "account": of everything),
 * then raises the revision. In the order of revisions: the store calls it under its writer's lock.
 */
void state_apply(struct state *state, int64_t revision, struct span kind, struct span id);

struct state_counts {
    size_t principals;
    size_t bytes;
};
struct state_counts state_count(struct state *state);
