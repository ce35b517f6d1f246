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

enum { PROOF_NONE, PROOF_WRITING, PROOF_KEPT };

struct entry {
    struct state_principal principal; /* first: a state_principal is its entry */
    struct entry *next;               /* in its bucket; under the shard's lock */
    uint64_t hash;
    size_t bytes;
    atomic_uint references;
    atomic_bool was_used; /* since the last sweep */
    atomic_uchar proof_state;
    unsigned char *proof; /* API keys: in data */
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
    uint64_t hash_key[2]; /* random: callers choose ids, not buckets */
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

void state_principal_release(const struct state_principal *principal)
{
    struct entry *entry = (struct entry *)(uintptr_t)principal;
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
                state_principal_release(&entry->principal);
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
static struct entry **find_link(struct shard *shard, uint64_t hash, struct span name)
{
    struct entry **link = bucket_of(shard, hash);
    while (*link != NULL && ((*link)->hash != hash || !span_equal((*link)->principal.name, name)))
        link = &(*link)->next;
    return link;
}

/* Names of different kinds cannot meet: those of keys and users have an underscore. */
enum status state_principal_find(struct state *state, enum principal_kind kind, struct span name,
                                 const struct state_principal **ret_principal,
                                 int64_t *ret_revision)
{
    uint64_t hash = hash_of(state, name);
    struct shard *shard = shard_of(state, hash);
    /* Before the entry is taken: see the header. */
    int64_t revision = state_revision(state);
    (void)pthread_rwlock_rdlock(&shard->lock);
    struct entry *entry = *find_link(shard, hash, name);
    if (entry != NULL && entry->principal.kind != kind)
        entry = NULL;
    if (entry != NULL) {
        atomic_fetch_add_explicit(&entry->references, 1, memory_order_relaxed);
        atomic_store_explicit(&entry->was_used, true, memory_order_relaxed);
    }
    (void)pthread_rwlock_unlock(&shard->lock);
    if (entry == NULL)
        return NOT_FOUND;
    *ret_principal = &entry->principal;
    *ret_revision = revision;
    return OK;
}

static void unlink_entry(struct shard *shard, struct entry **link)
{
    struct entry *entry = *link;
    *link = entry->next;
    shard->count--;
    shard->bytes -= entry->bytes;
    state_principal_release(&entry->principal);
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

/* Forgets every principal; what was read before now is not kept any more. */
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
    size_t principal_kind;
    if (role_find(principal_kind_names, PRINCIPAL_KIND_COUNT, kind, &principal_kind)) {
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

enum status state_record_write(const struct principal *principal, struct buf *out)
{
    struct buf grants AUTO(buf);
    unsigned char digest[SHA256_BYTES];
    buf_init(&grants, 1 << 20);
    record_write_grants(principal, &grants);
    sha256(buf_span(&grants), digest);
    record_write(principal, digest, out);
    return buf_ok(&grants) && buf_ok(out) ? OK : NO_MEMORY;
}

static struct span name_of(const struct principal *principal)
{
    if (principal->kind == PRINCIPAL_APP_CLIENT)
        return principal->client_id;
    if (principal->kind == PRINCIPAL_API_KEY && principal->credential_count > 0)
        return principal->credentials[0].id;
    return principal->id;
}

/* What an entry keeps besides its struct: arrays, then texts. */
struct entry_sizes {
    size_t grants;
    size_t ids;
    size_t proof;
    size_t texts;
};

static struct entry_sizes sizes_of(const struct principal *principal, struct span record)
{
    struct entry_sizes sizes = {
        .grants = principal->corpus_grant_count * sizeof(struct corpus_grant),
        .ids = principal->credential_count * sizeof(struct span),
        .proof = principal->kind == PRINCIPAL_API_KEY ? STATE_PROOF_BYTES : 0,
        .texts = principal->id.len + principal->account_id.len + name_of(principal).len +
                 principal->user_id.len + record.len + principal->record_mac.len,
    };
    for (size_t i = 0; i < principal->corpus_grant_count; i++)
        sizes.texts += principal->corpus_grants[i].corpus_id.len;
    for (size_t i = 0; i < principal->credential_count; i++)
        sizes.texts += principal->credentials[i].id.len;
    return sizes;
}

static void fill_entry(struct entry *entry, const struct principal *principal, struct span record,
                       const struct entry_sizes *sizes)
{
    struct corpus_grant *grants = (struct corpus_grant *)(void *)entry->data;
    struct span *ids = (struct span *)(void *)(entry->data + sizes->grants);
    char *at = entry->data + sizes->grants + sizes->ids;
    entry->proof = (unsigned char *)at;
    at += sizes->proof;
    int64_t revoked = principal->revoked_revision;
    if (revoked < principal->account_revoked_revision)
        revoked = principal->account_revoked_revision;
    entry->principal = (struct state_principal){
        .kind = principal->kind,
        .id = place(&at, principal->id),
        .account_id = place(&at, principal->account_id),
        .name = place(&at, name_of(principal)),
        .user_id = place(&at, principal->user_id),
        .is_enabled =
            principal->is_enabled && principal->is_account_enabled && principal->is_maker_enabled,
        .api_roles = principal->api_roles,
        .corpus_grants = grants,
        .corpus_grant_count = principal->corpus_grant_count,
        .agent_grant_count = principal->agent_grant_count,
        .token_ttl_seconds_max = principal->account_token_ttl_seconds,
        .revoked_revision = revoked,
        .expires_at = principal->expires_at,
        .record = place(&at, record),
        .record_mac = place(&at, principal->record_mac),
        .credential_ids = ids,
        .credential_count = principal->credential_count,
    };
    for (size_t i = 0; i < principal->corpus_grant_count; i++)
        grants[i] =
            (struct corpus_grant){.corpus_id = place(&at, principal->corpus_grants[i].corpus_id),
                                  .role = principal->corpus_grants[i].role};
    for (size_t i = 0; i < principal->credential_count; i++)
        ids[i] = place(&at, principal->credentials[i].id);
}

static enum status entry_make(const struct principal *principal, uint64_t hash,
                              struct entry **ret_entry, struct err *err)
{
    struct buf record AUTO(buf);
    buf_init(&record, RECORD_LEN_MAX);
    if (state_record_write(principal, &record) != OK)
        return fail(err, NO_MEMORY, "no memory for a principal's record");
    struct entry_sizes sizes = sizes_of(principal, buf_span(&record));
    size_t bytes = sizeof(struct entry) + sizes.grants + sizes.ids + sizes.proof + sizes.texts;
    struct entry *entry = malloc(bytes);
    if (entry == NULL)
        return fail(err, NO_MEMORY, "no memory for a principal's entry");
    *entry = (struct entry){.hash = hash, .bytes = bytes};
    fill_entry(entry, principal, buf_span(&record), &sizes);
    atomic_init(&entry->references, 1);
    atomic_init(&entry->was_used, true);
    atomic_init(&entry->proof_state, PROOF_NONE);
    *ret_entry = entry;
    return OK;
}

static struct entry *entry_of(const struct state_principal *principal)
{
    return (struct entry *)(uintptr_t)principal;
}

bool state_principal_is_proven(const struct state_principal *principal, const unsigned char *proof)
{
    struct entry *entry = entry_of(principal);
    if (atomic_load_explicit(&entry->proof_state, memory_order_acquire) != PROOF_KEPT)
        return false;
    return principal->kind != PRINCIPAL_API_KEY ||
           ct_equal(span_of(entry->proof, STATE_PROOF_BYTES), span_of(proof, STATE_PROOF_BYTES));
}

void state_principal_prove(const struct state_principal *principal, const unsigned char *proof)
{
    struct entry *entry = entry_of(principal);
    unsigned char none = PROOF_NONE;
    /* Only one proof is right, so whoever comes first may write it. */
    if (!atomic_compare_exchange_strong(&entry->proof_state, &none, PROOF_WRITING))
        return;
    if (principal->kind == PRINCIPAL_API_KEY)
        memcpy(entry->proof, proof, STATE_PROOF_BYTES);
    atomic_store_explicit(&entry->proof_state, PROOF_KEPT, memory_order_release);
}

/* Puts the entry into the table unless a change has overtaken it: false, and it must be read again.
 * What is larger than a shard's share is fresh and not kept. */
static bool keep_entry(struct state *state, struct entry *entry, int64_t snapshot)
{
    struct shard *shard = shard_of(state, entry->hash);
    (void)pthread_rwlock_wrlock(&shard->lock);
    bool is_fresh = !is_stale(state, entry->hash, snapshot);
    if (is_fresh && entry->bytes <= state->shard_bytes_max) {
        struct entry **link = find_link(shard, entry->hash, entry->principal.name);
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

enum status state_principal_load(struct state *state, enum principal_kind kind, struct span name,
                                 struct arena *arena, const struct state_principal **ret_principal,
                                 int64_t *ret_revision, struct err *err)
{
    if (state_principal_find(state, kind, name, ret_principal, ret_revision) == OK)
        return OK;
    uint64_t hash = hash_of(state, name);
    for (int tries = 0; tries < LOAD_TRIES; tries++) {
        struct principal principal;
        struct entry *entry;
        int64_t snapshot;
        enum status status =
            store_principal_find(state->store, kind, name, arena, &principal, &snapshot, err);
        if (status == OK)
            status = entry_make(&principal, hash, &entry, err);
        if (status != OK)
            return status;
        if (keep_entry(state, entry, snapshot)) {
            *ret_principal = &entry->principal;
            *ret_revision = snapshot;
            return OK;
        }
        state_principal_release(&entry->principal);
    }
    return fail(err, UNAVAILABLE, "a principal changed faster than it could be read");
}

struct state_counts state_count(struct state *state)
{
    struct state_counts counts = {0};
    for (struct shard *shard = state->shards; shard < state->shards + SHARDS; shard++) {
        (void)pthread_rwlock_rdlock(&shard->lock);
        counts.principals += shard->count;
        counts.bytes += shard->bytes;
        (void)pthread_rwlock_unlock(&shard->lock);
    }
    return counts;
}
