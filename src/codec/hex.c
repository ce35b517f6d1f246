/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/hex.h"

#include "base/buf.h"

void hex_write(struct buf *out, struct span bytes)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char byte = (unsigned char)bytes.ptr[i];
        buf_byte(out, digits[byte >> 4]);
        buf_byte(out, digits[byte & 15]);
    }
}
