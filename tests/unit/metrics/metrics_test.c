/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics/metrics.h"

#include "../unit.h"

#include "base/attr.h"
#include "base/buf.h"
#include "metrics/metrics_table.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const struct span routes[] = {SPAN_INIT("getToken"), SPAN_INIT("getHealth")};

static void with_text(const struct metrics *metrics, void (*check)(struct span text))
{
    struct buf text AUTO(buf);
    buf_init(&text, 1 << 20);
    metrics_write(metrics, &text);
    assert_true(buf_ok(&text));
    check(buf_span(&text));
}

/* The value behind name (with its labels) at the start of a line; -1 when there is no such line. */
static int64_t value_of(struct span text, const char *name)
{
    struct span line;
    bool is_more = true;
    struct span wanted = span_cstr(name);
    while (is_more) {
        int64_t value;
        is_more = span_cut(&text, '\n', &line);
        if (span_starts(line, wanted) && line.len > wanted.len && line.ptr[wanted.len] == ' ' &&
            span_to_int64(span_from(line, wanted.len + 1), &value))
            return value;
    }
    return -1;
}

static void *add_many(void *context)
{
    for (int i = 0; i < 100000; i++) {
        metric_add_at(context, METRIC_REQUESTS, 0, 1, 1);
        metric_observe(context, METRIC_SIGNER_SECONDS, 0, i % 1000);
    }
    return NULL;
}

static void check_many(struct span text)
{
    assert_int_equal(
        value_of(text, "postern_http_requests_total{route=\"getToken\",status=\"2xx\"}"), 400000);
    assert_int_equal(value_of(text, "postern_signer_duration_seconds_count"), 400000);
    assert_int_equal(value_of(text, "postern_signer_duration_seconds_bucket{le=\"+Inf\"}"), 400000);
}

static void nothing_is_lost_between_threads(void **state)
{
    (void)state;
    struct metrics *metrics = metrics_new(routes, ARRAY_LEN(routes));
    pthread_t threads[4];
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, add_many, metrics), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        (void)pthread_join(threads[i], NULL);
    with_text(metrics, check_many);
    assert_int_equal(metric_total(metrics, METRIC_REQUESTS), 400000);
    assert_int_equal(metric_total(metrics, METRIC_SIGNER_SECONDS), 400000);
    metrics_free(metrics);
}

static void check_buckets(struct span text)
{
    static const char name[] = "postern_http_request_duration_seconds";
    static const struct {
        const char *bound;
        int64_t count;
    } buckets[] = {{"0.0001", 2}, {"0.00025", 3}, {"0.0005", 3},
                   {"1.0", 3},    {"5.0", 4},     {"+Inf", 5}};
    for (size_t i = 0; i < ARRAY_LEN(buckets); i++) {
        char line[128];
        (void)snprintf(line, sizeof line, "%s_bucket{lane=\"worker\",le=\"%s\"}", name,
                       buckets[i].bound);
        assert_int_equal(value_of(text, line), buckets[i].count);
    }
    assert_int_equal(value_of(text, "postern_http_request_duration_seconds_count{lane=\"worker\"}"),
                     5);
    assert_int_equal(value_of(text, "postern_http_request_duration_seconds_count{lane=\"loop\"}"),
                     0);
    assert_non_null(
        memmem(text.ptr, text.len,
               "postern_http_request_duration_seconds_sum{lane=\"worker\"} 11.000301\n",
               strlen("postern_http_request_duration_seconds_sum{lane=\"worker\"} 11.000301\n")));
}

static void a_histogram_counts_up_to_its_bounds(void **state)
{
    (void)state;
    struct metrics *metrics = metrics_new(routes, ARRAY_LEN(routes));
    static const int64_t observed[] = {0, 100, 201, 5000000, 6000000};
    for (size_t i = 0; i < ARRAY_LEN(observed); i++)
        metric_observe(metrics, METRIC_REQUEST_SECONDS, METRIC_LANE_WORKER, observed[i]);
    with_text(metrics, check_buckets);
    metrics_free(metrics);
}

static void check_gauges(struct span text)
{
    assert_int_equal(value_of(text, "postern_connections"), 1);
    assert_int_equal(value_of(text, "postern_sandbox_in_force{process=\"signer\"}"), 1);
    assert_int_equal(value_of(text, "postern_sandbox_in_force{process=\"front\"}"), 0);
    assert_int_equal(value_of(text, "postern_tls_certificate_not_after_seconds"), -1);
    assert_int_equal(value_of(text, "postern_http_requests_total{route=\"none\",status=\"4xx\"}"),
                     2);
    assert_int_equal(value_of(text, "postern_tokens_refused_total{error=\"other\"}"), 1);
    assert_int_equal(value_of(text, "postern_tokens_refused_total{error=\"invalid_client\"}"), 1);
    assert_int_equal(value_of(text, "postern_build_info{version=\"" POSTERN_VERSION "\"}"), 1);
}

static void gauges_and_labels_go_where_they_belong(void **state)
{
    (void)state;
    struct metrics *metrics = metrics_new(routes, ARRAY_LEN(routes));
    metric_add(metrics, METRIC_CONNECTIONS_OPEN, 2);
    metric_add(metrics, METRIC_CONNECTIONS_OPEN, -1);
    metric_set(metrics, METRIC_SANDBOX, METRIC_PROCESS_SIGNER, 1);
    metric_add_at(metrics, METRIC_REQUESTS, 2, 3, 1);
    metric_add_at(metrics, METRIC_REQUESTS, 999, 3, 1); /* no such route: the last */
    static const struct span errors[] = {SPAN_INIT("invalid_client"), SPAN_INIT("made_up\"\n")};
    for (size_t i = 0; i < ARRAY_LEN(errors); i++)
        metric_add_at(metrics, METRIC_TOKENS_REFUSED,
                      metric_label_at(METRIC_LABEL_ERROR, errors[i]), 0, 1);
    with_text(metrics, check_gauges);
    metrics_free(metrics);
}

static void check_format(struct span text)
{
    struct span line;
    struct span name = {0};
    size_t families = 0;
    assert_true(text.len > 0 && text.ptr[text.len - 1] == '\n');
    while (span_cut(&text, '\n', &line)) {
        struct span head;
        struct span rest = line;
        if (span_starts(line, SPAN("# HELP "))) {
            rest = span_from(line, strlen("# HELP "));
            assert_true(span_cut(&rest, ' ', &name) && rest.len > 0);
            assert_int_equal(span_find(rest, '\\'), rest.len);
            families++;
            continue;
        }
        if (span_starts(line, SPAN("# TYPE "))) {
            rest = span_from(line, strlen("# TYPE "));
            assert_true(span_cut(&rest, ' ', &head) && span_equal(head, name));
            continue;
        }
        assert_true(span_starts(line, name)); /* the samples of a family stand together */
        size_t blank = span_find(line, ' ');
        assert_true(blank < line.len);
        assert_true(span_only(span_from(line, blank + 1), "0123456789.-"));
        head = span_first(line, span_find(line, '{'));
        head = span_first(head, span_find(head, ' '));
        assert_true(span_only(head, "abcdefghijklmnopqrstuvwxyz_"));
    }
    assert_int_equal(families, METRIC_COUNT);
}

static void the_text_is_what_prometheus_reads(void **state)
{
    (void)state;
    struct metrics *metrics = metrics_new(routes, ARRAY_LEN(routes));
    (void)add_many(metrics);
    with_text(metrics, check_format);
    metrics_free(metrics);
}

/* Counters end in _total and nothing else does; each row says what it is. */
static void the_table_follows_the_naming_rules(void **state)
{
    (void)state;
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        const struct metric_row *row = &metric_rows[i];
        assert_true(row->name.len > 6);
        bool is_total = span_equal(span_from(row->name, row->name.len - 6), SPAN("_total"));
        assert_int_equal(is_total, row->kind == METRIC_COUNTER);
        assert_true(row->help != NULL && row->help[strlen(row->help) - 1] == '.');
        for (size_t j = 0; j < i; j++)
            assert_false(span_equal(row->name, metric_rows[j].name));
    }
}

static void without_metrics_nothing_happens(void **state)
{
    (void)state;
    metric_add(NULL, METRIC_USES_WRITTEN, 1);
    metric_set(NULL, METRIC_REVISION, 0, 1);
    metric_observe(NULL, METRIC_SIGNER_SECONDS, 0, 1);
    assert_int_equal(metric_total(NULL, METRIC_USES_WRITTEN), 0);
    metrics_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost_between_threads),
        cmocka_unit_test(a_histogram_counts_up_to_its_bounds),
        cmocka_unit_test(gauges_and_labels_go_where_they_belong),
        cmocka_unit_test(the_text_is_what_prometheus_reads),
        cmocka_unit_test(the_table_follows_the_naming_rules),
        cmocka_unit_test(without_metrics_nothing_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
