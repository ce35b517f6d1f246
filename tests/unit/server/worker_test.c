/* SPDX-License-Identifier: Apache-2.0 */
#include "server/worker.h"

#include "signing/signing.h"

#include "../unit.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

enum { JOBS = 32, QUEUE_MAX = 64 };

/* Where the jobs of a test write down that they ran. */
struct board {
    sem_t gate; /* a gated job waits here */
    sem_t started;
    atomic_size_t count;
    unsigned order[JOBS];
    struct signing_lane *lanes[JOBS];
};

struct job {
    struct worker_job job; /* first: a worker_job is its job */
    struct board *board;
    unsigned number;
    bool is_gated;
    bool is_lane_attached;
};

static void work(struct worker_job *worker_job, struct signing_lane *lane)
{
    struct job *job = (struct job *)(void *)worker_job;
    struct board *board = job->board;
    if (job->is_gated) {
        (void)sem_post(&board->started);
        (void)sem_wait(&board->gate);
    }
    job->is_lane_attached = signing_lane_fd(lane) >= 0;
    size_t at = atomic_fetch_add(&board->count, 1);
    board->order[at] = job->number;
    board->lanes[at] = lane;
}

static void board_open(struct board *board, struct job jobs[static JOBS])
{
    memset(board, 0, sizeof *board);
    (void)sem_init(&board->gate, 0, 0);
    (void)sem_init(&board->started, 0, 0);
    for (unsigned i = 0; i < JOBS; i++)
        jobs[i] = (struct job){.job = {.work = work}, .board = board, .number = i};
}

static void board_close(struct board *board)
{
    (void)sem_destroy(&board->gate);
    (void)sem_destroy(&board->started);
}

/* Lanes that no signer is at the other end of. */
static struct worker_pool *pool_of(size_t count, size_t queue_max, struct signing_lane **lanes)
{
    for (size_t i = 0; i < count; i++) {
        lanes[i] = signing_lane_new(-1, true);
        assert_non_null(lanes[i]);
    }
    struct worker_pool *pool = worker_pool_new(lanes, count, queue_max);
    assert_non_null(pool);
    return pool;
}

static void one_worker_keeps_the_order(void **state)
{
    (void)state;
    struct board board;
    struct job jobs[JOBS];
    struct signing_lane *lane;
    board_open(&board, jobs);
    struct worker_pool *pool = pool_of(1, QUEUE_MAX, &lane);
    for (size_t i = 0; i < JOBS; i++)
        assert_true(worker_pool_submit(pool, &jobs[i].job));
    worker_pool_free(pool);
    assert_int_equal(atomic_load(&board.count), JOBS);
    for (unsigned i = 0; i < JOBS; i++) {
        assert_int_equal(board.order[i], i);
        assert_ptr_equal(board.lanes[i], lane);
    }
    board_close(&board);
}

static void what_does_not_fit_is_shed_at_once(void **state)
{
    (void)state;
    enum { ROOM = 3 };
    struct board board;
    struct job jobs[JOBS];
    struct signing_lane *lane;
    board_open(&board, jobs);
    struct worker_pool *pool = pool_of(1, ROOM, &lane);
    jobs[0].is_gated = true;
    assert_true(worker_pool_submit(pool, &jobs[0].job));
    (void)sem_wait(&board.started); /* out of the queue, in the worker */
    for (size_t i = 1; i <= ROOM; i++)
        assert_true(worker_pool_submit(pool, &jobs[i].job));
    assert_false(worker_pool_submit(pool, &jobs[ROOM + 1].job));
    assert_false(worker_pool_submit(pool, &jobs[ROOM + 1].job));
    jobs[1].is_gated = true;
    (void)sem_post(&board.gate);
    (void)sem_wait(&board.started); /* the next one was taken: there is room again */
    assert_true(worker_pool_submit(pool, &jobs[ROOM + 2].job));
    assert_false(worker_pool_submit(pool, &jobs[ROOM + 3].job));
    (void)sem_post(&board.gate);
    worker_pool_free(pool);
    static const unsigned expected[] = {0, 1, 2, ROOM, ROOM + 2};
    assert_int_equal(atomic_load(&board.count), ARRAY_LEN(expected));
    assert_memory_equal(board.order, expected, sizeof expected);
    board_close(&board);
}

static void *free_pool(void *pool)
{
    worker_pool_free(pool);
    return NULL;
}

static void freeing_finishes_what_is_queued_and_takes_no_more(void **state)
{
    (void)state;
    struct board board;
    struct job jobs[JOBS];
    struct signing_lane *lane;
    pthread_t thread;
    board_open(&board, jobs);
    struct worker_pool *pool = pool_of(1, QUEUE_MAX, &lane);
    jobs[0].is_gated = true;
    for (size_t i = 0; i < JOBS; i++)
        assert_true(worker_pool_submit(pool, &jobs[i].job));
    (void)sem_wait(&board.started);
    assert_int_equal(pthread_create(&thread, NULL, free_pool, pool), 0);
    (void)sem_post(&board.gate);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(atomic_load(&board.count), JOBS);
    board_close(&board);
    worker_pool_free(NULL);
}

static void workers_run_side_by_side_each_with_its_lane(void **state)
{
    (void)state;
    enum { WORKERS = 4 };
    struct board board;
    struct job jobs[JOBS];
    struct signing_lane *lanes[WORKERS];
    board_open(&board, jobs);
    struct worker_pool *pool = pool_of(WORKERS, QUEUE_MAX, lanes);
    for (size_t i = 0; i < WORKERS; i++) {
        jobs[i].is_gated = true;
        assert_true(worker_pool_submit(pool, &jobs[i].job));
    }
    for (size_t i = 0; i < WORKERS; i++)
        (void)sem_wait(&board.started); /* all of them at once */
    for (size_t i = 0; i < WORKERS; i++)
        (void)sem_post(&board.gate);
    worker_pool_free(pool);
    assert_int_equal(atomic_load(&board.count), WORKERS);
    for (size_t i = 0; i < WORKERS; i++) {
        size_t seen = 0;
        for (size_t j = 0; j < WORKERS; j++)
            seen += board.lanes[j] == lanes[i];
        assert_int_equal(seen, 1);
    }
    board_close(&board);
}

static bool is_open(int fd)
{
    char byte;
    return recv(fd, &byte, 1, MSG_DONTWAIT) != 0; /* 0: the other end was closed */
}

static void a_new_socket_is_taken_before_the_next_job(void **state)
{
    (void)state;
    struct board board;
    struct job jobs[JOBS];
    struct signing_lane *lane;
    int first[2];
    int second[2];
    int third[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, first), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, second), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, third), 0);
    board_open(&board, jobs);
    struct worker_pool *pool = pool_of(1, QUEUE_MAX, &lane);
    jobs[0].is_gated = true;
    assert_true(worker_pool_submit(pool, &jobs[0].job));
    (void)sem_wait(&board.started);
    worker_pool_attach(pool, 0, first[0]);
    worker_pool_attach(pool, 0, second[0]); /* the first was never taken */
    assert_false(is_open(first[1]));
    assert_true(worker_pool_submit(pool, &jobs[1].job));
    (void)sem_post(&board.gate);
    jobs[2].is_gated = true;
    assert_true(worker_pool_submit(pool, &jobs[2].job));
    (void)sem_wait(&board.started);
    assert_true(is_open(second[1]));
    worker_pool_attach(pool, 0, third[0]); /* no job comes after it */
    (void)sem_post(&board.gate);
    worker_pool_free(pool);
    assert_false(jobs[0].is_lane_attached);
    assert_true(jobs[1].is_lane_attached);
    assert_false(is_open(second[1]));
    assert_false(is_open(third[1]));
    (void)close(first[1]);
    (void)close(second[1]);
    (void)close(third[1]);
    board_close(&board);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_worker_keeps_the_order),
        cmocka_unit_test(what_does_not_fit_is_shed_at_once),
        cmocka_unit_test(freeing_finishes_what_is_queued_and_takes_no_more),
        cmocka_unit_test(workers_run_side_by_side_each_with_its_lane),
        cmocka_unit_test(a_new_socket_is_taken_before_the_next_job),
    };
    return RUN_TESTS(tests);
}
