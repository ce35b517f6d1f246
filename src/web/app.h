/* SPDX-License-Identifier: Apache-2.0 */
/* What handlers may reach: everything that lives as long as the process hangs from here. Built by
 * server/, read-only to everybody else. */
#pragma once

#include "base/span.h"

struct config;
struct documents;
struct events;
struct store;
struct state;
struct jwks;
struct limits;
struct metrics;
struct revoked_tokens;
struct route;
struct state_principal;
struct token_clock;

/* A library's or the database's version, for the operator. */
struct app_fact {
    struct span name;
    struct span value;
};

enum { APP_FACTS_MAX = 8 };

struct app {
    const struct config *config;
    struct store *store;
    struct documents *documents; /* NULL: switched off */
    struct state *state;
    struct revoked_tokens *revoked_tokens; /* NULL in unit tests: none */
    struct limits *limits;                 /* NULL: none */
    const struct route *routes;
    size_t route_count;
    const struct span *origins; /* web origins of this server's own pages */
    size_t origin_count;
    struct span issuer;     /* public URL without a slash at its end */
    struct span audience;   /* the built-in API's identifier: issuer/v2 */
    struct span account_id; /* the account that the control socket acts for */
    struct span cursor_key; /* authenticates page cursors */
    struct span proof_key;  /* of this process: digests of API keys that were right */
    struct span jwks_json;  /* prepared documents with their strong ETags, quoted */
    struct span jwks_etag;
    struct span metadata_json;
    struct span metadata_etag;
    struct events *events;   /* the event log; NULL: off */
    struct metrics *metrics; /* NULL in unit tests: nothing is counted */
    struct app_fact facts[APP_FACTS_MAX];
    size_t fact_count;
    struct token_clock *clock; /* the signer's, followed */
    const struct jwks *keys;   /* public token keys, the one that signs first, also retired ones */
    const struct state_principal
        *decoy_client; /* stands in for unknown clients: the same work, never right */
};
