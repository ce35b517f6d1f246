/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP Basic, as client authentication reads it: base64, a colon, two form-encoded halves. What
 * base64 takes has one spelling. */
#include "base/arena.h"
#include "base/buf.h"
#include "codec/base64url.h"
#include "codec/form.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct span pair;
    struct span id;
    struct span decoded;
    struct buf again AUTO(buf);
    buf_init(&again, 1 << 20);
    arena_init(&arena, 1 << 20);
    if (size <= 1 << 16 && base64_decode(span_of(data, size), &arena, &pair) == OK) {
        base64_write(&again, pair);
        if (!span_equal(buf_span(&again), span_of(data, size)))
            abort();
        if (span_cut(&pair, ':', &id) && percent_decode(id, true, &arena, &decoded) == OK &&
            decoded.len > id.len)
            abort();
        if (percent_decode(pair, true, &arena, &decoded) == OK && decoded.len > pair.len)
            abort();
    }
    arena_done(&arena);
    return 0;
}
