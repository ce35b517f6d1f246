/* SPDX-License-Identifier: Apache-2.0 */
/* /control/account: the account, for the host's administrator (`postern account`). */
#pragma once

#include "web/exchange.h"

void api_account_create(struct exchange *x);
void api_account_list(struct exchange *x);
void api_account_get(struct exchange *x);
void api_account_update(struct exchange *x);
