/* SPDX-License-Identifier: Apache-2.0 */
/* The event log: one JSON line for each token issued or refused, written by a thread of its own.
 *
 * Whoever puts a line never waits for the sink: what finds no room in memory is dropped and
 * counted, and the log says how many lines it lost when it goes on. Lines hold names and ids, never
 * a secret or token. Nothing is synchronised to the disk: the audit trail in the database is what
 * is durable. */
#pragma once

#include "base/attr.h"
#include "base/span.h"
#include "base/status.h"

struct events;
struct metrics;

enum events_sink { EVENTS_STDERR, EVENTS_FILE };

struct events_options {
    enum events_sink sink;
    int data_fd;         /* of EVENTS_FILE: events/ is beneath it; borrowed */
    int64_t bytes_max;   /* of all files together */
    int64_t seconds_max; /* age of a file's end */
    size_t queue_bytes;  /* lines that wait, in memory; twice this is taken */
    struct metrics *metrics;
};

/* Opens the sink and starts the thread. UNAVAILABLE: the folder cannot be opened. */
enum status events_open(const struct events_options *options, struct events **ret_events,
                        struct err *err) MUST_USE;
/* Writes what waits; ends the thread. NULL is fine. */
void events_close(struct events *events);

struct event {
    int64_t at; /* seconds since the epoch */
    bool is_issued;
    struct span error; /* OAuth's code, of what was refused */
    struct span token_id;
    struct span credential_id;
    struct span client_id;
    struct span app_client_id;
    struct span audience;
    struct span address;
    struct span request_id;
};

/* Any thread; NULL for events: off. Empty members are left out. */
void events_put(struct events *events, const struct event *event);
