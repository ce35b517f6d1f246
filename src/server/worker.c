/* SPDX-License-Identifier: Apache-2.0 */
#include "server/worker.h"

#include "signing/signing.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

struct worker {
    struct worker_pool *pool;
    struct signing_lane *lane;
    atomic_int new_fd; /* a socket to attach before the next job; -1: none */
    pthread_t thread;
};

struct worker_pool {
    pthread_mutex_t lock;
    pthread_cond_t is_work;
    struct worker_job *first;
    struct worker_job **last; /* where the next job is linked */
    size_t queued;
    size_t queue_max;
    bool is_ending;
    size_t count; /* of workers whose thread runs */
    struct worker workers[];
};

static struct worker_job *next_job(struct worker_pool *pool)
{
    (void)pthread_mutex_lock(&pool->lock);
    while (pool->first == NULL && !pool->is_ending)
        (void)pthread_cond_wait(&pool->is_work, &pool->lock);
    struct worker_job *job = pool->first;
    if (job != NULL) {
        pool->first = job->next;
        if (pool->first == NULL)
            pool->last = &pool->first;
        pool->queued--;
    }
    (void)pthread_mutex_unlock(&pool->lock);
    return job;
}

static void *run_worker(void *context)
{
    struct worker *worker = context;
    struct worker_job *job;
    while ((job = next_job(worker->pool)) != NULL) {
        int fd = atomic_exchange(&worker->new_fd, -1);
        if (fd >= 0)
            signing_lane_attach(worker->lane, fd);
        job->work(job, worker->lane);
    }
    return NULL;
}

struct worker_pool *worker_pool_new(struct signing_lane **take_lanes, size_t count,
                                    size_t queue_max)
{
    struct worker_pool *pool = calloc(1, sizeof *pool + count * sizeof *pool->workers);
    if (pool == NULL) {
        for (size_t i = 0; i < count; i++)
            signing_lane_free(take_lanes[i]);
        return NULL;
    }
    pool->last = &pool->first;
    pool->queue_max = queue_max;
    (void)pthread_mutex_init(&pool->lock, NULL);
    (void)pthread_cond_init(&pool->is_work, NULL);
    bool is_started = true;
    for (size_t i = 0; i < count; i++) {
        struct worker *worker = &pool->workers[i];
        worker->pool = pool;
        worker->lane = take_lanes[i];
        atomic_init(&worker->new_fd, -1);
        is_started = is_started && pthread_create(&worker->thread, NULL, run_worker, worker) == 0;
        if (is_started)
            pool->count++;
        else
            signing_lane_free(worker->lane);
    }
    if (!is_started) {
        worker_pool_free(pool);
        return NULL;
    }
    return pool;
}

bool worker_pool_submit(struct worker_pool *pool, struct worker_job *job)
{
    (void)pthread_mutex_lock(&pool->lock);
    bool has_room = pool->queued < pool->queue_max && !pool->is_ending;
    if (has_room) {
        job->next = NULL;
        *pool->last = job;
        pool->last = &job->next;
        pool->queued++;
        (void)pthread_cond_signal(&pool->is_work);
    }
    (void)pthread_mutex_unlock(&pool->lock);
    return has_room;
}

void worker_pool_attach(struct worker_pool *pool, size_t index, int take_fd)
{
    int unused = atomic_exchange(&pool->workers[index].new_fd, take_fd);
    if (unused >= 0)
        (void)close(unused);
}

void worker_pool_free(struct worker_pool *pool)
{
    if (pool == NULL)
        return;
    (void)pthread_mutex_lock(&pool->lock);
    pool->is_ending = true;
    (void)pthread_cond_broadcast(&pool->is_work);
    (void)pthread_mutex_unlock(&pool->lock);
    for (size_t i = 0; i < pool->count; i++) {
        struct worker *worker = &pool->workers[i];
        (void)pthread_join(worker->thread, NULL);
        signing_lane_free(worker->lane);
        int unused = atomic_load(&worker->new_fd);
        if (unused >= 0)
            (void)close(unused);
    }
    (void)pthread_cond_destroy(&pool->is_work);
    (void)pthread_mutex_destroy(&pool->lock);
    free(pool);
}
