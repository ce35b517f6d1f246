/* SPDX-License-Identifier: Apache-2.0 */
/* The limits of limit/, as they meet an exchange: who is refused gets 429 (RFC 6585 §4) or 503 with
 * Retry-After, in the shape of the path. The control socket is never limited, nor is anybody where
 * app->limits is NULL. */
#pragma once

#include "web/exchange.h"

/* Each of these: false: the reply is made. */

/* The rates of requests, configured ones only. */
bool guard_admits_request(struct exchange *x);
/* Before a credential is checked. client: the client_id that is named, or empty. */
bool guard_admits_check(struct exchange *x, struct span client);
/* After a credential was wrong: counts it. True: tell its sender so. */
bool guard_tells_failure(struct exchange *x, struct span client);
/* Before a token is made for a client that is known. */
bool guard_admits_token(struct exchange *x, struct span client);

/* A credential was right. */
void guard_passed(const struct exchange *x, struct span client);
void guard_token_made(const struct exchange *x, struct span client);
