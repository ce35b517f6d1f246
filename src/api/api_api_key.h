/* SPDX-License-Identifier: Apache-2.0 */
/* API keys: /v2/api_keys (the contract's API Keys API). Everyone manages its own keys,
 * administrators and owners also those of others, where their rights are within the caller's. */
#pragma once

#include "model/principal.h"
#include "web/exchange.h"

/* Makes the reply: the key, with its text when that is not empty. */
void api_api_key_reply(struct exchange *x, int http_status, const struct principal *key,
                       struct span secret);

void api_api_key_create(struct exchange *x);
void api_api_key_list(struct exchange *x);
void api_api_key_get(struct exchange *x);
void api_api_key_update(struct exchange *x);
void api_api_key_delete(struct exchange *x);
void api_api_key_regenerate(struct exchange *x); /* beyond the contract: another text, same key */
