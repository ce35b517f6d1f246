/* SPDX-License-Identifier: Apache-2.0 */
#include "server/front_loop.h"

#include "base/clock.h"
#include "config/config.h"
#include "http/loop.h"
#include "limit/limits.h"
#include "limit/shed.h"
#include "log/log.h"
#include "metrics/metrics.h"
#include "server/front_watch.h"
#include "server/worker.h"
#include "signing/signing.h"
#include "state/token_clock.h"
#include "state/use.h"
#include "store/store.h"
#include "web/app.h"
#include "web/caller.h"
#include "web/deadline.h"
#include "web/cors.h"
#include "web/guard.h"
#include "web/reply.h"
#include "web/route.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    DRAIN_TICK_MS = 50,
    IDLE_TICK_MS = 50,
    IDLE_TICKS_AFTER_USE = 4,
    IDLE_TICKS_UNUSED = 100,
    SILENCE_TICK_MS = 500,
    SILENCE_TICKS_MAX = 10, /* the signer has answered nothing for so long: it hangs */
};

struct use_job;

struct front_loop {
    struct app *app;
    struct worker_pool *pool;
    struct loop *loop;
    struct http_server *http;
    struct signing_lane *lane;
    struct loop_watch *lane_watch;
    struct use_table *uses;
    struct front_watch watch;
    struct use_job *use_job; /* taken from uses, not yet with a worker */
    pthread_t thread;
    bool has_thread;
    bool is_draining;
    atomic_bool is_retiring;
    atomic_bool has_ended;
    struct shed signer_shed;
    struct shed worker_shed;
    size_t running; /* exchanges that are with a worker or the signer */
    size_t asked;   /* of those, with the signer */
    unsigned silent_ticks;
    void (*on_silent)(void *context);
    void *silent_context;
    struct loop_post_node drain_node;
    struct loop_post_node attach_node;
    atomic_int new_fd;
    atomic_bool is_attach_posted;
    bool was_used;
    unsigned idle_ticks; /* in a row, of a front without a network */
    void (*on_idle)(void *context);
    void *idle_context;
};

static const struct timespec gathering_time = {.tv_nsec = 2000000};

/* An exchange on its way through a worker; in the exchange's arena. */
struct exchange_job {
    struct worker_job job; /* first */
    struct loop_post_node back;
    struct front_loop *front;
    struct exchange *x;
    int64_t asked_ns;  /* CLOCK_BOOTTIME */
    int64_t waited_ns; /* for a worker to begin */
};

static void go_on(struct front_loop *front, struct exchange *x);

static void finish(struct front_loop *front, struct exchange *x)
{
    assert(x->reply.status != 0);
    if (!buf_ok(&x->reply.body))
        reply_error(x, NO_MEMORY);
    cors_reply(x);
    if (front->is_draining || atomic_load_explicit(&front->is_retiring, memory_order_relaxed))
        x->reply.close = true;
    http_reply(x);
}

static void on_signed(void *context, const struct signing_reply *reply)
{
    struct exchange_job *job = context;
    struct front_loop *front = job->front;
    struct exchange *x = job->x;
    front->running--;
    front->asked--;
    front->silent_ticks = 0;
    int64_t now_ns = clock_boot_ns();
    metric_add(front->app->metrics, METRIC_SIGNER_WAITING, -1);
    metric_observe(front->app->metrics, METRIC_SIGNER_SECONDS, 0, (now_ns - job->asked_ns) / 1000);
    shed_done(&front->signer_shed, now_ns - job->asked_ns, now_ns);
    x->next = NEXT_REPLY;
    x->route->resume(x, reply);
    finish(front, x);
}

/* The job of this exchange, made at its first step away from the loop. */
static struct exchange_job *job_of(struct front_loop *front, struct exchange *x)
{
    struct exchange_job *job = arena_zalloc(&x->arena, 1, sizeof *job);
    if (job != NULL) {
        job->front = front;
        job->x = x;
        job->asked_ns = clock_boot_ns();
    }
    return job;
}

/* Too much waits already: the newest is told at once, and its connection stays. The operator on the
 * control socket always gets a turn. False: a reply is made. */
static bool has_room(struct front_loop *front, struct exchange *x, struct shed *shed)
{
    if (x->peer.is_control || shed_admits(shed, clock_boot_ns()))
        return true;
    limits_count_shed(front->app->limits);
    reply_error(x, UNAVAILABLE);
    finish(front, x);
    return false;
}

static void ask_signer(struct front_loop *front, struct exchange *x)
{
    struct exchange_job *job = job_of(front, x);
    enum status status =
        job == NULL ? NO_MEMORY : signing_submit(front->lane, x->ask, on_signed, job);
    if (status == OK) {
        job->asked_ns = clock_boot_ns();
        metric_add(front->app->metrics, METRIC_SIGNER_WAITING, 1);
        front->running++;
        front->asked++;
        shed_begin(&front->signer_shed);
        return;
    }
    const struct signing_reply refused = {
        .op = x->ask->op, .status = status == INVALID ? UNAUTHENTICATED : UNAVAILABLE};
    x->next = NEXT_REPLY;
    x->route->resume(x, &refused);
    finish(front, x);
}

static void on_worked(void *context)
{
    struct exchange_job *job = context;
    struct exchange *x = job->x;
    job->front->running--;
    shed_done(&job->front->worker_shed, job->waited_ns, clock_boot_ns());
    x->may_block = false;
    x->lane = NULL;
    x->uses = job->front->uses;
    if (x->used_credential.len > 0)
        use_table_add(x->uses, x->used_credential, x->peer.address, x->now);
    go_on(job->front, x);
}

static void work_exchange(struct worker_job *base, struct signing_lane *lane)
{
    struct exchange_job *job = (struct exchange_job *)(void *)base;
    struct exchange *x = job->x;
    metric_add(x->app->metrics, METRIC_WORKERS_WAITING, -1);
    job->waited_ns = clock_boot_ns() - job->asked_ns;
    x->may_block = true;
    x->was_blocking = true;
    x->lane = lane;
    x->uses = NULL;
    x->next = NEXT_REPLY;
    if (!deadline_has_passed(x, clock_boot_ns()) && caller_authenticate(x) && deadline_is_valid(x))
        x->route->handle(x);
    loop_post(job->front->loop, &job->back);
}

static void to_worker(struct front_loop *front, struct exchange *x)
{
    if (!has_room(front, x, &front->worker_shed))
        return;
    struct exchange_job *job = job_of(front, x);
    if (job != NULL) {
        job->job.work = work_exchange;
        job->back.fn = on_worked;
        job->back.context = job;
        metric_add(front->app->metrics, METRIC_WORKERS_WAITING, 1);
        if (worker_pool_submit(front->pool, &job->job)) {
            front->running++;
            shed_begin(&front->worker_shed);
            return;
        }
        metric_add(front->app->metrics, METRIC_WORKERS_WAITING, -1);
    }
    metric_add(front->app->metrics, METRIC_WORKERS_SHED, 1);
    reply_error(x, UNAVAILABLE);
    finish(front, x);
}

static void go_on(struct front_loop *front, struct exchange *x)
{
    switch (x->next) {
    case NEXT_REPLY:
        finish(front, x);
        return;
    case NEXT_SIGNER:
        ask_signer(front, x);
        return;
    case NEXT_WORKER:
        to_worker(front, x);
        return;
    }
}

static size_t on_head(struct exchange *x, void *context)
{
    const struct front_loop *front = context;
    const struct app *app = front->app;
    x->began_ns = clock_boot_ns();
    x->token_now = token_clock_at(app->clock, x->began_ns / 1000);
    if (!route_find(x, app->routes, app->route_count))
        return 0;
    return x->route->body_bytes_max != 0 ? x->route->body_bytes_max
                                         : (size_t)app->config->body_bytes_max;
}

static void on_reply(const struct exchange *x, void *context)
{
    struct front_loop *front = context;
    front_watch_reply(&front->watch, x);
}

static void on_request(struct exchange *x, void *context)
{
    struct front_loop *front = context;
    if (!guard_admits_request(x)) {
        finish(front, x);
        return;
    }
    if (x->route->lane == LANE_WORKER || x->route->permission != PERMISSION_PUBLIC) {
        to_worker(front, x);
        return;
    }
    /* Before anything is done for it: a refusal must cost little, or refusing is the overload. */
    if (x->route->resume != NULL && !has_room(front, x, &front->signer_shed))
        return;
    x->uses = front->uses;
    x->route->handle(x);
    go_on(front, x);
}

/* --- The lane to the signer ----------------------------------------------------------------------
 */

static void on_lane(bool is_readable, bool is_writable, void *context);

static void watch_lane(struct front_loop *front)
{
    int fd = signing_lane_fd(front->lane);
    if (fd >= 0)
        front->lane_watch = loop_watch_new(front->loop, fd, on_lane, front);
    if (fd >= 0 && front->lane_watch == NULL) /* better refused than never sent */
        signing_lane_attach(front->lane, -1);
}

static void unwatch_lane(struct front_loop *front)
{
    if (front->lane_watch != NULL)
        loop_watch_free(front->lane_watch);
    front->lane_watch = NULL;
}

static void on_lane(bool is_readable, bool is_writable, void *context)
{
    struct front_loop *front = context;
    if (is_readable && !signing_receive(front->lane)) {
        unwatch_lane(front); /* the signer died; the supervisor sends a new lane */
        return;
    }
    if (is_writable && front->lane_watch != NULL)
        loop_watch_writable(front->lane_watch, signing_flush(front->lane));
}

/* What this iteration's requests asked goes to the signer in one system call. */
static void on_iteration(void *context)
{
    struct front_loop *front = context;
    if (front->lane_watch != NULL)
        loop_watch_writable(front->lane_watch, signing_flush(front->lane));
    /* More is asked than the signer can do. A pause lets requests gather, so that one iteration
     * takes many, and the signer, where it shares this processor, is not interrupted by each of
     * them. */
    if (front->signer_shed.is_shedding)
        (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &gathering_time, NULL);
}

static void on_attach(void *context)
{
    struct front_loop *front = context;
    atomic_store(&front->is_attach_posted, false);
    int fd = atomic_exchange(&front->new_fd, -1);
    if (fd < 0)
        return;
    unwatch_lane(front);
    signing_lane_attach(front->lane, fd);
    watch_lane(front);
}

void front_loop_attach(struct front_loop *front, int take_fd)
{
    int unused = atomic_exchange(&front->new_fd, take_fd);
    if (unused >= 0)
        (void)close(unused);
    if (!atomic_exchange(&front->is_attach_posted, true))
        loop_post(front->loop, &front->attach_node);
}

/* A signer that neither answers nor dies: whoever waits gets 503, and the supervisor a hint. */
static void on_silence_tick(void *context)
{
    struct front_loop *front = context;
    front_watch_tick(&front->watch, clock_wall_seconds());
    front->silent_ticks = front->asked > 0 ? front->silent_ticks + 1 : 0;
    if (front->silent_ticks < SILENCE_TICKS_MAX)
        return;
    front->silent_ticks = 0;
    unwatch_lane(front);
    signing_lane_attach(front->lane, -1);
    front->on_silent(front->silent_context);
}

/* --- Use of credentials
 * ---------------------------------------------------------------------------- */

struct use_job {
    struct worker_job job; /* first */
    struct app *app;
    struct credential_use *uses;
    size_t count;
};

static void write_uses(const struct app *app, const struct credential_use *uses, size_t count)
{
    struct err err = {0};
    if (store_use_add(app->store, uses, count, &err) == OK)
        metric_add(app->metrics, METRIC_USES_WRITTEN, (int64_t)count);
    else
        log_warn("the use of %zu credentials was not recorded: %s", count, err.detail);
}

static void work_uses(struct worker_job *base, struct signing_lane *lane)
{
    (void)lane;
    struct use_job *job = (struct use_job *)(void *)base;
    write_uses(job->app, job->uses, job->count);
    free(job->uses);
    free(job);
}

/* A batch that found no room among the workers is kept for the next time. */
static void on_flush_uses(void *context)
{
    struct front_loop *front = context;
    struct use_job *job = front->use_job;
    if (job == NULL && use_table_count(front->uses) > 0) {
        job = calloc(1, sizeof *job);
        if (job == NULL)
            return;
        job->job.work = work_uses;
        job->app = front->app;
        job->uses = use_table_take(front->uses, &job->count);
        if (job->uses == NULL) {
            free(job);
            return;
        }
    }
    front->use_job = job != NULL && !worker_pool_submit(front->pool, &job->job) ? job : NULL;
}

/* --- Life
 * ------------------------------------------------------------------------------------------ */

static void on_drain_tick(void *context)
{
    struct front_loop *front = context;
    if (front->is_draining && front->running == 0 && http_server_connections(front->http) == 0)
        loop_stop(front->loop);
}

static void on_drain(void *context)
{
    struct front_loop *front = context;
    front->is_draining = true;
    http_server_drain(front->http);
}

void front_loop_retire(struct front_loop *front)
{
    atomic_store(&front->is_retiring, true);
}

bool front_loop_has_ended(const struct front_loop *front)
{
    return atomic_load(&front->has_ended);
}

void front_loop_drain(struct front_loop *front)
{
    loop_post(front->loop, &front->drain_node);
}

/* A connection comes at most a moment after the last; nobody may come at all. */
static void on_idle_tick(void *context)
{
    struct front_loop *front = context;
    bool is_idle = front->running == 0 && http_server_connections(front->http) == 0;
    front->was_used |= !is_idle;
    front->idle_ticks = is_idle ? front->idle_ticks + 1 : 0;
    if (front->idle_ticks >= (front->was_used ? IDLE_TICKS_AFTER_USE : IDLE_TICKS_UNUSED))
        front->on_idle(front->idle_context);
}

void front_loop_when_idle(struct front_loop *front, void (*on_idle)(void *context), void *context)
{
    front->on_idle = on_idle;
    front->idle_context = context;
    loop_every(front->loop, IDLE_TICK_MS, on_idle_tick, front);
}

struct front_loop *front_loop_new(const struct front_loop_options *options)
{
    struct front_loop *front = calloc(1, sizeof *front);
    if (front == NULL) {
        signing_lane_free(options->take_lane);
        return NULL;
    }
    front->app = options->app;
    front->pool = options->pool;
    front->on_silent = options->on_silent;
    front->silent_context = options->silent_context;
    front->lane = options->take_lane;
    front->signer_shed.target_ns = options->queue_ns_max;
    front->worker_shed.target_ns = options->queue_ns_max;
    front->loop = loop_new();
    front->uses = use_table_new();
    front->drain_node = (struct loop_post_node){.fn = on_drain, .context = front};
    front->attach_node = (struct loop_post_node){.fn = on_attach, .context = front};
    atomic_init(&front->new_fd, -1);
    const struct http_handler handler = {
        .app = options->app,
        .on_head = on_head,
        .on_request = on_request,
        .on_reply = on_reply,
        .context = front,
        .metrics = options->app->metrics,
        .proxies = options->proxies,
    };
    if (front->loop != NULL)
        front->http = http_server_new(front->loop, &options->limits, &handler);
    if (front->http == NULL || front->uses == NULL) {
        front_loop_free(front);
        return NULL;
    }
    watch_lane(front);
    loop_every(front->loop, DRAIN_TICK_MS, on_drain_tick, front);
    loop_every(front->loop, SILENCE_TICK_MS, on_silence_tick, front);
    loop_every(front->loop, options->use_flush_seconds * 1000, on_flush_uses, front);
    loop_on_idle(front->loop, on_iteration, front);
    return front;
}

int front_loop_listen(struct front_loop *front, int take_fd, const struct http_listen *how)
{
    return http_server_listen(front->http, take_fd, how);
}

static void *run_loop(void *context)
{
    struct front_loop *front = context;
    loop_run(front->loop);
    atomic_store(&front->has_ended, true);
    return NULL;
}

bool front_loop_start(struct front_loop *front)
{
    front->has_thread = pthread_create(&front->thread, NULL, run_loop, front) == 0;
    return front->has_thread;
}

void front_loop_join(struct front_loop *front)
{
    if (front != NULL && front->has_thread)
        (void)pthread_join(front->thread, NULL);
    if (front != NULL)
        front->has_thread = false;
}

void front_loop_free(struct front_loop *front)
{
    if (front == NULL)
        return;
    front_loop_join(front);
    if (front->use_job != NULL)
        work_uses(&front->use_job->job, NULL);
    size_t count;
    struct credential_use *uses = front->uses == NULL ? NULL : use_table_take(front->uses, &count);
    if (uses != NULL)
        write_uses(front->app, uses, count);
    free(uses);
    use_table_free(front->uses);
    unwatch_lane(front);
    if (front->http != NULL)
        http_server_free(front->http);
    signing_lane_free(front->lane);
    if (front->loop != NULL)
        loop_free(front->loop);
    free(front);
}
