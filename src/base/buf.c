/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 256 };

void buf_init(struct buf *buf, size_t limit_bytes)
{
    *buf = (struct buf){.limit = limit_bytes};
}

void buf_init_arena(struct buf *buf, struct arena *arena, size_t limit_bytes)
{
    *buf = (struct buf){.arena = arena, .limit = limit_bytes};
}

static void release(struct buf *buf)
{
    if (buf->arena != NULL || buf->data == NULL)
        return;
    explicit_bzero(buf->data, buf->capacity);
    free(buf->data);
}

void buf_done(struct buf *buf)
{
    release(buf);
    *buf = (struct buf){.limit = buf->limit, .arena = buf->arena};
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
    buf->has_failed = false;
}

static bool grow(struct buf *buf, size_t needed)
{
    size_t capacity = buf->capacity == 0 ? FIRST_CAPACITY : buf->capacity;
    while (capacity < needed)
        capacity = capacity > SIZE_MAX / 2 ? needed : capacity * 2;
    if (capacity > buf->limit)
        capacity = buf->limit;
    char *data = buf->arena != NULL ? arena_alloc(buf->arena, capacity) : malloc(capacity);
    if (data == NULL)
        return false;
    if (buf->data != NULL)
        memcpy(data, buf->data, buf->len);
    release(buf);
    buf->data = data;
    buf->capacity = capacity;
    return true;
}

char *buf_reserve(struct buf *buf, size_t size)
{
    if (buf->has_failed)
        return NULL;
    bool has_room = buf->data != NULL && size <= buf->capacity - buf->len;
    if (size > buf->limit - buf->len || (!has_room && !grow(buf, buf->len + size))) {
        buf->has_failed = true;
        return NULL;
    }
    char *room = buf->data + buf->len;
    buf->len += size;
    return room;
}

void buf_put(struct buf *buf, struct span bytes)
{
    if (bytes.len == 0)
        return;
    char *room = buf_reserve(buf, bytes.len);
    if (room != NULL)
        memcpy(room, bytes.ptr, bytes.len);
}

void buf_byte(struct buf *buf, char byte)
{
    char *room = buf_reserve(buf, 1);
    if (room != NULL)
        *room = byte;
}

void buf_int64(struct buf *buf, int64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value < 0)
        buf_byte(buf, '-');
    buf_put(buf, span_of(digits + at, sizeof digits - at));
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    /* vsnprintf wants room for its NUL, which is not content. */
    char *room = length < 0 ? NULL : buf_reserve(buf, (size_t)length + 1);
    if (room != NULL) {
        (void)vsnprintf(room, (size_t)length + 1, format, again);
        buf->len--;
    } else {
        buf->has_failed = true;
    }
    va_end(again);
}
