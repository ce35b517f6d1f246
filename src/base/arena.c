/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 4096, ALIGNMENT = 16 };

struct arena_block {
    struct arena_block *next;
    size_t capacity;
    size_t used;
    _Alignas(ALIGNMENT) char data[];
};

void arena_init(struct arena *arena, size_t limit_bytes)
{
    *arena = (struct arena){.limit_bytes = limit_bytes};
}

/* Request memory holds secrets: what was handed out does not outlive the request. */
static void block_wipe(struct arena_block *block)
{
    explicit_bzero(block->data, block->used);
    block->used = 0;
}

static void free_blocks_after(struct arena *arena, struct arena_block *keep)
{
    struct arena_block *block = arena->blocks;
    while (block != keep) {
        struct arena_block *next = block->next;
        arena->used_bytes -= block->capacity;
        block_wipe(block);
        free(block);
        block = next;
    }
    arena->blocks = keep;
}

void arena_done(struct arena *arena)
{
    free_blocks_after(arena, NULL);
}

void arena_reset(struct arena *arena)
{
    struct arena_block *first = arena->blocks;
    while (first != NULL && first->next != NULL)
        first = first->next;
    free_blocks_after(arena, first);
    if (first != NULL)
        block_wipe(first);
}

static struct arena_block *block_new(struct arena *arena, size_t size)
{
    size_t capacity = size > BLOCK_BYTES ? size : BLOCK_BYTES;
    if (capacity > arena->limit_bytes - arena->used_bytes) {
        capacity = size; /* near the limit: just what is needed */
        if (capacity > arena->limit_bytes - arena->used_bytes)
            return NULL;
    }
    struct arena_block *block = malloc(sizeof *block + capacity);
    if (block == NULL)
        return NULL;
    *block = (struct arena_block){.next = arena->blocks, .capacity = capacity};
    arena->blocks = block;
    arena->used_bytes += capacity;
    return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    if (size > arena->limit_bytes)
        return NULL;
    size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    struct arena_block *block = arena->blocks;
    if (block == NULL || size > block->capacity - block->used) {
        block = block_new(arena, size);
        if (block == NULL)
            return NULL;
    }
    void *memory = block->data + block->used;
    block->used += size;
    return memory;
}

void *arena_zalloc(struct arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size)
        return NULL;
    void *memory = arena_alloc(arena, count * size);
    if (memory != NULL)
        memset(memory, 0, count * size);
    return memory;
}

char *arena_cstr(struct arena *arena, struct span text)
{
    if (text.len == SIZE_MAX)
        return NULL;
    char *copy = arena_alloc(arena, text.len + 1);
    if (copy == NULL)
        return NULL;
    if (text.len > 0)
        memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    return copy;
}

struct span arena_copy(struct arena *arena, struct span text)
{
    char *copy = arena_cstr(arena, text);
    return (struct span){copy, copy == NULL ? 0 : text.len};
}

struct span arena_printf(struct arena *arena, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    struct span text = {0};
    char *memory = length < 0 ? NULL : arena_alloc(arena, (size_t)length + 1);
    if (memory != NULL) {
        (void)vsnprintf(memory, (size_t)length + 1, format, again);
        text = span_of(memory, (size_t)length);
    }
    va_end(again);
    return text;
}
