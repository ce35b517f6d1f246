/* SPDX-License-Identifier: Apache-2.0 */
/* What the operator can measure: one table (metrics_table.c) with a row for each metric, its label
 * values fixed when the program starts, so that no request can make a new time series. Never a
 * secret, an id or an address.
 *
 * Counting takes one relaxed atomic addition in the shard of the processor at hand; a scrape adds
 * the shards up. Any thread. Every function takes NULL for metrics and then does nothing: a unit
 * test needs none. */
#pragma once

#include "base/span.h"

struct buf;
struct metrics;

enum metric {
    METRIC_TOKENS_ISSUED,   /* alg */
    METRIC_TOKENS_REFUSED,  /* error */
    METRIC_REQUESTS,        /* route, status */
    METRIC_REQUEST_SECONDS, /* lane */
    METRIC_EDGE_REFUSALS,   /* status */
    METRIC_CONNECTIONS_OPEN,
    METRIC_CONNECTIONS_ACCEPTED,
    METRIC_CONNECTIONS_REFUSED,
    METRIC_SIGNER_WAITING,
    METRIC_SIGNER_SECONDS,
    METRIC_WORKERS_WAITING,
    METRIC_WORKERS_SHED,
    METRIC_COMMIT_SECONDS,
    METRIC_COMMITS_FAILED,
    METRIC_REVISION,
    METRIC_CLIENTS,
    METRIC_CLIENT_BYTES,
    METRIC_CLIENT_LOOKUPS, /* result */
    METRIC_USES_WRITTEN,
    METRIC_UNSEALS,
    METRIC_EVENTS_WRITTEN,
    METRIC_EVENTS_DROPPED,
    METRIC_LIMITS_HIT, /* limit */
    METRIC_TLS_NOT_AFTER,
    METRIC_SANDBOX, /* process */
    METRIC_LANDLOCK_ABI,
    METRIC_HEAP_BYTES,
    METRIC_MEMORY_PEAK,
    METRIC_CPU_SECONDS,
    METRIC_START_TIME,
    METRIC_BUILD_INFO, /* version */
    METRIC_COUNT,
};

/* The closed sets of label values. */
enum metric_label {
    METRIC_LABEL_NONE,
    METRIC_LABEL_ALG,
    METRIC_LABEL_ERROR,
    METRIC_LABEL_ROUTE,  /* given to metrics_new(), with one more for what no route takes */
    METRIC_LABEL_STATUS, /* "1xx" to "5xx" */
    METRIC_LABEL_REFUSAL,
    METRIC_LABEL_LANE,
    METRIC_LABEL_RESULT,
    METRIC_LABEL_LIMIT,
    METRIC_LABEL_PROCESS,
    METRIC_LABEL_VERSION,
    METRIC_LABEL_COUNT,
};

/* Label values by their place in the table, where the code knows them. */
enum { METRIC_LANE_LOOP, METRIC_LANE_WORKER };
enum { METRIC_RESULT_HIT, METRIC_RESULT_MISS };
enum { METRIC_PROCESS_FRONT, METRIC_PROCESS_SIGNER };

/* route_names: the label values of METRIC_LABEL_ROUTE, in this order; the list is copied, its text
 * must outlive the metrics. NULL without memory. */
struct metrics *metrics_new(const struct span *route_names, size_t route_count);
void metrics_free(struct metrics *metrics); /* NULL is fine */

/* The place of a label's value: the last one, "other", for what is not in the table. */
size_t metric_label_at(enum metric_label label, struct span value);

/* Adds to a counter or gauge without labels, or with labels to that of these places. A place that
 * does not exist is the last one. */
void metric_add(struct metrics *metrics, enum metric metric, int64_t count);
void metric_add_at(struct metrics *metrics, enum metric metric, size_t first, size_t second,
                   int64_t count);

/* Sets a gauge, or a counter that is kept elsewhere. Not to be mixed with adding. */
void metric_set(struct metrics *metrics, enum metric metric, size_t at, int64_t value);

/* One observation of a histogram, in microseconds. */
void metric_observe(struct metrics *metrics, enum metric metric, size_t at, int64_t microseconds);

/* The value as it stands, all shards and label values together; for `postern doctor` and tests. */
int64_t metric_total(const struct metrics *metrics, enum metric metric);

/* Prometheus text format 0.0.4. */
void metrics_write(const struct metrics *metrics, struct buf *out);

/* The table of all metrics as Markdown: docs/metrics.md. */
void metrics_write_markdown(struct buf *out);
