/* SPDX-License-Identifier: Apache-2.0 */
/* The access tokens that were revoked one by one, by jti, until they would have expired. In memory
 * of bounded size, for any thread; the store keeps them across restarts. */
#pragma once

#include "base/attr.h"
#include "base/span.h"
#include "base/status.h"

/* A jti of our signer has 22 characters. */
enum { REVOKED_TOKEN_ID_LEN_MAX = 24, REVOKED_TOKENS_MAX = 1 << 20 };

struct revoked_tokens;

struct revoked_tokens *revoked_tokens_new(void); /* NULL without memory */
void revoked_tokens_free(struct revoked_tokens *tokens);

/* Adding again is nothing. What has expired by now makes room. INVALID: no jti of ours. NO_MEMORY,
 * also when REVOKED_TOKENS_MAX are held. */
enum status revoked_tokens_add(struct revoked_tokens *tokens, struct span jti, int64_t expires_at,
                               int64_t now) MUST_USE;

bool revoked_tokens_has(struct revoked_tokens *tokens, struct span jti);

/* May one more be added? */
bool revoked_tokens_have_room(struct revoked_tokens *tokens, int64_t now);
