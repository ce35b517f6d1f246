/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics/metrics.h"

#include "base/attr.h"
#include "base/buf.h"
#include "metrics/metrics_table.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SHARDS_MAX = 16, LINE_BYTES = 64 };

/* Upper bounds in microseconds. A token takes some hundred; a commit some thousand. */
static const int64_t bounds[] = {100,   250,   500,    1000,   2500,    5000,   10000,
                                 25000, 50000, 100000, 250000, 1000000, 5000000};
enum { BOUNDS = ARRAY_LEN(bounds), HISTOGRAM_CELLS = BOUNDS + 2 /* more, and the sum */ };

struct metrics {
    struct span *route_names;   /* with "none" at the end */
    size_t route_count;         /* with it */
    size_t first[METRIC_COUNT]; /* cell of each metric in a shard */
    size_t shard_cells;         /* a whole number of cache lines */
    size_t shard_count;
    _Atomic int64_t *cells;
};

static size_t label_count(const struct metrics *metrics, enum metric_label label)
{
    return label == METRIC_LABEL_ROUTE ? metrics->route_count : metric_label_rows[label].count;
}

static struct span label_value(const struct metrics *metrics, enum metric_label label, size_t at)
{
    return label == METRIC_LABEL_ROUTE ? metrics->route_names[at]
                                       : metric_label_rows[label].values[at];
}

static size_t width_of(const struct metric_row *row)
{
    return row->kind == METRIC_HISTOGRAM ? HISTOGRAM_CELLS : 1;
}

static bool keep_route_names(struct metrics *metrics, const struct span *names, size_t count)
{
    metrics->route_names = calloc(count + 1, sizeof *metrics->route_names);
    if (metrics->route_names == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        metrics->route_names[i] = names[i];
    metrics->route_names[count] = SPAN("none");
    metrics->route_count = count + 1;
    return true;
}

struct metrics *metrics_new(const struct span *route_names, size_t route_count)
{
    struct metrics *metrics = calloc(1, sizeof *metrics);
    if (metrics == NULL || !keep_route_names(metrics, route_names, route_count)) {
        metrics_free(metrics);
        return NULL;
    }
    size_t cells = 0;
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        const struct metric_row *row = &metric_rows[i];
        metrics->first[i] = cells;
        cells += label_count(metrics, row->labels[0]) * label_count(metrics, row->labels[1]) *
                 width_of(row);
    }
    long cores = sysconf(_SC_NPROCESSORS_CONF);
    const size_t line_cells = LINE_BYTES / sizeof *metrics->cells;
    metrics->shard_cells = (cells + line_cells - 1) / line_cells * line_cells;
    metrics->shard_count = cores < 1 ? 1 : cores > SHARDS_MAX ? SHARDS_MAX : (size_t)cores;
    size_t bytes = metrics->shard_cells * metrics->shard_count * sizeof *metrics->cells;
    metrics->cells = aligned_alloc(LINE_BYTES, bytes);
    if (metrics->cells == NULL) {
        metrics_free(metrics);
        return NULL;
    }
    for (size_t i = 0; i < metrics->shard_cells * metrics->shard_count; i++)
        atomic_init(&metrics->cells[i], 0);
    metric_set(metrics, METRIC_BUILD_INFO, 0, 1);
    return metrics;
}

void metrics_free(struct metrics *metrics)
{
    if (metrics == NULL)
        return;
    free(metrics->route_names);
    free(metrics->cells);
    free(metrics);
}

size_t metric_label_at(enum metric_label label, struct span value)
{
    const struct metric_label_row *row = &metric_label_rows[label];
    size_t at = 0;
    while (at + 1 < row->count && !span_equal(row->values[at], value))
        at++;
    return at;
}

/* A thread that moves to another processor in between adds to a shard that others use: still right.
 */
static _Atomic int64_t *shard_here(const struct metrics *metrics)
{
    int cpu = sched_getcpu();
    return metrics->cells +
           (cpu < 0 ? 0 : (size_t)cpu % metrics->shard_count) * metrics->shard_cells;
}

/* The cell in a shard of these label values. */
static size_t cell_at(const struct metrics *metrics, enum metric metric, size_t first,
                      size_t second)
{
    const struct metric_row *row = &metric_rows[metric];
    size_t firsts = label_count(metrics, row->labels[0]);
    size_t seconds = label_count(metrics, row->labels[1]);
    size_t at = first < firsts ? first : firsts - 1;
    size_t beside = second < seconds ? second : seconds - 1;
    return metrics->first[metric] + (at * seconds + beside) * width_of(row);
}

void metric_add_at(struct metrics *metrics, enum metric metric, size_t first, size_t second,
                   int64_t count)
{
    if (metrics != NULL)
        atomic_fetch_add_explicit(shard_here(metrics) + cell_at(metrics, metric, first, second),
                                  count, memory_order_relaxed);
}

void metric_add(struct metrics *metrics, enum metric metric, int64_t count)
{
    metric_add_at(metrics, metric, 0, 0, count);
}

void metric_set(struct metrics *metrics, enum metric metric, size_t at, int64_t value)
{
    if (metrics != NULL)
        atomic_store_explicit(metrics->cells + cell_at(metrics, metric, at, 0), value,
                              memory_order_relaxed);
}

void metric_observe(struct metrics *metrics, enum metric metric, size_t at, int64_t microseconds)
{
    if (metrics == NULL)
        return;
    _Atomic int64_t *cell = shard_here(metrics) + cell_at(metrics, metric, at, 0);
    size_t bucket = 0;
    while (bucket < BOUNDS && microseconds > bounds[bucket])
        bucket++;
    atomic_fetch_add_explicit(cell + bucket, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(cell + BOUNDS + 1, microseconds, memory_order_relaxed);
}

static int64_t cell_sum(const struct metrics *metrics, size_t cell)
{
    int64_t sum = 0;
    for (size_t i = 0; i < metrics->shard_count; i++)
        sum += atomic_load_explicit(metrics->cells + i * metrics->shard_cells + cell,
                                    memory_order_relaxed);
    return sum;
}

int64_t metric_total(const struct metrics *metrics, enum metric metric)
{
    int64_t total = 0;
    if (metrics == NULL)
        return 0;
    const struct metric_row *row = &metric_rows[metric];
    size_t width = width_of(row);
    size_t series = label_count(metrics, row->labels[0]) * label_count(metrics, row->labels[1]);
    for (size_t i = 0; i < series; i++) {
        for (size_t bucket = 0; bucket < (width == 1 ? 1 : BOUNDS + 1); bucket++)
            total += cell_sum(metrics, metrics->first[metric] + i * width + bucket);
    }
    return total;
}

static void put_seconds(struct buf *out, int64_t microseconds)
{
    buf_printf(out, "%s%lld.%06lld", microseconds < 0 ? "-" : "", llabs(microseconds / 1000000),
               llabs(microseconds % 1000000));
}

/* Name, suffix and labels of a sample. Label values are ours: none needs escaping. */
struct sample {
    const struct metrics *metrics;
    const struct metric_row *row;
    size_t at[2];
};

static void put_name(struct buf *out, const struct sample *sample, const char *suffix,
                     const char *bound)
{
    const char *separator = "{";
    buf_printf(out, "%.*s%s", SPAN_FMT(sample->row->name), suffix);
    for (size_t i = 0; i < 2; i++) {
        enum metric_label label = sample->row->labels[i];
        if (label == METRIC_LABEL_NONE)
            continue;
        struct span value = label_value(sample->metrics, label, sample->at[i]);
        buf_printf(out, "%s%.*s=\"%.*s\"", separator, SPAN_FMT(metric_label_rows[label].name),
                   SPAN_FMT(value));
        separator = ",";
    }
    if (bound != NULL) {
        buf_printf(out, "%sle=\"%s\"", separator, bound);
        separator = ",";
    }
    buf_put(out, separator[0] == ',' ? SPAN("} ") : SPAN(" "));
}

static void put_histogram(struct buf *out, const struct sample *sample, size_t cell)
{
    int64_t count = 0;
    for (size_t i = 0; i <= BOUNDS; i++) {
        char bound[24] = "+Inf";
        struct buf text = {.data = bound, .capacity = sizeof bound, .limit = sizeof bound};
        if (i < BOUNDS) {
            put_seconds(&text, bounds[i]);
            while (text.len > 2 && bound[text.len - 1] == '0' && bound[text.len - 2] != '.')
                text.len--; /* Prometheus compares bounds as text: "1.0" is its own form */
            bound[text.len] = '\0';
        }
        count += cell_sum(sample->metrics, cell + i);
        put_name(out, sample, "_bucket", bound);
        buf_int64(out, count);
        buf_byte(out, '\n');
    }
    put_name(out, sample, "_sum", NULL);
    put_seconds(out, cell_sum(sample->metrics, cell + BOUNDS + 1));
    buf_byte(out, '\n');
    put_name(out, sample, "_count", NULL); /* what the buckets said, also while others count */
    buf_int64(out, count);
    buf_byte(out, '\n');
}

static void put_sample(struct buf *out, const struct sample *sample, size_t cell)
{
    if (sample->row->kind == METRIC_HISTOGRAM) {
        put_histogram(out, sample, cell);
        return;
    }
    int64_t value = cell_sum(sample->metrics, cell);
    if (sample->row->is_sparse && value == 0)
        return;
    put_name(out, sample, "", NULL);
    if (sample->row->is_in_micro)
        put_seconds(out, value);
    else
        buf_int64(out, value);
    buf_byte(out, '\n');
}

static const char *kind_name(enum metric_kind kind)
{
    static const char *const names[] = {
        [METRIC_COUNTER] = "counter", [METRIC_GAUGE] = "gauge", [METRIC_HISTOGRAM] = "histogram"};
    return names[kind];
}

void metrics_write(const struct metrics *metrics, struct buf *out)
{
    for (size_t i = 0; metrics != NULL && i < METRIC_COUNT; i++) {
        const struct metric_row *row = &metric_rows[i];
        struct sample sample = {.metrics = metrics, .row = row};
        size_t cell = metrics->first[i];
        buf_printf(out, "# HELP %.*s %s\n# TYPE %.*s %s\n", SPAN_FMT(row->name), row->help,
                   SPAN_FMT(row->name), kind_name(row->kind));
        for (sample.at[0] = 0; sample.at[0] < label_count(metrics, row->labels[0]);
             sample.at[0]++) {
            for (sample.at[1] = 0; sample.at[1] < label_count(metrics, row->labels[1]);
                 sample.at[1]++, cell += width_of(row))
                put_sample(out, &sample, cell);
        }
    }
}

static void put_label_markdown(struct buf *out, enum metric_label label)
{
    const struct metric_label_row *row = &metric_label_rows[label];
    buf_printf(out, "`%.*s`: ", SPAN_FMT(row->name));
    if (label == METRIC_LABEL_VERSION)
        buf_put(out, SPAN("of the program"));
    else if (row->values == NULL)
        buf_put(out, span_cstr(row->help));
    for (size_t i = 0; label != METRIC_LABEL_VERSION && i < row->count; i++)
        buf_printf(out, "%s%.*s", i == 0 ? "" : ", ", SPAN_FMT(row->values[i]));
}

void metrics_write_markdown(struct buf *out)
{
    buf_put(out, SPAN("| metric | type | labels | what it is |\n| --- | --- | --- | --- |\n"));
    for (const struct metric_row *row = metric_rows; row < metric_rows + METRIC_COUNT; row++) {
        buf_printf(out, "| `%.*s` | %s | ", SPAN_FMT(row->name), kind_name(row->kind));
        for (size_t i = 0; i < 2 && row->labels[i] != METRIC_LABEL_NONE; i++) {
            buf_put(out, i == 0 ? SPAN("") : SPAN("; "));
            put_label_markdown(out, row->labels[i]);
        }
        buf_printf(out, " | %s |\n", row->help);
    }
}
