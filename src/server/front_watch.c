/* SPDX-License-Identifier: Apache-2.0 */
#include "server/front_watch.h"

#include "base/clock.h"
#include "config/config.h"
#include "events/events.h"
#include "log/log.h"
#include "metrics/metrics.h"
#include "web/app.h"
#include "web/route.h"

#include <stdio.h>

enum { LINES_PER_SECOND_MAX = 5 };

static void count_reply(const struct app *app, const struct exchange *x, int64_t microseconds)
{
    struct metrics *metrics = app->metrics;
    size_t route = x->route == NULL ? app->route_count : (size_t)(x->route - app->routes);
    metric_add_at(metrics, METRIC_REQUESTS, route, (size_t)x->reply.status / 100 - 1, 1);
    if (x->reply.is_refusal) {
        char status[16];
        (void)snprintf(status, sizeof status, "%d", x->reply.status);
        metric_add_at(metrics, METRIC_EDGE_REFUSALS,
                      metric_label_at(METRIC_LABEL_REFUSAL, span_cstr(status)), 0, 1);
    }
    if (x->began_ns > 0)
        metric_observe(metrics, METRIC_REQUEST_SECONDS,
                       x->was_blocking ? METRIC_LANE_WORKER : METRIC_LANE_LOOP, microseconds);
}

static void tell_event(const struct app *app, const struct exchange *x)
{
    const struct token_event *token = x->event;
    bool is_issued = token->token_id.len > 0 && x->reply.status == 200;
    if (is_issued)
        metric_add_at(app->metrics, METRIC_TOKENS_ISSUED,
                      metric_label_at(METRIC_LABEL_ALG, app->config->token_alg), 0, 1);
    else
        metric_add_at(app->metrics, METRIC_TOKENS_REFUSED,
                      metric_label_at(METRIC_LABEL_ERROR, x->oauth_error), 0, 1);
    const struct event event = {
        .at = x->now,
        .is_issued = is_issued,
        .error = is_issued ? (struct span){0} : x->oauth_error,
        .token_id = is_issued ? token->token_id : (struct span){0},
        .credential_id = token->credential_id,
        .client_id = token->client_id,
        .app_client_id = token->app_client_id,
        .audience = token->audience,
        .address = x->peer.address,
        .request_id = span_of(x->request_id, REQUEST_ID_LEN),
    };
    events_put(app->events, &event);
}

void front_watch_tick(struct front_watch *watch, int64_t now)
{
    if (now == watch->second)
        return;
    if (watch->hidden > 0)
        log_warn("%u more refusals and failures of that second are not shown", watch->hidden);
    *watch = (struct front_watch){.second = now};
}

static bool may_show(struct front_watch *watch, int64_t now)
{
    front_watch_tick(watch, now);
    if (watch->shown == LINES_PER_SECOND_MAX) {
        watch->hidden++;
        return false;
    }
    watch->shown++;
    return true;
}

static struct span where_from(const struct exchange *x)
{
    return x->peer.is_control        ? SPAN("the control socket")
           : x->peer.address.len > 0 ? x->peer.address
                                     : SPAN("unknown address");
}

void front_watch_reply(struct front_watch *watch, const struct exchange *x)
{
    const struct app *app = x->app;
    int64_t microseconds = x->began_ns > 0 ? (clock_boot_ns() - x->began_ns) / 1000 : 0;
    struct span route = x->route == NULL ? SPAN("none") : x->route->name;
    struct span from = where_from(x);
    struct span id = span_of(x->request_id, REQUEST_ID_LEN);
    count_reply(app, x, microseconds);
    if (x->event != NULL)
        tell_event(app, x);
    if (x->reply.is_refusal && may_show(watch, x->now))
        log_request(LOG_LEVEL_WARN, id, "refused with %d at the edge, from %.*s", x->reply.status,
                    SPAN_FMT(from));
    else if (!x->reply.is_refusal && x->reply.status >= 500 && may_show(watch, x->now))
        log_request(LOG_LEVEL_WARN, id, "%.*s failed with %d: %s", SPAN_FMT(route), x->reply.status,
                    x->err.detail[0] == '\0' ? "unavailable" : x->err.detail);
    if (span_equal(app->config->log_requests, SPAN("true")))
        log_request(LOG_LEVEL_INFO, id, "%.*s %.*s %d %lld us from %.*s",
                    SPAN_FMT(http_method_name(x->method)), SPAN_FMT(route), x->reply.status,
                    (long long)microseconds, SPAN_FMT(from));
}
