/* SPDX-License-Identifier: Apache-2.0 */
/* What the durability tests let the store do: every kind of write that it has, step by step,
 * through its own interface, on a store_fixture. */
#pragma once

#include "../unit/store/store_fixture.h"

enum {
    WORKLOAD_OPEN = 0,     /* the first step: makes the database, all migrations */
    WORKLOAD_REOPEN = 40,  /* closes it, which copies the log into it, and opens it again */
    WORKLOAD_SHORT = 64,   /* steps until every kind has been done */
    WORKLOAD_LONG = 320,   /* and until the log was copied into the database by itself */
    WORKLOAD_CLIENTS = 10, /* the clients are app_1 to app_10 */
};

/* Called around each call of the store, where not NULL. */
extern void (*workload_enter)(void);
extern void (*workload_leave)(void);

/* Does step number n, on a store that the steps before it were done on. The store's answer. */
enum status workload_step(struct fixture *f, size_t n);

/* Asserts that the store has the users, API keys and clients that steps_done steps leave, and none
 * that one of them deleted. */
void workload_check(struct fixture *f, size_t steps_done);
