/* SPDX-License-Identifier: Apache-2.0 */
/* Times: what is read is a time of ours, and what is written of it reads back to the same. */
#include "base/buf.h"
#include "codec/rfc3339.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t seconds;
    int64_t again;
    char text[RFC3339_LEN + 1];
    struct buf out = {.data = text, .capacity = sizeof text, .limit = sizeof text};
    if (!rfc3339_read(span_of(data, size), &seconds))
        return 0;
    rfc3339_write(&out, seconds); /* fails for what an offset brings out of the years 0 to 9999 */
    if (buf_ok(&out) && (!rfc3339_read(buf_span(&out), &again) || again != seconds))
        abort();
    return 0;
}
