/* SPDX-License-Identifier: Apache-2.0 */
/* The signer's time, and its high-water mark: a time with a MAC, kept by the front. After a restart
 * no token is signed before that time comes again, so that a clock that was set back makes no
 * tokens with an earlier iat. Whoever has taken over the front could keep a mark back; it cannot
 * make one, and none sets the clock. */
#include "crypto/hmac.h"
#include "signer/signer_internal.h"

#include <stdatomic.h>

enum { TIME_BYTES = 8 };

static void write_mark(struct signer_worker *worker, int64_t at_us,
                       unsigned char mark[static SIGNER_MARK_BYTES])
{
    struct buf *input = &worker->input;
    for (size_t i = 0; i < TIME_BYTES; i++)
        mark[i] = (unsigned char)((uint64_t)at_us >> (8 * (TIME_BYTES - 1 - i)));
    buf_clear(input);
    buf_put(input, SPAN("postern clock 1\0"));
    buf_put(input, span_of(mark, TIME_BYTES));
    hmac_write(worker->ring.record_mac, buf_span(input), mark + TIME_BYTES);
}

static bool read_mark(struct signer_worker *worker, struct span mark, int64_t *ret_at_us)
{
    uint64_t at_us = 0;
    if (mark.len != SIGNER_MARK_BYTES)
        return false;
    for (size_t i = 0; i < TIME_BYTES; i++)
        at_us = at_us << 8 | (unsigned char)mark.ptr[i];
    write_mark(worker, (int64_t)at_us, worker->mark);
    *ret_at_us = (int64_t)at_us;
    return ct_equal(span_of(worker->mark, sizeof worker->mark), mark);
}

enum status signer_op_clock(struct signer_worker *worker, const struct signing_request *request,
                            const struct signer_time *time, struct signing_reply *reply,
                            struct err *err)
{
    _Atomic int64_t *held_until_us = &worker->signer->held_until_us;
    int64_t marked_us = 0;
    if (worker->ring.pepper == NULL || worker->ring.record_mac == NULL ||
        worker->ring.signer == NULL)
        return fail(err, UNAVAILABLE, "not all keys are loaded");
    if (request->clock.mark.len > 0 && !read_mark(worker, request->clock.mark, &marked_us))
        return fail(err, CORRUPT, "the clock's mark does not match its authentication code");
    if (request->clock.is_accepted)
        atomic_store(held_until_us, 0);
    else if (marked_us > atomic_load(held_until_us))
        atomic_store(held_until_us, marked_us);
    int64_t held = atomic_load(held_until_us);
    reply->clock.now_us = time->now_us;
    reply->clock.is_held = time->now_us < held;
    write_mark(worker, reply->clock.is_held ? held : time->now_us, worker->mark);
    reply->clock.mark = span_of(worker->mark, sizeof worker->mark);
    return OK;
}
