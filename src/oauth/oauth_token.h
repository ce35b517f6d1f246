/* SPDX-License-Identifier: Apache-2.0 */
/* The token endpoint (RFC 6749 §3.2, §4.4): client_credentials. */
#pragma once

#include "web/exchange.h"

struct signing_reply;

/* Authenticates and issues in one round trip to the signer: errors that only an authenticated
 * client may learn (grant type, scope, target) are kept until the signer has said that the secret
 * is right. */
void oauth_token(struct exchange *x);
void oauth_token_resume(struct exchange *x, const struct signing_reply *reply);
