/* SPDX-License-Identifier: Apache-2.0 */
/* The server's keys from the front's side: sealed private parts, which it stores and hands to the
 * signer but cannot open, and the public set it verifies tokens with. */
#pragma once

#include "base/arena.h"
#include "base/attr.h"
#include "base/status.h"

struct jwks;
struct server_key;
struct signing_lane;
struct store;

struct front_keys {
    struct arena arena; /* holds the keys, so that a new signer gets them while the store is down */
    struct server_key *keys;
    size_t count;
    struct span active_kid; /* the newest token key of the configured algorithm */
};

/* Reads the keys; makes those that are missing (pepper, record MAC key, a token key of alg) with
 * the signer and stores them. CORRUPT: they were made with another key-encryption key. */
enum status front_keys_open(struct front_keys *keys, struct store *store, struct signing_lane *lane,
                            struct span alg, int64_t now, struct err *err) MUST_USE;

/* Hands all keys to a signer that has none. */
enum status front_keys_load(const struct front_keys *keys, struct signing_lane *lane,
                            struct err *err) MUST_USE;

/* The public token keys, the one that signs first, then the newest first; caller owns. */
enum status front_keys_public(const struct front_keys *keys, struct jwks **ret_set,
                              struct err *err) MUST_USE;

void front_keys_close(struct front_keys *keys);
