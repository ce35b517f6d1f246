/* SPDX-License-Identifier: Apache-2.0 */
#include "state/use.h"

#include "store/store.h"

#include <stdlib.h>
#include <string.h>

enum { SLOTS = USE_TABLE_MAX * 2, ID_LEN_MAX = 24, ADDRESS_LEN_MAX = 46, SLOTS_FIRST = 256 };

struct use {
    char id[ID_LEN_MAX];
    char address[ADDRESS_LEN_MAX];
    unsigned char id_len; /* 0: a free slot */
    unsigned char address_len;
    int64_t first_at;
    int64_t last_at;
    int64_t page_at;
    int64_t count;
};

/* Open addressing, at most half full; grows with what is used, starts again after each flush. */
struct use_table {
    struct use *slots;
    size_t slot_count; /* a power of two */
    size_t count;
};

struct use_table *use_table_new(void)
{
    struct use_table *table = calloc(1, sizeof *table);
    if (table == NULL)
        return NULL;
    table->slots = calloc(SLOTS_FIRST, sizeof *table->slots);
    table->slot_count = SLOTS_FIRST;
    if (table->slots == NULL) {
        free(table);
        return NULL;
    }
    return table;
}

void use_table_free(struct use_table *table)
{
    if (table == NULL)
        return;
    free(table->slots);
    free(table);
}

/* Ids are our own random text: FNV-1a spreads them well enough and nobody can choose them. */
static size_t slot_of(struct span id, size_t slot_count)
{
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < id.len; i++)
        hash = (hash ^ (unsigned char)id.ptr[i]) * 1099511628211u;
    return (size_t)(hash ^ hash >> 32) & (slot_count - 1);
}

static struct use *find(struct use *slots, size_t slot_count, struct span id)
{
    size_t at = slot_of(id, slot_count);
    while (slots[at].id_len != 0 && !span_equal(span_of(slots[at].id, slots[at].id_len), id))
        at = (at + 1) & (slot_count - 1);
    return &slots[at];
}

static bool grow(struct use_table *table)
{
    if (table->slot_count == SLOTS)
        return false;
    size_t wider_count = table->slot_count * 2;
    struct use *wider = calloc(wider_count, sizeof *wider);
    if (wider == NULL)
        return false;
    for (size_t i = 0; i < table->slot_count; i++) {
        const struct use *use = &table->slots[i];
        if (use->id_len != 0)
            *find(wider, wider_count, span_of(use->id, use->id_len)) = *use;
    }
    free(table->slots);
    table->slots = wider;
    table->slot_count = wider_count;
    return true;
}

static struct use *add(struct use_table *table, struct span credential_id, struct span address,
                       int64_t now)
{
    if (credential_id.len == 0 || credential_id.len > ID_LEN_MAX)
        return NULL;
    struct use *use = find(table->slots, table->slot_count, credential_id);
    if (use->id_len == 0) {
        if (2 * (table->count + 1) > table->slot_count) {
            if (!grow(table))
                return NULL;
            use = find(table->slots, table->slot_count, credential_id);
        }
        memcpy(use->id, credential_id.ptr, credential_id.len);
        use->id_len = (unsigned char)credential_id.len;
        use->first_at = now;
        table->count++;
    }
    address = span_first(address, ADDRESS_LEN_MAX);
    if (address.len > 0)
        memcpy(use->address, address.ptr, address.len);
    use->address_len = (unsigned char)address.len;
    use->last_at = now;
    return use;
}

void use_table_add(struct use_table *table, struct span credential_id, struct span address,
                   int64_t now)
{
    struct use *use = add(table, credential_id, address, now);
    if (use != NULL)
        use->count++;
}

void use_table_add_page(struct use_table *table, struct span credential_id, struct span address,
                        int64_t now)
{
    struct use *use = add(table, credential_id, address, now);
    if (use != NULL)
        use->page_at = now;
}

size_t use_table_count(const struct use_table *table)
{
    return table->count;
}

struct credential_use *use_table_take(struct use_table *table, size_t *ret_count)
{
    struct use *fresh = table->count == 0 ? NULL : calloc(SLOTS_FIRST, sizeof *fresh);
    /* The batch and, behind it, the slots that its spans borrow. */
    size_t uses_bytes = table->count * sizeof(struct credential_use);
    size_t slots_bytes = table->slot_count * sizeof *table->slots;
    struct credential_use *uses = fresh == NULL ? NULL : malloc(uses_bytes + slots_bytes);
    if (uses == NULL) {
        free(fresh);
        return NULL;
    }
    struct use *slots = (struct use *)(void *)((char *)uses + uses_bytes);
    memcpy(slots, table->slots, slots_bytes);
    size_t count = 0;
    for (size_t i = 0; i < table->slot_count; i++) {
        if (slots[i].id_len != 0)
            uses[count++] = (struct credential_use){
                .credential_id = span_of(slots[i].id, slots[i].id_len),
                .first_at = slots[i].first_at,
                .last_at = slots[i].last_at,
                .count = slots[i].count,
                .page_at = slots[i].page_at,
                .last_address = span_of(slots[i].address, slots[i].address_len)};
    }
    free(table->slots);
    table->slots = fresh;
    table->slot_count = SLOTS_FIRST;
    table->count = 0;
    *ret_count = count;
    return uses;
}
