/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_clock.h"

#include "api/api_common.h"
#include "signing/signing.h"
#include "state/token_clock.h"
#include "web/app.h"
#include "web/reply.h"

enum { SIGNER_TIMEOUT_MS = 5000 };

void api_clock_accept(struct exchange *x)
{
    const struct audit_event audit = api_audit(x, AUDIT_CLOCK_ACCEPT, SPAN("clock"));
    const struct signing_request request = {.op = SIGNING_CLOCK, .clock = {.is_accepted = true}};
    struct signing_reply reply;
    enum status status = store_audit_add(x->app->store, &audit, &x->err);
    if (status == OK)
        status = signing_call(x->lane, &request, SIGNER_TIMEOUT_MS, &x->arena, &reply, &x->err);
    if (status == OK)
        status = store_meta_set(x->app->store, SPAN("clock_mark"), reply.clock.mark, &x->err);
    if (status != OK) {
        reply_error(x, status);
        return;
    }
    token_clock_accept(x->app->clock, reply.clock.now_us, x->token_now);
    struct json_writer writer = reply_json(x, 200);
    reply_header(x, SPAN("Cache-Control"), SPAN("no-store"));
    json_object_open(&writer);
    json_member_time(&writer, SPAN("now"), reply.clock.now_us / 1000000);
    json_object_close(&writer);
}
