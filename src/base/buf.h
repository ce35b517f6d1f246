/* SPDX-License-Identifier: Apache-2.0 */
/* A growing byte buffer with a limit and a sticky error: write freely, check buf_ok() once at the
 * end.
 *
 * Two homes: the heap (buf_init; buf_done wipes and frees) or an arena (buf_init_arena; growing
 * leaves the old copy behind until the arena goes). After the first failure every write is ignored.
 */
#pragma once

#include "base/attr.h"
#include "base/span.h"

struct arena;

struct buf {
    char *data;
    size_t len;
    size_t capacity;
    size_t limit;
    struct arena *arena; /* NULL: heap */
    bool has_failed;
};

void buf_init(struct buf *buf, size_t limit_bytes);
void buf_init_arena(struct buf *buf, struct arena *arena, size_t limit_bytes);
void buf_done(struct buf *buf);  /* of an arena: only forgets */
void buf_clear(struct buf *buf); /* keeps the memory; forgets content and failure */

void buf_put(struct buf *buf, struct span bytes);
void buf_byte(struct buf *buf, char byte);
void buf_int64(struct buf *buf, int64_t value); /* decimal */
/* While it writes it needs room for one byte more than the text: the NUL of vsnprintf. */
void buf_printf(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);

/* Room for size more bytes, counted as written, for the caller to fill; NULL on failure. */
char *buf_reserve(struct buf *buf, size_t size) MUST_USE;

static inline bool buf_ok(const struct buf *buf)
{
    return !buf->has_failed;
}

static inline struct span buf_span(const struct buf *buf)
{
    return (struct span){buf->data, buf->len};
}

static inline void auto_buf(struct buf *buf)
{
    buf_done(buf);
}
