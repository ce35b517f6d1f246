/* SPDX-License-Identifier: Apache-2.0 */
/* API keys: is this text one that is good now, and whose rights does it carry? */
#pragma once

#include "base/span.h"
#include "base/status.h"

struct exchange;
struct state_principal;

struct caller_key {
    bool is_genuine; /* also set on UNAUTHENTICATED: the text is right, and the key, its user or its
                      * account is off. Told to nobody */
    struct span credential_id;          /* crd_…, from the key's own text */
    const struct state_principal *key;  /* counted */
    const struct state_principal *user; /* of a personal key: whose rights it has; else NULL */
};

/* Has the text the form of an API key, of whatever base? */
bool caller_is_key(struct span text);

/* OK: *ret_key, for the caller to release. UNAUTHENTICATED: not one of ours, disabled, expired, or
 * its user, maker or account is. CORRUPT: a record does not match its authentication code. The
 * signer is asked once for each state of the key; wrong keys cost the same whatever is wrong with
 * them (T17). Blocks: for workers. */
enum status caller_check_key(struct exchange *x, struct span text,
                             struct caller_key *ret_key) MUST_USE;

void caller_key_release(struct caller_key *key);

static inline void auto_caller_key(struct caller_key *key)
{
    caller_key_release(key);
}
