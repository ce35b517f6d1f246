/* SPDX-License-Identifier: Apache-2.0 */
/* Who asks: from the request's credential to a caller with the rights it has now. */
#pragma once

#include "authz/permission.h"
#include "web/exchange.h"

/* Sets x->caller for x->route, or makes the reply (401, 403, 503). On the control socket the caller
 * is the host's administrator. Otherwise `Authorization: Bearer` must hold an access token of ours
 * for the built-in API; the client's roles are those of now, not the token's. Blocks: for workers.
 *
 * False when a reply was made. 403 here is for what no object could change; a permission that a
 * role on one corpus may give is left to the handler. */
bool caller_authenticate(struct exchange *x);
