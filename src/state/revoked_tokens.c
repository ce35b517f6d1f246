/* SPDX-License-Identifier: Apache-2.0 */
#include "state/revoked_tokens.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS_FIRST = 1 << 6 };

struct slot {
    char jti[REVOKED_TOKEN_ID_LEN_MAX]; /* filled up with NUL */
    int64_t expires_at;                 /* 0: empty */
};

struct revoked_tokens {
    pthread_rwlock_t lock;
    struct slot *slots; /* open addressing; at most half of them are taken */
    size_t slot_count;  /* a power of two */
    size_t count;
};

struct revoked_tokens *revoked_tokens_new(void)
{
    struct revoked_tokens *tokens = calloc(1, sizeof *tokens);
    if (tokens == NULL)
        return NULL;
    tokens->slots = calloc(SLOTS_FIRST, sizeof *tokens->slots);
    tokens->slot_count = SLOTS_FIRST;
    if (tokens->slots == NULL || pthread_rwlock_init(&tokens->lock, NULL) != 0) {
        free(tokens->slots);
        free(tokens);
        return NULL;
    }
    return tokens;
}

void revoked_tokens_free(struct revoked_tokens *tokens)
{
    if (tokens == NULL)
        return;
    (void)pthread_rwlock_destroy(&tokens->lock);
    free(tokens->slots);
    free(tokens);
}

/* The slot of the jti, or the empty one where it belongs. A jti is our signer's, and random: nobody
 * chooses slots. Multiplicative hashing (Knuth, TAOCP 3, section 6.4). */
static struct slot *find(struct slot *slots, size_t slot_count, const char *jti)
{
    uint64_t words[REVOKED_TOKEN_ID_LEN_MAX / sizeof(uint64_t)];
    uint64_t hash = 0;
    memcpy(words, jti, sizeof words);
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        hash = (hash ^ words[i]) * UINT64_C(0x9e3779b97f4a7c15);
    size_t at = (size_t)(hash >> 32) & (slot_count - 1);
    while (slots[at].expires_at != 0 && memcmp(slots[at].jti, jti, sizeof slots[at].jti) != 0)
        at = (at + 1) & (slot_count - 1);
    return &slots[at];
}

/* Into a table of that size, without what has expired. Under the lock. */
static bool rebuild(struct revoked_tokens *tokens, size_t slot_count, int64_t now)
{
    struct slot *slots = calloc(slot_count, sizeof *slots);
    size_t count = 0;
    if (slots == NULL)
        return false;
    for (size_t i = 0; i < tokens->slot_count; i++) {
        if (tokens->slots[i].expires_at > now) {
            *find(slots, slot_count, tokens->slots[i].jti) = tokens->slots[i];
            count++;
        }
    }
    free(tokens->slots);
    tokens->slots = slots;
    tokens->slot_count = slot_count;
    tokens->count = count;
    return true;
}

/* First by what has expired, then by a larger table. Under the lock. */
static bool make_room(struct revoked_tokens *tokens, int64_t now)
{
    if (tokens->count < tokens->slot_count / 2)
        return true;
    if (!rebuild(tokens, tokens->slot_count, now))
        return false;
    if (tokens->count < tokens->slot_count / 4)
        return true;
    return tokens->count < REVOKED_TOKENS_MAX && rebuild(tokens, tokens->slot_count * 2, now);
}

static bool write_key(struct span jti, char key[static REVOKED_TOKEN_ID_LEN_MAX])
{
    memset(key, 0, REVOKED_TOKEN_ID_LEN_MAX);
    if (jti.len < sizeof(uint64_t) || jti.len > REVOKED_TOKEN_ID_LEN_MAX)
        return false;
    memcpy(key, jti.ptr, jti.len);
    return true;
}

enum status revoked_tokens_add(struct revoked_tokens *tokens, struct span jti, int64_t expires_at,
                               int64_t now)
{
    char key[REVOKED_TOKEN_ID_LEN_MAX];
    if (!write_key(jti, key))
        return INVALID;
    if (expires_at <= now)
        return OK;
    (void)pthread_rwlock_wrlock(&tokens->lock);
    bool is_added = find(tokens->slots, tokens->slot_count, key)->expires_at != 0;
    if (!is_added && make_room(tokens, now)) {
        struct slot *slot = find(tokens->slots, tokens->slot_count, key);
        memcpy(slot->jti, key, sizeof slot->jti);
        slot->expires_at = expires_at;
        tokens->count++;
        is_added = true;
    }
    (void)pthread_rwlock_unlock(&tokens->lock);
    return is_added ? OK : NO_MEMORY;
}

bool revoked_tokens_has(struct revoked_tokens *tokens, struct span jti)
{
    char key[REVOKED_TOKEN_ID_LEN_MAX];
    if (!write_key(jti, key))
        return false;
    (void)pthread_rwlock_rdlock(&tokens->lock);
    bool is_there = find(tokens->slots, tokens->slot_count, key)->expires_at != 0;
    (void)pthread_rwlock_unlock(&tokens->lock);
    return is_there;
}

bool revoked_tokens_have_room(struct revoked_tokens *tokens, int64_t now)
{
    (void)pthread_rwlock_wrlock(&tokens->lock);
    bool has_room = make_room(tokens, now);
    (void)pthread_rwlock_unlock(&tokens->lock);
    return has_room;
}
