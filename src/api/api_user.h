/* SPDX-License-Identifier: Apache-2.0 */
/* Users: /v2/users (the contract's Users API). The path names a user by its username, raw or
 * percent-encoded. */
#pragma once

#include "web/exchange.h"

void api_user_create(struct exchange *x);
void api_user_list(struct exchange *x);
void api_user_get(struct exchange *x);
void api_user_update(struct exchange *x);
void api_user_delete(struct exchange *x);
