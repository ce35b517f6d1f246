/* SPDX-License-Identifier: Apache-2.0 */
/* An event loop without its library: watch a descriptor, tick, and be posted to from other threads.
 * All calls but loop_post and loop_stop come from the loop's own thread, or before loop_run. */
#pragma once

#include "base/attr.h"
#include <stdbool.h>

struct loop;
struct loop_watch;

struct loop *loop_new(void); /* NULL: no memory or descriptors */
void loop_free(struct loop *loop);
void loop_run(struct loop *loop);  /* until loop_stop() and all that the loop closes is closed */
void loop_stop(struct loop *loop); /* any thread, also a signal handler */

/* Runs fn(context) on the loop's thread, soon, in the order posted. Any thread. The node is the
 * caller's and must live until fn is called: nothing is allocated, so it cannot fail. */
struct loop_post_node {
    struct loop_post_node *next;
    void (*fn)(void *context);
    void *context;
};
void loop_post(struct loop *loop, struct loop_post_node *node);

/* Calls on_ready when fd is readable, or writable while that is asked for. The fd stays the
 * caller's. */
struct loop_watch *loop_watch_new(struct loop *loop, int fd,
                                  void (*on_ready)(bool is_readable, bool is_writable,
                                                   void *context),
                                  void *context);
void loop_watch_writable(struct loop_watch *watch, bool is_wanted);
void loop_watch_free(struct loop_watch *watch); /* before the fd is closed */

/* Calls on_tick every period; at most LOOP_TICKS_MAX. */
enum { LOOP_TICKS_MAX = 8 };
void loop_every(struct loop *loop, unsigned period_ms, void (*on_tick)(void *context),
                void *context);

/* Called at the end of each iteration that did something: the place to flush what was gathered. */
void loop_on_idle(struct loop *loop, void (*on_idle)(void *context), void *context);

/* libuv's version. */
const char *loop_library_version(void);
