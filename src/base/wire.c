/* SPDX-License-Identifier: Apache-2.0 */
#include "base/wire.h"

static uint64_t read_little_endian(struct wire_reader *reader, size_t size)
{
    struct span bytes = wire_read_fixed(reader, size);
    uint64_t value = 0;
    for (size_t i = bytes.len; i > 0; i--)
        value = value << 8 | (unsigned char)bytes.ptr[i - 1];
    return value;
}

struct span wire_read_fixed(struct wire_reader *reader, size_t size)
{
    if (reader->has_failed || reader->rest.len < size) {
        reader->has_failed = true;
        return (struct span){0};
    }
    struct span bytes = span_first(reader->rest, size);
    reader->rest = span_from(reader->rest, size);
    return bytes;
}

uint8_t wire_read_u8(struct wire_reader *reader)
{
    return (uint8_t)read_little_endian(reader, 1);
}

uint16_t wire_read_u16(struct wire_reader *reader)
{
    return (uint16_t)read_little_endian(reader, 2);
}

uint32_t wire_read_u32(struct wire_reader *reader)
{
    return (uint32_t)read_little_endian(reader, 4);
}

uint64_t wire_read_u64(struct wire_reader *reader)
{
    return read_little_endian(reader, 8);
}

int64_t wire_read_i64(struct wire_reader *reader)
{
    return (int64_t)read_little_endian(reader, 8);
}

struct span wire_read_bytes(struct wire_reader *reader, size_t limit)
{
    size_t size = wire_read_u32(reader);
    if (size > limit)
        reader->has_failed = true;
    return wire_read_fixed(reader, size);
}

bool wire_end(const struct wire_reader *reader)
{
    return !reader->has_failed && reader->rest.len == 0;
}

static void write_little_endian(struct buf *buf, uint64_t value, size_t size)
{
    char *room = buf_reserve(buf, size);
    if (room == NULL)
        return;
    for (size_t i = 0; i < size; i++)
        room[i] = (char)(value >> (8 * i));
}

void wire_write_u8(struct buf *buf, uint8_t value)
{
    write_little_endian(buf, value, 1);
}

void wire_write_u16(struct buf *buf, uint16_t value)
{
    write_little_endian(buf, value, 2);
}

void wire_write_u32(struct buf *buf, uint32_t value)
{
    write_little_endian(buf, value, 4);
}

void wire_write_u64(struct buf *buf, uint64_t value)
{
    write_little_endian(buf, value, 8);
}

void wire_write_i64(struct buf *buf, int64_t value)
{
    write_little_endian(buf, (uint64_t)value, 8);
}

void wire_write_bytes(struct buf *buf, struct span bytes)
{
    if (bytes.len > UINT32_MAX) {
        buf->has_failed = true;
        return;
    }
    wire_write_u32(buf, (uint32_t)bytes.len);
    buf_put(buf, bytes);
}
