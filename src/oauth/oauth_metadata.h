/* SPDX-License-Identifier: Apache-2.0 */
/* The public documents: authorization server metadata (RFC 8414) and the JWK set (RFC 7517 §5).
 * Made once, served as prepared bytes with a strong ETag, open to every origin. */
#pragma once

#include "web/exchange.h"

struct buf;

void oauth_metadata(struct exchange *x);
void oauth_jwks(struct exchange *x);

/* Writes the metadata document: only what exists. */
void oauth_metadata_write(struct span issuer, struct buf *out);

/* Writes the strong ETag, with its quotes, of a document. */
void oauth_etag_write(struct span document, struct buf *out);
