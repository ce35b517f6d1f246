/* SPDX-License-Identifier: Apache-2.0 */
#include "http/loop.h"

#include "http/http_internal.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { IDLE_HOOKS_MAX = 4, CLOSE_ROUNDS_MAX = 16 };

struct loop_hook {
    void (*fn)(void *context);
    void *context;
};

struct loop {
    uv_loop_t uv;
    uv_async_t wake;      /* something was posted, or the loop is to stop */
    uv_prepare_t prepare; /* runs on_idle before the loop waits */
    uv_timer_t ticks[LOOP_TICKS_MAX];
    struct loop_hook tick_hooks[LOOP_TICKS_MAX];
    size_t tick_count;
    struct loop_hook idle_hooks[IDLE_HOOKS_MAX];
    size_t idle_count;
    _Atomic(struct loop_post_node *) posted; /* newest first */
    atomic_bool is_stopping;
};

struct loop_watch {
    uv_poll_t poll;
    bool is_writable_wanted;
    void (*on_ready)(bool is_readable, bool is_writable, void *context);
    void *context;
};

uv_loop_t *loop_uv(struct loop *loop)
{
    return &loop->uv;
}

/* Takes all that was posted and runs it oldest first. What is posted meanwhile waits for the next
 * wake-up, so that input and output are not starved. */
static void run_posted(struct loop *loop)
{
    struct loop_post_node *node =
        atomic_exchange_explicit(&loop->posted, NULL, memory_order_acquire);
    struct loop_post_node *oldest = NULL;
    while (node != NULL) {
        struct loop_post_node *next = node->next;
        node->next = oldest;
        oldest = node;
        node = next;
    }
    while (oldest != NULL) {
        struct loop_post_node *next = oldest->next; /* the node is fn's once it runs */
        oldest->fn(oldest->context);
        oldest = next;
    }
}

static void on_wake(uv_async_t *wake)
{
    struct loop *loop = wake->data;
    run_posted(loop);
    if (atomic_load(&loop->is_stopping))
        uv_stop(&loop->uv);
}

static void on_prepare(uv_prepare_t *prepare)
{
    struct loop *loop = prepare->data;
    for (size_t i = 0; i < loop->idle_count; i++)
        loop->idle_hooks[i].fn(loop->idle_hooks[i].context);
}

struct loop *loop_new(void)
{
    struct loop *loop = calloc(1, sizeof *loop);
    if (loop == NULL)
        return NULL;
    if (uv_loop_init(&loop->uv) != 0) {
        free(loop);
        return NULL;
    }
    if (uv_async_init(&loop->uv, &loop->wake, on_wake) != 0) {
        (void)uv_loop_close(&loop->uv);
        free(loop);
        return NULL;
    }
    loop->wake.data = loop;
    (void)uv_prepare_init(&loop->uv, &loop->prepare); /* cannot fail */
    loop->prepare.data = loop;
    (void)uv_prepare_start(&loop->prepare, on_prepare);
    return loop;
}

void loop_free(struct loop *loop)
{
    if (loop == NULL)
        return;
    uv_close((uv_handle_t *)&loop->wake, NULL);
    uv_close((uv_handle_t *)&loop->prepare, NULL);
    for (size_t i = 0; i < loop->tick_count; i++)
        uv_close((uv_handle_t *)&loop->ticks[i], NULL);
    /* What still closes (connections, watches) frees itself in its close callback, which may close
     * more. A handle left open is a mistake of its owner. */
    int closed = UV_EBUSY;
    for (int round = 0; round < CLOSE_ROUNDS_MAX && closed != 0; round++) {
        (void)uv_run(&loop->uv, UV_RUN_NOWAIT);
        closed = uv_loop_close(&loop->uv);
    }
    assert(closed == 0);
    free(loop);
}

void loop_run(struct loop *loop)
{
    while (!atomic_load(&loop->is_stopping))
        (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
    /* One more round: handles closed in the last one are released at its end. */
    (void)uv_run(&loop->uv, UV_RUN_NOWAIT);
}

void loop_stop(struct loop *loop)
{
    atomic_store(&loop->is_stopping, true);
    (void)uv_async_send(&loop->wake);
}

void loop_post(struct loop *loop, struct loop_post_node *node)
{
    struct loop_post_node *head = atomic_load_explicit(&loop->posted, memory_order_relaxed);
    do
        node->next = head;
    while (!atomic_compare_exchange_weak_explicit(&loop->posted, &head, node, memory_order_release,
                                                  memory_order_relaxed));
    if (head == NULL) /* else whoever posted the first has woken the loop */
        (void)uv_async_send(&loop->wake);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct loop_watch *watch = poll->data;
    /* A failed poll looks readable: the owner's read then finds the error. */
    bool is_readable = status < 0 || (events & UV_READABLE) != 0;
    watch->on_ready(is_readable, (events & UV_WRITABLE) != 0, watch->context);
}

struct loop_watch *loop_watch_new(struct loop *loop, int fd,
                                  void (*on_ready)(bool is_readable, bool is_writable,
                                                   void *context),
                                  void *context)
{
    struct loop_watch *watch = calloc(1, sizeof *watch);
    if (watch == NULL)
        return NULL;
    *watch = (struct loop_watch){.on_ready = on_ready, .context = context};
    if (uv_poll_init(&loop->uv, &watch->poll, fd) != 0) {
        free(watch);
        return NULL;
    }
    watch->poll.data = watch;
    (void)uv_poll_start(&watch->poll, UV_READABLE, on_poll);
    return watch;
}

void loop_watch_writable(struct loop_watch *watch, bool is_wanted)
{
    /* Asked in every iteration, and libuv would take the socket out of epoll and put it back. */
    if (is_wanted == watch->is_writable_wanted)
        return;
    watch->is_writable_wanted = is_wanted;
    (void)uv_poll_start(&watch->poll, is_wanted ? UV_READABLE | UV_WRITABLE : UV_READABLE, on_poll);
}

static void on_watch_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void loop_watch_free(struct loop_watch *watch)
{
    if (watch != NULL)
        uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
}

static void on_timer(uv_timer_t *timer)
{
    const struct loop_hook *hook = timer->data;
    hook->fn(hook->context);
}

void loop_every(struct loop *loop, unsigned period_ms, void (*on_tick)(void *context),
                void *context)
{
    assert(loop->tick_count < LOOP_TICKS_MAX);
    size_t at = loop->tick_count++;
    loop->tick_hooks[at] = (struct loop_hook){on_tick, context};
    (void)uv_timer_init(&loop->uv, &loop->ticks[at]); /* cannot fail */
    loop->ticks[at].data = &loop->tick_hooks[at];
    (void)uv_timer_start(&loop->ticks[at], on_timer, period_ms, period_ms);
}

void loop_on_idle(struct loop *loop, void (*on_idle)(void *context), void *context)
{
    assert(loop->idle_count < IDLE_HOOKS_MAX);
    loop->idle_hooks[loop->idle_count++] = (struct loop_hook){on_idle, context};
}

const char *loop_library_version(void)
{
    return uv_version_string();
}
