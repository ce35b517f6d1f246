/* SPDX-License-Identifier: Apache-2.0 */
#include "limit/limit_table.h"

#include <pthread.h>
#include <stdalign.h>
#include <stdlib.h>

enum { SHARDS = 64, WAYS = 8, LINE_BYTES = 64 };

struct cell {
    uint64_t key;
    int64_t full_at_ns; /* 0: free */
};

/* A key has one set, of WAYS cells, where it may stand. */
struct set {
    struct cell cells[WAYS];
};

struct shard {
    alignas(LINE_BYTES) pthread_mutex_t lock;
    struct set *sets;
};

struct limit_table {
    struct shard shards[SHARDS];
    struct set *sets;
    size_t sets_per_shard; /* a power of two */
};

struct limit_budget limit_budget_of(int64_t count, int64_t period_ns)
{
    return count == 0 ? (struct limit_budget){0}
                      : (struct limit_budget){.interval_ns = period_ns / count, .burst = count};
}

struct limit_table *limit_table_new(size_t cells)
{
    struct limit_table *table = aligned_alloc(LINE_BYTES, sizeof *table);
    if (table == NULL)
        return NULL;
    table->sets_per_shard = 1;
    while (table->sets_per_shard * SHARDS * WAYS < cells)
        table->sets_per_shard *= 2;
    table->sets = calloc(table->sets_per_shard * SHARDS, sizeof *table->sets);
    if (table->sets == NULL) {
        free(table);
        return NULL;
    }
    for (size_t i = 0; i < SHARDS; i++) {
        (void)pthread_mutex_init(&table->shards[i].lock, NULL);
        table->shards[i].sets = table->sets + i * table->sets_per_shard;
    }
    return table;
}

void limit_table_free(struct limit_table *table)
{
    if (table == NULL)
        return;
    for (size_t i = 0; i < SHARDS; i++)
        (void)pthread_mutex_destroy(&table->shards[i].lock);
    free(table->sets);
    free(table);
}

static struct shard *lock_shard(struct limit_table *table, uint64_t key)
{
    struct shard *shard = &table->shards[key % SHARDS];
    (void)pthread_mutex_lock(&shard->lock);
    return shard;
}

static void unlock_shard(struct shard *shard)
{
    (void)pthread_mutex_unlock(&shard->lock);
}

static struct set *set_of(const struct limit_table *table, const struct shard *shard, uint64_t key)
{
    return &shard->sets[key / SHARDS & (table->sets_per_shard - 1)];
}

static struct cell *find(struct set *set, uint64_t key)
{
    for (size_t i = 0; i < WAYS; i++) {
        if (set->cells[i].key == key && set->cells[i].full_at_ns != 0)
            return &set->cells[i];
    }
    return NULL;
}

/* The key's cell; a free one, or the one that is full soonest, becomes it. */
static struct cell *claim(struct set *set, uint64_t key)
{
    struct cell *cell = find(set, key);
    if (cell != NULL)
        return cell;
    cell = &set->cells[0];
    for (size_t i = 1; i < WAYS; i++) {
        if (set->cells[i].full_at_ns < cell->full_at_ns)
            cell = &set->cells[i];
    }
    *cell = (struct cell){.key = key};
    return cell;
}

static int64_t wait_ns(const struct cell *cell, struct limit_budget budget, int64_t now_ns)
{
    if (cell == NULL || cell->full_at_ns <= now_ns)
        return 0;
    int64_t wait = cell->full_at_ns - now_ns - (budget.burst - 1) * budget.interval_ns;
    return wait > 0 ? wait : 0;
}

static void count_one(struct cell *cell, struct limit_budget budget, int64_t now_ns)
{
    const int64_t empty_at_ns = now_ns + budget.burst * budget.interval_ns;
    int64_t full_at_ns = cell->full_at_ns > now_ns ? cell->full_at_ns : now_ns;
    full_at_ns += budget.interval_ns;
    if (full_at_ns > empty_at_ns)
        full_at_ns = empty_at_ns;
    if (cell->full_at_ns < full_at_ns)
        cell->full_at_ns = full_at_ns;
}

int64_t limit_table_wait_ns(struct limit_table *table, uint64_t key, struct limit_budget budget,
                            int64_t now_ns)
{
    if (budget.interval_ns == 0)
        return 0;
    struct shard *shard = lock_shard(table, key);
    int64_t wait = wait_ns(find(set_of(table, shard, key), key), budget, now_ns);
    unlock_shard(shard);
    return wait;
}

void limit_table_count(struct limit_table *table, uint64_t key, struct limit_budget budget,
                       int64_t now_ns)
{
    if (budget.interval_ns == 0)
        return;
    struct shard *shard = lock_shard(table, key);
    count_one(claim(set_of(table, shard, key), key), budget, now_ns);
    unlock_shard(shard);
}

int64_t limit_table_take(struct limit_table *table, uint64_t key, struct limit_budget budget,
                         int64_t now_ns)
{
    if (budget.interval_ns == 0)
        return 0;
    struct shard *shard = lock_shard(table, key);
    struct cell *cell = claim(set_of(table, shard, key), key);
    int64_t wait = wait_ns(cell, budget, now_ns);
    if (wait == 0)
        count_one(cell, budget, now_ns);
    unlock_shard(shard);
    return wait;
}

void limit_table_mark(struct limit_table *table, uint64_t key, int64_t until_ns)
{
    struct shard *shard = lock_shard(table, key);
    struct cell *cell = claim(set_of(table, shard, key), key);
    if (cell->full_at_ns < until_ns)
        cell->full_at_ns = until_ns;
    unlock_shard(shard);
}

bool limit_table_is_marked(struct limit_table *table, uint64_t key, int64_t now_ns)
{
    struct shard *shard = lock_shard(table, key);
    const struct cell *cell = find(set_of(table, shard, key), key);
    bool is_marked = cell != NULL && cell->full_at_ns > now_ns;
    unlock_shard(shard);
    return is_marked;
}
