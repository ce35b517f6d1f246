/* SPDX-License-Identifier: Apache-2.0 */
#include "events/events.h"

#include "../unit.h"

#include "metrics/metrics.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#undef fail

enum { PUTS = 2000, QUEUE_BYTES = 4096, PIPE_BYTES = 4096 };

static const struct event issued = {
    .at = 1800000000,
    .is_issued = true,
    .token_id = SPAN_INIT("jti1"),
    .credential_id = SPAN_INIT("crd_1"),
    .client_id = SPAN_INIT("client1"),
    .app_client_id = SPAN_INIT("app_1"),
    .audience = SPAN_INIT("https://a.example/v2"),
    .address = SPAN_INIT("192.0.2.1"),
    .request_id = SPAN_INIT("0123456789ABCDEF"),
};

/* Standard error is the sink here: a pipe takes its place for a while. */
struct sink {
    int kept_fd;
    int read_fd;
    size_t len;
    char text[1 << 20];
};

static void open_sink(struct sink *sink)
{
    int ends[2];
    sink->len = 0;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    (void)fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES);
    sink->kept_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    sink->read_fd = ends[0];
    assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
    (void)close(ends[1]);
}

static void *read_all(void *context)
{
    struct sink *sink = context;
    ssize_t got;
    while ((got = read(sink->read_fd, sink->text + sink->len, sizeof sink->text - sink->len)) > 0)
        sink->len += (size_t)got;
    return NULL;
}

static void give_back(const struct sink *sink)
{
    (void)dup2(sink->kept_fd, STDERR_FILENO);
    (void)close(sink->kept_fd);
}

static struct events *open_events(struct metrics *metrics, size_t queue_bytes)
{
    const struct events_options options = {
        .sink = EVENTS_STDERR, .data_fd = -1, .queue_bytes = queue_bytes, .metrics = metrics};
    struct events *events = NULL;
    assert_int_equal(events_open(&options, &events, NULL), OK);
    return events;
}

static void a_line_says_who_got_what(void **state)
{
    (void)state;
    struct sink *sink = calloc(1, sizeof *sink);
    open_sink(sink);
    struct events *events = open_events(NULL, QUEUE_BYTES);
    const struct event refused = {
        .at = 1800000000, .error = SPAN("invalid_client"), .address = SPAN("192.0.2.1\"\n")};
    events_put(events, &issued);
    events_put(events, &refused);
    events_close(events);
    give_back(sink);
    (void)read_all(sink);
    assert_span_equal(
        span_of(sink->text, sink->len),
        "{\"time\":\"2027-01-15T08:00:00Z\",\"event\":\"token_issued\",\"jti\":\"jti1\","
        "\"credential_id\":\"crd_1\",\"client_id\":\"client1\",\"app_client_id\":\"app_1\","
        "\"audience\":\"https://a.example/v2\",\"address\":\"192.0.2.1\","
        "\"request_id\":\"0123456789ABCDEF\"}\n"
        "{\"time\":\"2027-01-15T08:00:00Z\",\"event\":\"token_refused\","
        "\"error\":\"invalid_client\",\"address\":\"192.0.2.1\\\"\\n\"}\n");
    (void)close(sink->read_fd);
    free(sink);
}

/* Nobody reads: what the pipe and the queue do not hold is dropped, and nobody waits. Then somebody
 * reads: each line was written or is in the number that the log says it lost. */
static void a_sink_that_stands_still_costs_lines_and_no_time(void **state)
{
    (void)state;
    struct sink *sink = calloc(1, sizeof *sink);
    struct metrics *metrics = metrics_new(NULL, 0);
    pthread_t reader;
    open_sink(sink);
    struct events *events = open_events(metrics, QUEUE_BYTES);
    for (int i = 0; i < PUTS; i++)
        events_put(events, &issued);
    int64_t dropped = metric_total(metrics, METRIC_EVENTS_DROPPED);
    assert_int_equal(pthread_create(&reader, NULL, read_all, sink), 0);
    events_close(events);
    give_back(sink);
    (void)pthread_join(reader, NULL);
    assert_true(dropped > 0);
    assert_int_equal(metric_total(metrics, METRIC_EVENTS_WRITTEN) + dropped, PUTS);

    int64_t written = 0;
    int64_t told = 0;
    struct span text = span_of(sink->text, sink->len);
    struct span line;
    while (span_cut(&text, '\n', &line)) {
        const char *count = memmem(line.ptr, line.len, "\"count\":", 8);
        if (memmem(line.ptr, line.len, "token_issued", 12) != NULL)
            written++;
        else if (count != NULL)
            told += strtoll(count + 8, NULL, 10);
    }
    assert_int_equal(written, metric_total(metrics, METRIC_EVENTS_WRITTEN));
    assert_int_equal(told, dropped);
    metrics_free(metrics);
    (void)close(sink->read_fd);
    free(sink);
}

static void a_log_that_is_off_takes_events_and_does_nothing(void **state)
{
    (void)state;
    events_put(NULL, &issued);
    events_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_says_who_got_what),
        cmocka_unit_test(a_sink_that_stands_still_costs_lines_and_no_time),
        cmocka_unit_test(a_log_that_is_off_takes_events_and_does_nothing),
    };
    return RUN_TESTS(tests);
}
