/* SPDX-License-Identifier: Apache-2.0 */
/* Bounded typed reads and writes, so that a binary message reads as its schema.
 *
 * Writing goes to a struct buf (sticky error there). Reading keeps its own first failure: after it
 * every read answers zero or an empty span, and wire_end() says whether all was well and all was
 * read. Integers are little-endian; byte strings are a u32 length and the bytes. Spans read are
 * borrowed from the message. */
#pragma once

#include "base/attr.h"
#include "base/buf.h"
#include "base/span.h"

struct wire_reader {
    struct span rest;
    bool has_failed;
};

static inline struct wire_reader wire_reader_of(struct span message)
{
    return (struct wire_reader){.rest = message};
}

uint8_t wire_read_u8(struct wire_reader *reader);
uint16_t wire_read_u16(struct wire_reader *reader);
uint32_t wire_read_u32(struct wire_reader *reader);
uint64_t wire_read_u64(struct wire_reader *reader);
int64_t wire_read_i64(struct wire_reader *reader);

/* At most limit bytes, else the reader fails. */
struct span wire_read_bytes(struct wire_reader *reader, size_t limit);

/* Exactly size bytes without a length before them. */
struct span wire_read_fixed(struct wire_reader *reader, size_t size);

/* True when nothing failed and nothing is left over. */
bool wire_end(const struct wire_reader *reader) MUST_USE;

void wire_write_u8(struct buf *buf, uint8_t value);
void wire_write_u16(struct buf *buf, uint16_t value);
void wire_write_u32(struct buf *buf, uint32_t value);
void wire_write_u64(struct buf *buf, uint64_t value);
void wire_write_i64(struct buf *buf, int64_t value);
void wire_write_bytes(struct buf *buf, struct span bytes);
