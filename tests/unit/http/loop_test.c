/* SPDX-License-Identifier: Apache-2.0 */
#include "http/loop.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "../unit.h"

enum { POSTERS = 4, POSTS_EACH = 5000 };

struct counter {
    struct loop *loop;
    int last_of_poster[POSTERS];
    int total;
    bool in_order;
};

struct numbered {
    struct loop_post_node node;
    struct counter *counter;
    int poster;
    int number;
};

struct poster {
    pthread_t thread;
    struct loop *loop;
    struct numbered posts[POSTS_EACH];
};

static void on_numbered(void *context)
{
    const struct numbered *post = context;
    struct counter *counter = post->counter;
    counter->in_order =
        counter->in_order && post->number == counter->last_of_poster[post->poster] + 1;
    counter->last_of_poster[post->poster] = post->number;
    if (++counter->total == POSTERS * POSTS_EACH)
        loop_stop(counter->loop);
}

static void *post_all(void *context)
{
    struct poster *poster = context;
    for (int i = 0; i < POSTS_EACH; i++)
        loop_post(poster->loop, &poster->posts[i].node);
    return NULL;
}

static void posts_of_many_threads_all_run_and_in_order(void **state)
{
    (void)state;
    struct counter counter = {.loop = loop_new(), .in_order = true};
    struct poster *posters = calloc(POSTERS, sizeof *posters);
    assert_non_null(counter.loop);
    assert_non_null(posters);
    for (int p = 0; p < POSTERS; p++) {
        posters[p].loop = counter.loop;
        for (int i = 0; i < POSTS_EACH; i++) {
            struct numbered *post = &posters[p].posts[i];
            *post = (struct numbered){.counter = &counter, .poster = p, .number = i + 1};
            post->node = (struct loop_post_node){.fn = on_numbered, .context = post};
        }
        assert_int_equal(pthread_create(&posters[p].thread, NULL, post_all, &posters[p]), 0);
    }
    loop_run(counter.loop);
    for (int p = 0; p < POSTERS; p++)
        (void)pthread_join(posters[p].thread, NULL);
    loop_free(counter.loop);
    free(posters);
    assert_int_equal(counter.total, POSTERS * POSTS_EACH);
    assert_true(counter.in_order);
}

struct pipe_end {
    struct loop *loop;
    struct loop_watch *reading;
    struct loop_watch *writing;
    int fds[2];
    int writable_calls;
    char got;
};

static void on_write_end(bool is_readable, bool is_writable, void *context)
{
    (void)is_readable;
    struct pipe_end *end = context;
    if (!is_writable)
        return;
    end->writable_calls++;
    loop_watch_writable(end->writing, false);
    assert_int_equal(write(end->fds[1], "x", 1), 1);
}

static void on_read_end(bool is_readable, bool is_writable, void *context)
{
    struct pipe_end *end = context;
    assert_true(is_readable);
    assert_false(is_writable);
    assert_int_equal(read(end->fds[0], &end->got, 1), 1);
    loop_stop(end->loop);
}

static void watch_says_writable_while_asked_and_readable_when_it_is(void **state)
{
    (void)state;
    struct pipe_end end = {.loop = loop_new()};
    assert_int_equal(pipe(end.fds), 0);
    end.reading = loop_watch_new(end.loop, end.fds[0], on_read_end, &end);
    end.writing = loop_watch_new(end.loop, end.fds[1], on_write_end, &end);
    assert_non_null(end.reading);
    assert_non_null(end.writing);
    loop_watch_writable(end.writing, true);
    loop_run(end.loop);
    loop_watch_free(end.reading);
    loop_watch_free(end.writing);
    (void)close(end.fds[0]);
    (void)close(end.fds[1]);
    loop_free(end.loop);
    assert_int_equal(end.writable_calls, 1);
    assert_int_equal(end.got, 'x');
}

struct ticking {
    struct loop *loop;
    int ticks;
    int idles;
    int idles_at_first_tick;
};

static void on_tick(void *context)
{
    struct ticking *ticking = context;
    if (ticking->ticks++ == 0)
        ticking->idles_at_first_tick = ticking->idles;
    if (ticking->ticks == 3)
        loop_stop(ticking->loop);
}

static void on_idle(void *context)
{
    struct ticking *ticking = context;
    ticking->idles++;
}

static void ticks_repeat_and_idle_follows_what_was_done(void **state)
{
    (void)state;
    struct ticking ticking = {.loop = loop_new()};
    loop_every(ticking.loop, 1, on_tick, &ticking);
    loop_on_idle(ticking.loop, on_idle, &ticking);
    loop_run(ticking.loop);
    loop_free(ticking.loop);
    assert_true(ticking.ticks >= 3);
    assert_true(ticking.idles > ticking.idles_at_first_tick);
}

static void on_stop(void *context)
{
    loop_stop(context);
}

static void loop_stopped_before_it_runs_does_not_wait(void **state)
{
    (void)state;
    struct loop *loop = loop_new();
    struct loop_post_node node = {.fn = on_stop, .context = loop};
    loop_post(loop, &node);
    loop_stop(loop);
    loop_run(loop);
    loop_free(loop);
    loop_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(posts_of_many_threads_all_run_and_in_order),
        cmocka_unit_test(watch_says_writable_while_asked_and_readable_when_it_is),
        cmocka_unit_test(ticks_repeat_and_idle_follows_what_was_done),
        cmocka_unit_test(loop_stopped_before_it_runs_does_not_wait),
    };
    return RUN_TESTS(tests);
}
