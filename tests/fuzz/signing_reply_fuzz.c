/* SPDX-License-Identifier: Apache-2.0 */
/* What the front reads from the signer. */
#include "base/buf.h"
#include "signing/signing.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = span_of(data, size);
    struct signing_frame frame;
    for (;;) {
        struct span before = rest;
        struct signing_reply reply;
        if (signing_frame_cut(&rest, &frame) != OK)
            return 0;
        if (signing_reply_read(&frame, &reply) != OK)
            continue;
        struct buf again AUTO(buf);
        buf_init(&again, SIGNING_MESSAGE_MAX);
        signing_reply_write(frame.id, &reply, &again);
        assert(buf_ok(&again));
        assert(span_equal(buf_span(&again), span_first(before, before.len - rest.len)));
    }
}
