/* SPDX-License-Identifier: Apache-2.0 */
/* Client authentication (RFC 6749 §2.3): which client says it is, and what it presents. Exactly one
 * method: HTTP Basic or a secret in the body. The secret itself is checked by the signer. */
#pragma once

#include "oauth/oauth_params.h"

struct state_principal;

struct presented_client {
    struct span client_id;
    struct span secret;
    struct span credential_id; /* crd_…, from the secret's own text */
};

/* When there is none, more than one, or one that cannot be right, the reply is made and the answer
 * is not OK; the client_id is told also then, if there is one. */
enum status oauth_client_presented(struct exchange *x, const struct oauth_params *params,
                                   struct presented_client *ret_client) MUST_USE;

/* The whole of it, for endpoints that issue nothing: on a worker, with the signer asked. False: the
 * reply is made. The caller releases *ret_client. */
bool oauth_client_authenticate(struct exchange *x, const struct oauth_params *params,
                               const struct state_principal **ret_client) MUST_USE;
