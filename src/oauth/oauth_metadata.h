/* SPDX-License-Identifier: Apache-2.0 */
/* The public documents: authorization server metadata (RFC 8414) and the JWK set (RFC 7517 §5).
 * Made once, served as prepared bytes with a strong ETag, open to every origin. */
#pragma once

#include "web/exchange.h"

struct buf;
struct jwks;

void oauth_metadata(struct exchange *x);
void oauth_jwks(struct exchange *x);

/* GET /oauth2/authorize, which nobody can use: the answer says so, with 400. It is for client
 * libraries that refuse metadata without an authorization endpoint. */
void oauth_authorize(struct exchange *x);

struct oauth_metadata {
    struct span issuer;
    const struct jwks *keys;
    bool has_authorization_endpoint; /* names the one above too */
};

/* Writes the metadata document: only what exists. */
void oauth_metadata_write(const struct oauth_metadata *metadata, struct buf *out);

/* Writes the strong ETag, with its quotes, of a document. */
void oauth_etag_write(struct span document, struct buf *out);
