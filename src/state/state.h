/* SPDX-License-Identifier: Apache-2.0 */
/* What this node holds in memory: a bounded table of clients with their credentials, and how far it
 * has applied the store's change feed.
 *
 * Entries are immutable and counted: a reader keeps what it took while the table moves on. Any
 * thread. Order matters for revocation: the revision that a look-up answers was applied before the
 * entry was taken, so an entry is at least as new as its revision, and a token that carries it is
 * refused by any later revocation (decisions: revocation is by revision). */
#pragma once

#include "base/attr.h"
#include "base/span.h"
#include "base/status.h"
#include "model/app_client.h"

struct arena;
struct state;
struct store;

struct state_client {
    struct span id;
    struct span account_id;
    struct span client_id;
    bool is_enabled;
    api_role_set api_roles;
    const struct corpus_grant *corpus_grants; /* corpus_key is empty: a grant is bound to the id */
    size_t corpus_grant_count;
    size_t agent_grant_count;
    int64_t token_ttl_seconds_max; /* the account's; 0: none. The client's own is in the record */
    struct span record;            /* as encoded by signing/record.h, ready for the signer */
    struct span record_mac;
    const struct span *credential_ids;
    size_t credential_count;
};

/* bytes_max bounds the table; over it, entries that were not used lately make room. NULL without
 * memory. */
struct state *state_new(struct store *store, size_t bytes_max);
void state_free(struct state *state);

int64_t state_revision(struct state *state);

/* From memory only. NOT_FOUND: ask state_client_load(), where blocking is allowed. */
enum status state_client_find(struct state *state, struct span client_id,
                              const struct state_client **ret_client,
                              int64_t *ret_revision) MUST_USE;

/* From memory, else from the store, keeping it. NOT_FOUND: there is no such client. Blocks. */
enum status state_client_load(struct state *state, struct span client_id, struct arena *arena,
                              const struct state_client **ret_client, int64_t *ret_revision,
                              struct err *err) MUST_USE;

/* Gives an entry back; NULL is fine. */
void state_client_release(const struct state_client *client);

static inline void auto_state_client(const struct state_client **client)
{
    state_client_release(*client);
}

/* A committed change: forgets what is kept of it (with kinds "*" and "account": of everything),
 * then raises the revision. In the order of revisions: the store calls it under its writer's lock.
 */
void state_apply(struct state *state, int64_t revision, struct span kind, struct span id);

struct state_counts {
    size_t clients;
    size_t bytes;
};
struct state_counts state_count(struct state *state);
