/* SPDX-License-Identifier: Apache-2.0 */
#include "server/front_clock.h"

#include "base/clock.h"
#include "log/log.h"
#include "signing/signing.h"
#include "store/store.h"

#include <string.h>

enum { SIGNER_TIMEOUT_MS = 1000, STORE_EVERY_MS = 60000, ARENA_BYTES_MAX = 4096 };

static const struct span mark_name = SPAN_INIT("clock_mark");

static void say(struct front_clock *clock, const struct signing_reply *reply, bool is_behind)
{
    if (reply->clock.is_held && !clock->is_held)
        log_error(
            "no tokens are signed: the clock is behind the time of earlier tokens. Set it, or "
            "say `postern clock accept` if it is right");
    if (!reply->clock.is_held && clock->is_held)
        log_info("tokens are signed again");
    if (is_behind && !clock->is_behind)
        log_warn("the signer's clock was set back: tokens expire by the time before");
    clock->is_held = reply->clock.is_held;
    clock->is_behind = is_behind;
}

static enum status ask(struct front_clock *clock, struct signing_lane *lane, struct span mark,
                       struct err *err)
{
    const struct signing_request request = {.op = SIGNING_CLOCK, .clock = {.mark = mark}};
    struct signing_reply reply;
    struct arena arena AUTO(arena);
    arena_init(&arena, ARENA_BYTES_MAX);
    enum status status = signing_call(lane, &request, SIGNER_TIMEOUT_MS, &arena, &reply, err);
    if (status != OK)
        return status;
    bool is_ahead = token_clock_follow(&clock->clock, reply.clock.now_us, clock_boot_ns() / 1000);
    if (reply.clock.mark.len <= sizeof clock->mark) {
        memcpy(clock->mark, reply.clock.mark.ptr, reply.clock.mark.len);
        clock->mark_len = reply.clock.mark.len;
    }
    say(clock, &reply, !is_ahead);
    return OK;
}

enum status front_clock_attach(struct front_clock *clock, struct signing_lane *lane,
                               struct err *err)
{
    return ask(clock, lane, span_of(clock->mark, clock->mark_len), err);
}

enum status front_clock_open(struct front_clock *clock, struct store *store,
                             struct signing_lane *lane, struct err *err)
{
    struct span mark = {0};
    struct arena arena AUTO(arena);
    arena_init(&arena, ARENA_BYTES_MAX);
    enum status status = store_meta_get(store, mark_name, &arena, &mark, err);
    if (status != OK && status != NOT_FOUND)
        return status;
    if (err != NULL)
        *err = (struct err){0};
    return ask(clock, lane, mark, err);
}

void front_clock_tick(struct front_clock *clock, struct store *store, struct signing_lane *lane)
{
    struct err err = {0};
    int64_t now_ms = clock_monotonic_ms();
    if (ask(clock, lane, (struct span){0}, &err) != OK || clock->is_held ||
        (clock->stored_at_ms != 0 && now_ms - clock->stored_at_ms < STORE_EVERY_MS))
        return;
    clock->stored_at_ms = now_ms;
    if (store_meta_set(store, mark_name, span_of(clock->mark, clock->mark_len), &err) != OK)
        log_warn("the clock's mark was not stored: %s", err.detail);
}
