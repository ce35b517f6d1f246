/* SPDX-License-Identifier: Apache-2.0 */
/* The public keys of the tokens for the host's operator (GET /control/keys): beside the JWK set,
 * what each is for, and PEM for verifiers that read no JWK. */
#pragma once

#include "web/exchange.h"

void api_keys_list(struct exchange *x);
