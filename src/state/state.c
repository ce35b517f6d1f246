/* SPDX-License-Identifier: Apache-2.0 */
#include "state/state.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/random.h"
#include "crypto/digest.h"
#include "signing/record.h"
#include "store/store.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { SHARDS = 64, BUCKETS_FIRST = 64, RECENT_CHANGES = 1024, LOAD_TRIES = 8 };

struct entry {
    struct state_client client; /* first: a state_client is its entry */
    struct entry *next;         /* in its bucket; under the shard's lock */
    uint64_t hash;
    size_t bytes;
    atomic_uint references;
    atomic_bool was_used; /* since the last sweep */
    _Alignas(16) char data[];
};

struct shard {
    pthread_rwlock_t lock;
    struct entry **buckets;
    size_t bucket_count; /* a power of two */
    size_t count;
    size_t bytes;
    size_t sweep_at; /* bucket where the next search for room starts */
};

struct change {
    uint64_t hash;
    int64_t revision;
};

struct state {
    struct store *store;
    size_t shard_bytes_max;
    uint64_t hash_key[2]; /* random: callers choose client ids, not buckets */
    _Atomic int64_t revision;
    /* The latest changes, so that a record read before one of them is not kept after it. */
    pthread_mutex_t changes_lock;
    struct change changes[RECENT_CHANGES];
    size_t changes_next;
    int64_t changes_floor; /* changes up to this one are no longer told apart */
    struct shard shards[SHARDS];
};

/* A keyed mix of 8 bytes at a time (the multiply-fold of wyhash's family). Not a MAC: it only
 * spreads. */
static uint64_t hash_of(const struct state *state, struct span text)
{
    uint64_t hash = state->hash_key[0] ^ text.len;
    while (text.len > 0) {
        uint64_t word = 0;
        struct span part = span_first(text, sizeof word);
        memcpy(&word, part.ptr, part.len);
        __extension__ unsigned __int128 product =
            (unsigned __int128)(hash ^ word) * (state->hash_key[1] | 1);
        hash = (uint64_t)product ^ (uint64_t)(product >> 64);
        text = span_from(text, sizeof word);
    }
    return hash;
}

static struct shard *shard_of(struct state *state, uint64_t hash)
{
    return &state->shards[hash >> 58];
}
static_assert(SHARDS == 1 << (64 - 58), "a shard for each value of the upper bits");

struct state *state_new(struct store *store, size_t bytes_max)
{
    struct state *state = calloc(1, sizeof *state);
    if (state == NULL)
        return NULL;
    state->store = store;
    state->shard_bytes_max = bytes_max / SHARDS;
    random_bytes(state->hash_key, sizeof state->hash_key);
    int64_t revision = store == NULL ? 0 : store_revision(store);
    atomic_init(&state->revision, revision);
    state->changes_floor = revision;
    (void)pthread_mutex_init(&state->changes_lock, NULL);
    for (struct shard *shard = state->shards; shard < state->shards + SHARDS; shard++) {
        (void)pthread_rwlock_init(&shard->lock, NULL);
        shard->buckets = calloc(BUCKETS_FIRST, sizeof *shard->buckets);
        shard->bucket_count = shard->buckets == NULL ? 0 : BUCKETS_FIRST;
        if (shard->buckets == NULL) {
            state_free(state);
            return NULL;
        }
    }
    return state;
}

void state_client_release(const struct state_client *client)
{
    struct entry *entry = (struct entry *)(uintptr_t)client;
    if (entry != NULL &&
        atomic_fetch_sub_explicit(&entry->references, 1, memory_order_acq_rel) == 1)
        free(entry);
}

void state_free(struct state *state)
{
    if (state == NULL)
        return;
    for (struct shard *shard = state->shards; shard < state->shards + SHARDS; shard++) {
        for (size_t i = 0; i < shard->bucket_count; i++) {
            while (shard->buckets[i] != NULL) {
                struct entry *entry = shard->buckets[i];
                shard->buckets[i] = entry->next;
                state_client_release(&entry->client);
            }
        }
        free(shard->buckets);
        (void)pthread_rwlock_destroy(&shard->lock);
    }
    (void)pthread_mutex_destroy(&state->changes_lock);
    free(state);
}

int64_t state_revision(struct state *state)
{
    return atomic_load_explicit(&state->revision, memory_order_acquire);
}

static struct entry **bucket_of(struct shard *shard, uint64_t hash)
{
    return &shard->buckets[hash & (shard->bucket_count - 1)];
}

/* The link that points to the entry, or to the end of its bucket. */
static struct entry **find_link(struct shard *shard, uint64_t hash, struct span client_id)
{
    struct entry **link = bucket_of(shard, hash);
    while (*link != NULL &&
           ((*link)->hash != hash || !span_equal((*link)->client.client_id, client_id)))
        link = &(*link)->next;
    return link;
}

enum status state_client_find(struct state *state, struct span client_id,
                              const struct state_client **ret_client, int64_t *ret_revision)
{
    uint64_t hash = hash_of(state, client_id);
    struct shard *shard = shard_of(state, hash);
    /* Before the entry is taken: see the header. */
    int64_t revision = state_revision(state);
    (void)pthread_rwlock_rdlock(&shard->lock);
    struct entry *entry = *find_link(shard, hash, client_id);
    if (entry != NULL) {
        atomic_fetch_add_explicit(&entry->references, 1, memory_order_relaxed);
        atomic_store_explicit(&entry->was_used, true, memory_order_relaxed);
    }
    (void)pthread_rwlock_unlock(&shard->lock);
    if (entry == NULL)
        return NOT_FOUND;
    *ret_client = &entry->client;
    *ret_revision = revision;
    return OK;
}

static void unlink_entry(struct shard *shard, struct entry **link)
{
    struct entry *entry = *link;
    *link = entry->next;
    shard->count--;
    shard->bytes -= entry->bytes;
    state_client_release(&entry->client);
}

/* Makes room for bytes: entries not used since the last sweep go, two rounds at most. */
static void make_room(struct state *state, struct shard *shard, size_t bytes)
{
    size_t steps = 2 * shard->bucket_count;
    while (shard->bytes + bytes > state->shard_bytes_max && steps-- > 0) {
        struct entry **link = &shard->buckets[shard->sweep_at++ & (shard->bucket_count - 1)];
        while (*link != NULL) {
            if (atomic_exchange_explicit(&(*link)->was_used, false, memory_order_relaxed))
                link = &(*link)->next;
            else
                unlink_entry(shard, link);
        }
    }
}

static void grow_buckets(struct shard *shard)
{
    size_t wider_count = shard->bucket_count * 2;
    struct entry **wider = calloc(wider_count, sizeof(struct entry *));
    if (wider == NULL)
        return; /* longer chains are only slower */
    for (size_t i = 0; i < shard->bucket_count; i++) {
        while (shard->buckets[i] != NULL) {
            struct entry *entry = shard->buckets[i];
            shard->buckets[i] = entry->next;
            struct entry **home = &wider[entry->hash & (wider_count - 1)];
            entry->next = *home;
            *home = entry;
        }
    }
    free(shard->buckets);
    shard->buckets = wider;
    shard->bucket_count = wider_count;
}

/* Has a change of this id been applied after the snapshot, or can that no longer be told? */
static bool is_stale(struct state *state, uint64_t hash, int64_t snapshot)
{
    (void)pthread_mutex_lock(&state->changes_lock);
    bool stale = snapshot < state->changes_floor;
    for (size_t i = 0; i < RECENT_CHANGES && !stale; i++)
        stale = state->changes[i].hash == hash && state->changes[i].revision > snapshot;
    (void)pthread_mutex_unlock(&state->changes_lock);
    return stale;
}

static void remember_change(struct state *state, uint64_t hash, int64_t revision)
{
    (void)pthread_mutex_lock(&state->changes_lock);
    struct change *slot = &state->changes[state->changes_next++ % RECENT_CHANGES];
    if (slot->revision > state->changes_floor)
        state->changes_floor = slot->revision;
    *slot = (struct change){.hash = hash, .revision = revision};
    (void)pthread_mutex_unlock(&state->changes_lock);
}

/* Forgets every client; what was read before now is not kept any more. */
static void forget_all(struct state *state, int64_t revision)
{
    (void)pthread_mutex_lock(&state->changes_lock);
    state->changes_floor = revision;
    (void)pthread_mutex_unlock(&state->changes_lock);
    for (struct shard *shard = state->shards; shard < state->shards + SHARDS; shard++) {
        (void)pthread_rwlock_wrlock(&shard->lock);
        for (size_t i = 0; i < shard->bucket_count; i++) {
            while (shard->buckets[i] != NULL)
                unlink_entry(shard, &shard->buckets[i]);
        }
        (void)pthread_rwlock_unlock(&shard->lock);
    }
}

void state_apply(struct state *state, int64_t revision, struct span kind, struct span id)
{
    if (span_equal(kind, SPAN("*")) || span_equal(kind, SPAN("account")))
        forget_all(state, revision);
    if (span_equal(kind, SPAN("app_client"))) {
        uint64_t hash = hash_of(state, id);
        struct shard *shard = shard_of(state, hash);
        (void)pthread_rwlock_wrlock(&shard->lock);
        /* Under the shard's lock, so that a fill either sees this change or is swept away by it. */
        remember_change(state, hash, revision);
        struct entry **link = find_link(shard, hash, id);
        if (*link != NULL)
            unlink_entry(shard, link);
        (void)pthread_rwlock_unlock(&shard->lock);
    }
    assert(revision >= state_revision(state));
    atomic_store_explicit(&state->revision, revision, memory_order_release);
}

/* Copies text into the entry's data and moves on. */
static struct span place(char **at, struct span text)
{
    struct span placed = {*at, text.len};
    if (text.len > 0)
        memcpy(*at, text.ptr, text.len);
    *at += text.len;
    return placed;
}

static enum status encode_record(const struct app_client *client, struct buf *record,
                                 struct err *err)
{
    struct buf grants AUTO(buf);
    unsigned char digest[SHA256_BYTES];
    buf_init(&grants, 1 << 20);
    record_write_grants(client, &grants);
    sha256(buf_span(&grants), digest);
    record_write(client, digest, record);
    if (!buf_ok(&grants) || !buf_ok(record))
        return fail(err, NO_MEMORY, "no memory for a client's record");
    return OK;
}

static enum status entry_make(const struct app_client *client, uint64_t hash,
                              struct entry **ret_entry, struct err *err)
{
    struct buf record AUTO(buf);
    buf_init(&record, RECORD_LEN_MAX);
    enum status status = encode_record(client, &record, err);
    if (status != OK)
        return status;
    size_t text_bytes = client->id.len + client->account_id.len + client->client_id.len +
                        record.len + client->record_mac.len;
    for (size_t i = 0; i < client->corpus_grant_count; i++)
        text_bytes += client->corpus_grants[i].corpus_id.len;
    for (size_t i = 0; i < client->credential_count; i++)
        text_bytes += client->credentials[i].id.len;
    size_t grant_bytes = client->corpus_grant_count * sizeof(struct corpus_grant);
    size_t id_bytes = client->credential_count * sizeof(struct span);
    size_t bytes = sizeof(struct entry) + grant_bytes + id_bytes + text_bytes;
    struct entry *entry = malloc(bytes);
    if (entry == NULL)
        return fail(err, NO_MEMORY, "no memory for a client's entry");
    struct corpus_grant *grants = (struct corpus_grant *)(void *)entry->data;
    struct span *ids = (struct span *)(void *)(entry->data + grant_bytes);
    char *at = entry->data + grant_bytes + id_bytes;
    *entry = (struct entry){
        .client = {.id = place(&at, client->id),
                   .account_id = place(&at, client->account_id),
                   .client_id = place(&at, client->client_id),
                   .is_enabled = client->is_enabled,
                   .api_roles = client->api_roles,
                   .corpus_grants = grants,
                   .corpus_grant_count = client->corpus_grant_count,
                   .agent_grant_count = client->agent_grant_count,
                   .token_ttl_seconds_max = client->account_token_ttl_seconds,
                   .record = place(&at, buf_span(&record)),
                   .record_mac = place(&at, client->record_mac),
                   .credential_ids = ids,
                   .credential_count = client->credential_count},
        .hash = hash,
        .bytes = bytes,
    };
    for (size_t i = 0; i < client->corpus_grant_count; i++)
        grants[i] =
            (struct corpus_grant){.corpus_id = place(&at, client->corpus_grants[i].corpus_id),
                                  .role = client->corpus_grants[i].role};
    for (size_t i = 0; i < client->credential_count; i++)
        ids[i] = place(&at, client->credentials[i].id);
    atomic_init(&entry->references, 1);
    atomic_init(&entry->was_used, true);
    *ret_entry = entry;
    return OK;
}

/* Puts the entry into the table unless a change has overtaken it: false, and it must be read again.
 * What is larger than a shard's share is fresh and not kept. */
static bool keep_entry(struct state *state, struct entry *entry, int64_t snapshot)
{
    struct shard *shard = shard_of(state, entry->hash);
    (void)pthread_rwlock_wrlock(&shard->lock);
    bool is_fresh = !is_stale(state, entry->hash, snapshot);
    if (is_fresh && entry->bytes <= state->shard_bytes_max) {
        struct entry **link = find_link(shard, entry->hash, entry->client.client_id);
        if (*link != NULL)
            unlink_entry(shard, link);
        make_room(state, shard, entry->bytes);
        if (shard->count >= 2 * shard->bucket_count)
            grow_buckets(shard);
        atomic_fetch_add_explicit(&entry->references, 1, memory_order_relaxed);
        struct entry **home = bucket_of(shard, entry->hash);
        entry->next = *home;
        *home = entry;
        shard->count++;
        shard->bytes += entry->bytes;
    }
    (void)pthread_rwlock_unlock(&shard->lock);
    return is_fresh;
}

enum status state_client_load(struct state *state, struct span client_id, struct arena *arena,
                              const struct state_client **ret_client, int64_t *ret_revision,
                              struct err *err)
{
    if (state_client_find(state, client_id, ret_client, ret_revision) == OK)
        return OK;
    uint64_t hash = hash_of(state, client_id);
    for (int tries = 0; tries < LOAD_TRIES; tries++) {
        struct app_client client;
        struct entry *entry;
        int64_t snapshot;
        enum status status =
            store_app_client_find(state->store, client_id, arena, &client, &snapshot, err);
        if (status == OK)
            status = entry_make(&client, hash, &entry, err);
        if (status != OK)
            return status;
        if (keep_entry(state, entry, snapshot)) {
            *ret_client = &entry->client;
            *ret_revision = snapshot;
            return OK;
        }
        state_client_release(&entry->client);
    }
    return fail(err, UNAVAILABLE, "a client changed faster than it could be read");
}

struct state_counts state_count(struct state *state)
{
    struct state_counts counts = {0};
    for (struct shard *shard = state->shards; shard < state->shards + SHARDS; shard++) {
        (void)pthread_rwlock_rdlock(&shard->lock);
        counts.clients += shard->count;
        counts.bytes += shard->bytes;
        (void)pthread_rwlock_unlock(&shard->lock);
    }
    return counts;
}
