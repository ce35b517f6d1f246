/* SPDX-License-Identifier: Apache-2.0 */
/* One event loop of the front, with its thread, its HTTP edge and its lane to the signer: takes
 * each exchange through router, worker and signer to its reply. */
#pragma once

#include "base/attr.h"
#include "http/http.h"

struct app;
struct front_loop;
struct signing_lane;
struct proxies;
struct worker_pool;

struct front_loop_options {
    struct app *app;
    const struct proxies *proxies; /* borrowed */
    struct worker_pool *pool;
    struct signing_lane *take_lane; /* not blocking; freed also on failure */
    struct http_limits limits;
    unsigned use_flush_seconds;
    int64_t queue_ns_max; /* 0: nobody is turned away for it */
    /* The signer has not answered for seconds; on the loop's thread. Its lane is broken already. */
    void (*on_silent)(void *context);
    void *silent_context;
};

/* NULL: no memory or descriptors. */
struct front_loop *front_loop_new(const struct front_loop_options *options);

/* Before front_loop_start(). 0 or -errno. */
int front_loop_listen(struct front_loop *front, int take_fd, const struct http_listen *how);

bool front_loop_start(struct front_loop *front) MUST_USE;

/* A new signer: from another thread, soon. */
void front_loop_attach(struct front_loop *front, int take_fd);

/* Every reply from now on is its connection's last; new connections are still taken. So that at a
 * hand-over nobody sends a request into a connection that is about to close. From another thread.
 */
void front_loop_retire(struct front_loop *front);

/* Has the drained loop answered all, and stopped? From another thread. */
bool front_loop_has_ended(const struct front_loop *front);

/* Takes no new connections, answers what runs, then ends its thread. From another thread. */
void front_loop_drain(struct front_loop *front);

/* When the control socket has no connection any more, or for some seconds never had one, on_idle is
 * called on the loop's thread. For a front without a network listener. Before front_loop_start().
 */
void front_loop_when_idle(struct front_loop *front, void (*on_idle)(void *context), void *context);

/* After front_loop_drain(): waits for the thread. Workers may still be handing over: they end
 * before any loop is freed. */
void front_loop_join(struct front_loop *front);

/* Writes what is counted, frees. NULL is fine. */
void front_loop_free(struct front_loop *front);
