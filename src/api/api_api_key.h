/* SPDX-License-Identifier: Apache-2.0 */
/* API keys: /v2/api_keys (the contract's API Keys API). Everyone manages its own keys,
 * administrators and owners also those of others, where their rights are within the caller's. */
#pragma once

#include "web/exchange.h"

void api_api_key_create(struct exchange *x);
void api_api_key_list(struct exchange *x);
void api_api_key_get(struct exchange *x);
void api_api_key_update(struct exchange *x);
void api_api_key_delete(struct exchange *x);
void api_api_key_regenerate(struct exchange *x); /* beyond the contract: another text, same key */
