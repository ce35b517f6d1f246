/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_status.h"

#include "base/clock.h"
#include "codec/json.h"
#include "config/config.h"
#include "limit/limits.h"
#include "metrics/metrics.h"
#include "signing/signing.h"
#include "state/state.h"
#include "store/store.h"
#include "web/app.h"
#include "web/reply.h"

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

enum { SIGNER_TIMEOUT_MS = 1000, METRICS_BYTES_MAX = 1 << 20 };

/* What is kept elsewhere is read when somebody asks. */
static void read_gauges(const struct app *app)
{
    struct metrics *metrics = app->metrics;
    struct state_counts counts = state_count(app->state);
    struct rusage usage = {0};
    (void)getrusage(RUSAGE_SELF, &usage);
    int64_t cpu_us = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * INT64_C(1000000) +
                     usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
    struct mallinfo2 heap = mallinfo2();
    metric_set(metrics, METRIC_REVISION, 0, state_revision(app->state));
    metric_set(metrics, METRIC_CLIENTS, 0, (int64_t)counts.principals);
    metric_set(metrics, METRIC_CLIENT_BYTES, 0, (int64_t)counts.bytes);
    metric_set(metrics, METRIC_HEAP_BYTES, 0, (int64_t)(heap.uordblks + heap.hblkhd));
    metric_set(metrics, METRIC_MEMORY_PEAK, 0, usage.ru_maxrss * INT64_C(1024));
    metric_set(metrics, METRIC_CPU_SECONDS, 0, cpu_us);
}

static void read_limits(const struct app *app)
{
    struct limit_counts counts = {0};
    if (app->limits != NULL)
        limits_counts(app->limits, &counts);
    const struct {
        struct span limit;
        uint64_t count;
    } rows[] = {
        {SPAN("failures"), counts.failures_refused}, {SPAN("address"), counts.requests_refused},
        {SPAN("global"), counts.overall_refused},    {SPAN("client"), counts.tokens_refused},
        {SPAN("overload"), counts.requests_shed},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        metric_set(app->metrics, METRIC_LIMITS_HIT,
                   metric_label_at(METRIC_LABEL_LIMIT, rows[i].limit), (int64_t)rows[i].count);
}

void api_metrics_get(struct exchange *x)
{
    read_gauges(x->app);
    read_limits(x->app);
    x->reply.status = 200;
    x->reply.content_type = SPAN("text/plain; version=0.0.4; charset=utf-8");
    reply_header(x, SPAN("Cache-Control"), SPAN("no-store"));
    buf_init_arena(&x->reply.body, &x->arena, METRICS_BYTES_MAX);
    metrics_write(x->app->metrics, &x->reply.body);
}

static void write_parts(struct exchange *x, struct json_writer *writer)
{
    const struct signing_request ask = {.op = SIGNING_CLOCK};
    struct signing_reply reply;
    bool has_store = store_ping(x->app->store, NULL) == OK;
    struct err damage = {0};
    bool is_damaged = has_store && store_check(x->app->store, &damage) == CORRUPT;
    bool has_signer = signing_call(x->lane, &ask, SIGNER_TIMEOUT_MS, &x->arena, &reply, NULL) == OK;
    json_member_bool(writer, SPAN("store_answers"), has_store);
    if (is_damaged)
        json_member_text(writer, SPAN("store_damage"), span_cstr(damage.detail));
    json_member_bool(writer, SPAN("signer_answers"), has_signer);
    if (has_signer) {
        json_member_bool(writer, SPAN("clock_is_held"), reply.clock.is_held);
        json_member_int(writer, SPAN("token_clock"), reply.clock.now_us / 1000000);
    }
    json_member_int(writer, SPAN("wall_clock"), clock_wall_seconds());
}

static void write_numbers(const struct exchange *x, struct json_writer *writer)
{
    static const struct {
        struct span name;
        enum metric metric;
    } numbers[] = {
        {SPAN_INIT("started_at"), METRIC_START_TIME},
        {SPAN_INIT("connections"), METRIC_CONNECTIONS_OPEN},
        {SPAN_INIT("events_dropped"), METRIC_EVENTS_DROPPED},
        {SPAN_INIT("commits_failed"), METRIC_COMMITS_FAILED},
        {SPAN_INIT("tls_not_after"), METRIC_TLS_NOT_AFTER}, /* 0: no TLS */
        {SPAN_INIT("landlock_abi"), METRIC_LANDLOCK_ABI},   /* 0: none */
    };
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        json_member_int(writer, numbers[i].name, metric_total(x->app->metrics, numbers[i].metric));
    json_member_int(writer, SPAN("connections_max"), x->app->config->connections_max);
    json_member_int(writer, SPAN("schema_version"), (int64_t)store_schema_version());
    json_member_int(writer, SPAN("front_pid"), getpid());
    json_member_int(writer, SPAN("supervisor_pid"), getppid());
}

void api_status_get(struct exchange *x)
{
    const struct app *app = x->app;
    struct json_writer writer = reply_json(x, 200);
    reply_header(x, SPAN("Cache-Control"), SPAN("no-store"));
    json_object_open(&writer);
    json_member_text(&writer, SPAN("version"), SPAN(POSTERN_VERSION));
    for (size_t i = 0; i < app->fact_count; i++)
        json_member_text(&writer, app->facts[i].name, app->facts[i].value);
    json_member_text(&writer, SPAN("public_url"), app->issuer);
    json_member_text(&writer, SPAN("events"), app->config->events);
    json_name(&writer, SPAN("listen"));
    json_array_open(&writer);
    for (size_t i = 0; i < app->config->listen_count; i++)
        json_write_text(&writer, app->config->listen[i]);
    json_array_close(&writer);
    write_parts(x, &writer);
    write_numbers(x, &writer);
    json_object_close(&writer);
}
