/* SPDX-License-Identifier: Apache-2.0 */
/* One-time codes: what an invited user, or one who lost access, is handed instead of a credential.
 * Whoever redeems one gets a personal API key of that user, and an invited user is enabled by it.
 */
#pragma once

#include "model/principal.h"
#include "web/exchange.h"

/* A new code's text and the hash that is kept of it. ptr is NULL without memory. */
struct made_code {
    struct span text;
    struct span hash;
};

enum { INVITATION_SECONDS = 7 * 86400, RESET_SECONDS = 86400 };

struct made_code api_one_time_code_make(struct exchange *x);

void api_user_reset_password(struct exchange *x);
void api_one_time_code_redeem(struct exchange *x);
