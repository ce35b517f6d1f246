/* SPDX-License-Identifier: Apache-2.0 */
#include "web/cors.h"

#include "config/config.h"
#include "web/app.h"
#include "web/reply.h"
#include "web/route.h"

static bool is_in_list(struct span list, struct span origin)
{
    bool is_found = false;
    for (bool goes_on = list.len > 0; goes_on;) {
        struct span one;
        goes_on = span_cut(&list, ',', &one);
        is_found |= span_equal(span_trim(one), origin);
    }
    return is_found;
}

/* "null", which sandboxed pages and local files send, is nobody's own. */
static bool is_own(const struct exchange *x, struct span origin)
{
    bool is_found = false;
    for (size_t i = 0; i < x->app->origin_count; i++)
        is_found |= span_equal(x->app->origins[i], origin);
    return is_found;
}

bool cors_is_foreign_page(const struct exchange *x)
{
    struct span origin;
    struct span site;
    enum status status = exchange_header(x, SPAN("origin"), &origin);
    if (status != NOT_FOUND)
        return status != OK || !is_own(x, origin);
    return exchange_header(x, SPAN("sec-fetch-site"), &site) == OK &&
           span_equal(site, SPAN("cross-site"));
}

/* Empty: this origin may not read the reply. */
static struct span allowed_origin(struct exchange *x, enum cors cors)
{
    struct span origin;
    if (cors == CORS_ANY_ORIGIN)
        return SPAN("*");
    if (cors == CORS_NONE || exchange_header(x, SPAN("origin"), &origin) != OK)
        return (struct span){0};
    bool is_allowed = is_own(x, origin) ||
                      (cors == CORS_CONFIGURED && is_in_list(x->app->config->cors_origins, origin));
    return is_allowed ? origin : (struct span){0};
}

static bool add_origin(struct exchange *x, enum cors cors)
{
    struct span origin = allowed_origin(x, cors);
    if (cors == CORS_OWN || cors == CORS_CONFIGURED) /* caches tell origins apart */
        reply_header(x, SPAN("Vary"), SPAN("Origin"));
    if (origin.len > 0)
        reply_header(x, SPAN("Access-Control-Allow-Origin"), origin);
    return origin.len > 0;
}

void cors_reply(struct exchange *x)
{
    if (x->route == NULL || x->route->cors == CORS_NONE)
        return;
    if (add_origin(x, x->route->cors) && x->route->cors != CORS_ANY_ORIGIN)
        reply_header(x, SPAN("Access-Control-Expose-Headers"),
                     SPAN("WWW-Authenticate, Retry-After, X-Request-Id"));
}

void cors_preflight(struct exchange *x, const struct route *route, struct span methods)
{
    if (!add_origin(x, route->cors))
        return;
    reply_header(x, SPAN("Access-Control-Allow-Methods"), methods);
    reply_header(x, SPAN("Access-Control-Allow-Headers"),
                 SPAN("Authorization, Content-Type, X-Api-Key, Idempotency-Key"));
    reply_header(x, SPAN("Access-Control-Max-Age"), SPAN("600"));
}
