/* SPDX-License-Identifier: Apache-2.0 */
/* Who asks: from the request's credential to a caller with the rights it has now. */
#pragma once

#include "authz/permission.h"
#include "web/exchange.h"

struct jwt_claims;
struct state_principal;

/* Is the record of this client or user one that the signer made the MAC of? It is asked once for
 * each state of the principal. CORRUPT: no. Blocks. */
enum status caller_check_record(struct exchange *x,
                                const struct state_principal *principal) MUST_USE;

/* Is the access token good now: RFC 9068 section 4, its client enabled and with the credential that
 * it was obtained with, not revoked? OK: the claims, and the client, which the caller of this
 * releases. UNAUTHENTICATED: x->err says which check failed; ret_claims->is_signed is set also
 * then. Blocks. */
enum status caller_check_token(struct exchange *x, struct span token, struct jwt_claims *ret_claims,
                               const struct state_principal **ret_client) MUST_USE;

/* Sets x->caller for x->route, or makes the reply (401, 403, 503). On the control socket the caller
 * is the host's administrator. Otherwise `Authorization: Bearer` must hold an access token of ours
 * for the built-in API or an API key, or x-api-key a key; roles are those of now, not the token's.
 * Blocks: for workers.
 *
 * False when a reply was made. 403 here is for what no object could change; a permission that a
 * role on one corpus may give is left to the handler. */
bool caller_authenticate(struct exchange *x);
