/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that may block, for everything that does not belong on an event loop: SQL, password
 * hashes, blocking calls to the signer. A bounded queue: what does not fit is shed at once. */
#pragma once

#include "base/attr.h"
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>

struct signing_lane;
struct worker_pool;

struct worker_job {
    struct worker_job *next;
    /* Runs on a worker's thread; lane is that worker's own. The job is the caller's and must live
     * until then; work may free it. */
    void (*work)(struct worker_job *job, struct signing_lane *lane);
};

/* lanes: one blocking lane for each of the count threads; the pool owns them from now on, also when
 * it fails (NULL: no memory or threads). */
struct worker_pool *worker_pool_new(struct signing_lane **take_lanes, size_t count,
                                    size_t queue_max);

/* False: the queue is full. Any thread. */
bool worker_pool_submit(struct worker_pool *pool, struct worker_job *job) MUST_USE;

/* Gives worker number index a new socket to the signer; it takes it before its next job. */
void worker_pool_attach(struct worker_pool *pool, size_t index, int take_fd);

/* Finishes what is queued, then ends the threads. NULL is fine. */
void worker_pool_free(struct worker_pool *pool);
