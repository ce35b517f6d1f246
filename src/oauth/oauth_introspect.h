/* SPDX-License-Identifier: Apache-2.0 */
/* Token introspection (RFC 7662) and revocation (RFC 7009). Both authenticate the client as the
 * token endpoint does, and answer on a worker. */
#pragma once

#include "web/exchange.h"

/* For clients with the API role owner or administrator: says of an access token of their account
 * whether it is good now and, if so, what it is; {"active":false} of anything else. Its roles are
 * those that its client has now. */
void oauth_introspect(struct exchange *x);

/* A client revokes an access token of its own: refused everywhere on this node, and stored, before
 * the reply. What is no good token is none afterwards either: 200. */
void oauth_revoke(struct exchange *x);
