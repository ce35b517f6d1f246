/* SPDX-License-Identifier: Apache-2.0 */
/* Whose web pages may read our replies (Fetch Standard, CORS protocol), and whether a request came
 * from a web page that is not ours. */
#pragma once

#include "web/exchange.h"

struct route;

/* Is there an Origin that is none of this server's own, or, without one, a browser's word that the
 * request is cross-site (Fetch Metadata)? */
bool cors_is_foreign_page(const struct exchange *x);

/* Adds what x->route's row allows: nothing, every origin, this server's own, or those and the
 * configured ones. For every reply, errors too, or the page cannot read them. */
void cors_reply(struct exchange *x);

/* The same for a preflight (OPTIONS with Access-Control-Request-Method), asked of this row. */
void cors_preflight(struct exchange *x, const struct route *route, struct span methods);
