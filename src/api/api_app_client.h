/* SPDX-License-Identifier: Apache-2.0 */
/* Application clients: /v2/app_clients (the contract's App Clients API). */
#pragma once

#include "web/exchange.h"

void api_app_client_create(struct exchange *x);
void api_app_client_list(struct exchange *x);
void api_app_client_get(struct exchange *x);
void api_app_client_update(struct exchange *x);
void api_app_client_delete(struct exchange *x);
