/* SPDX-License-Identifier: Apache-2.0 */
/* Budgets of very many keys in memory of a fixed size.
 *
 * A budget is a token bucket kept as one time per key (the generic cell rate algorithm, ITU-T
 * I.371): when the bucket will be full again. A key that is not in the table has a full bucket.
 * Keys are hashes, made by the caller with a random key. When a key finds no place, the one whose
 * bucket is full soonest gives up its own: what is forgotten is what mattered least, and who is far
 * over a budget cannot wash that away with many keys that have hardly been used.
 *
 * Safe to use from any thread: a lock for each of many parts. Times are nanoseconds of one clock
 * that does not go back; threads may see it slightly apart. */
#pragma once

#include "base/attr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct limit_table;

struct limit_budget {
    int64_t interval_ns; /* in which one more is earned; 0: no limit */
    int64_t burst;       /* at most so many at once */
};

/* count per period, all of it at once if need be; 0: no limit. */
struct limit_budget limit_budget_of(int64_t count, int64_t period_ns);

/* 16 bytes a cell, rounded up to a power of two; all of it taken now. NULL: no memory. */
struct limit_table *limit_table_new(size_t cells);
void limit_table_free(struct limit_table *table); /* NULL is fine */

/* 0: something is left. Else how long until then. Counts nothing. */
int64_t limit_table_wait_ns(struct limit_table *table, uint64_t key, struct limit_budget budget,
                            int64_t now_ns);

/* Counts one; when nothing is left, the budget stays empty, and never costs more than one interval
 * of waiting: a key owes nothing. */
void limit_table_count(struct limit_table *table, uint64_t key, struct limit_budget budget,
                       int64_t now_ns);

/* Counts one if it is left and answers 0; else answers how long until then. */
int64_t limit_table_take(struct limit_table *table, uint64_t key, struct limit_budget budget,
                         int64_t now_ns);

/* Keeps the key until that time; limit_table_is_marked() tells whether it is still kept. A table of
 * marks holds no budgets. */
void limit_table_mark(struct limit_table *table, uint64_t key, int64_t until_ns);
bool limit_table_is_marked(struct limit_table *table, uint64_t key, int64_t now_ns);
