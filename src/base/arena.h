/* SPDX-License-Identifier: Apache-2.0 */
/* Capped memory for one unit of work: allocated piece by piece, released all at once.
 *
 * Over the cap, or when malloc fails, an allocation answers NULL and the arena stays usable;
 * callers turn that into NO_MEMORY. Memory is 16-byte aligned and not zeroed. Not for several
 * threads at once. arena_init allocates nothing. */
#pragma once

#include "base/span.h"
#include "base/attr.h"

struct arena_block;

struct arena {
    struct arena_block *blocks; /* newest first */
    size_t used_bytes;          /* sum of blocks, counted against the limit */
    size_t limit_bytes;
};

void arena_init(struct arena *arena, size_t limit_bytes);
void arena_done(struct arena *arena); /* wipes and frees every block; the arena can be used again */
static inline void auto_arena(struct arena *arena)
{
    arena_done(arena);
}

/* Like arena_done, but keeps the first block for the next unit of work. What was used is wiped. */
void arena_reset(struct arena *arena);

void *arena_alloc(struct arena *arena, size_t size) MUST_USE;
void *arena_zalloc(struct arena *arena, size_t count,
                   size_t size) MUST_USE; /* zeroed; checks count * size */

/* A copy of text with a NUL behind it (not counted in len). ptr is NULL when out of memory. */
struct span arena_copy(struct arena *arena, struct span text) MUST_USE;
char *arena_cstr(struct arena *arena, struct span text) MUST_USE;

/* Formats into the arena; ptr is NULL when out of memory. */
struct span arena_printf(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3) MUST_USE;
