/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_health.h"

#include "signing/signing.h"
#include "store/store.h"
#include "web/app.h"
#include "web/reply.h"

enum { SIGNER_TIMEOUT_MS = 1000 };

static void reply_state(struct exchange *x, int http_status, struct span store, struct span signer)
{
    struct json_writer writer = reply_json(x, http_status);
    reply_header(x, SPAN("Cache-Control"), SPAN("no-store"));
    if (http_status == 503)
        reply_header(x, SPAN("Retry-After"), SPAN("1"));
    json_object_open(&writer);
    if (store.len > 0)
        json_member_text(&writer, SPAN("store"), store);
    if (signer.len > 0)
        json_member_text(&writer, SPAN("signer"), signer);
    json_member_text(&writer, SPAN("status"),
                     http_status == 200 ? SPAN("ok") : SPAN("unavailable"));
    json_object_close(&writer);
}

void api_health_live(struct exchange *x)
{
    reply_state(x, 200, (struct span){0}, (struct span){0});
}

void api_health_ready(struct exchange *x)
{
    const struct signing_request ping = {.op = SIGNING_CLOCK};
    struct signing_reply reply;
    bool has_store = store_ping(x->app->store, NULL) == OK;
    bool has_signer =
        signing_call(x->lane, &ping, SIGNER_TIMEOUT_MS, &x->arena, &reply, NULL) == OK &&
        !reply.clock.is_held;
    reply_state(x, has_store && has_signer ? 200 : 503,
                has_store ? SPAN("ok") : SPAN("unavailable"),
                has_signer ? SPAN("ok") : SPAN("unavailable"));
}
