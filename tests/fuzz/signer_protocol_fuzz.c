/* SPDX-License-Identifier: Apache-2.0 */
/* What the signer reads from the front: frames cut off a stream, and requests read from them. A
 * request that was read is written again to the same bytes: the encoding has one spelling. */
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
        struct signing_request request;
        if (signing_frame_cut(&rest, &frame) != OK)
            return 0;
        assert(rest.len + SIGNING_MESSAGE_MAX >= before.len && rest.len < before.len);
        if (signing_request_read(&frame, &request) != OK)
            continue;
        struct buf again AUTO(buf);
        buf_init(&again, SIGNING_MESSAGE_MAX);
        signing_request_write(frame.id, &request, &again);
        assert(buf_ok(&again));
        assert(span_equal(buf_span(&again), span_first(before, before.len - rest.len)));
    }
}
