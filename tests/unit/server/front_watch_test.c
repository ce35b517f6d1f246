/* SPDX-License-Identifier: Apache-2.0 */
#include "server/front_watch.h"

#include "../exchange_fixture.h"

#include "config/config.h"
#include "metrics/metrics.h"
#include "web/route.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { REFUSALS = 1000 };

static const struct route routes[] = {{.name = SPAN_INIT("getToken")}};
static const struct span names[] = {SPAN_INIT("getToken")};

/* What is written to standard error while there is a fixture. */
struct bench {
    struct exchange_fixture e;
    struct config config;
    struct front_watch watch;
    int kept_fd;
    int file_fd;
    char text[1 << 16];
};

static struct bench *bench_open(void)
{
    struct bench *bench = calloc(1, sizeof *bench);
    fixture_open(&bench->e, HTTP_POST, "/oauth2/token");
    config_defaults(&bench->config);
    bench->e.app.config = &bench->config;
    bench->e.app.routes = routes;
    bench->e.app.route_count = ARRAY_LEN(routes);
    bench->e.app.metrics = metrics_new(names, ARRAY_LEN(names));
    bench->e.x.peer.address = SPAN("192.0.2.1");
    bench->kept_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    bench->file_fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    assert_true(bench->file_fd >= 0 && dup2(bench->file_fd, STDERR_FILENO) >= 0);
    return bench;
}

/* The lines so far; standard error is the test's again. */
static struct span bench_text(struct bench *bench)
{
    (void)dup2(bench->kept_fd, STDERR_FILENO);
    ssize_t len = pread(bench->file_fd, bench->text, sizeof bench->text, 0);
    return span_of(bench->text, len < 0 ? 0 : (size_t)len);
}

static void bench_close(struct bench *bench)
{
    (void)close(bench->kept_fd);
    (void)close(bench->file_fd);
    metrics_free(bench->e.app.metrics);
    fixture_close(&bench->e);
    free(bench);
}

static int count_of(struct span text, const char *words)
{
    int count = 0;
    struct span line;
    while (span_cut(&text, '\n', &line))
        count += memmem(line.ptr, line.len, words, strlen(words)) != NULL;
    return count;
}

static void refusals_reach_the_log_at_a_bounded_rate(void **state)
{
    (void)state;
    struct bench *bench = bench_open();
    struct exchange *x = &bench->e.x;
    x->reply = (struct reply){.status = 431, .is_refusal = true};
    for (int i = 0; i < REFUSALS; i++)
        front_watch_reply(&bench->watch, x);
    front_watch_tick(&bench->watch, x->now + 1);
    front_watch_tick(&bench->watch, x->now + 2);
    struct span text = bench_text(bench);
    assert_int_equal(count_of(text, "refused with 431 at the edge, from 192.0.2.1"), 5);
    assert_int_equal(count_of(text, "995 more refusals"), 1);
    assert_int_equal(count_of(text, ""), 6);
    assert_int_equal(metric_total(bench->e.app.metrics, METRIC_EDGE_REFUSALS), REFUSALS);
    assert_int_equal(metric_total(bench->e.app.metrics, METRIC_REQUESTS), REFUSALS);
    bench_close(bench);
}

static void a_failure_is_told_with_its_request_and_cause(void **state)
{
    (void)state;
    struct bench *bench = bench_open();
    struct exchange *x = &bench->e.x;
    x->route = &routes[0];
    x->reply.status = 503;
    (void)fail(&x->err, UNAVAILABLE, "the disk is full");
    front_watch_reply(&bench->watch, x);
    struct span text = bench_text(bench);
    assert_int_equal(
        count_of(text, "getToken failed with 503: the disk is full (request 0123456789abcdef)"), 1);
    bench_close(bench);
}

/* Nothing that the peer wrote is in the line: not the target, the query or a header. */
static void a_request_is_told_by_its_route_when_asked_for(void **state)
{
    (void)state;
    struct bench *bench = bench_open();
    struct exchange *x = &bench->e.x;
    x->target = SPAN("/oauth2/token?client_secret=hunter2");
    x->query = SPAN("client_secret=hunter2");
    x->path = SPAN("/oauth2/token/hunter2");
    x->method_name = SPAN("HUNTER2");
    x->reply.status = 200;
    x->route = &routes[0];
    front_watch_reply(&bench->watch, x); /* off by default */
    bench->config.log_requests = SPAN("true");
    front_watch_reply(&bench->watch, x);
    x->route = NULL;
    x->method = HTTP_OTHER;
    x->reply.status = 404;
    front_watch_reply(&bench->watch, x);
    struct span text = bench_text(bench);
    assert_int_equal(count_of(text, "POST getToken 200 "), 1);
    assert_int_equal(count_of(text, " none 404 "), 1);
    assert_int_equal(count_of(text, "hunter2"), 0);
    assert_int_equal(count_of(text, "HUNTER2"), 0);
    bench_close(bench);
}

static void token_outcomes_are_counted(void **state)
{
    (void)state;
    struct bench *bench = bench_open();
    struct exchange *x = &bench->e.x;
    struct token_event event = {.token_id = SPAN("jti")};
    x->event = &event;
    x->reply.status = 200;
    front_watch_reply(&bench->watch, x);
    x->reply.status = 503; /* a reply that could not be made: none was issued */
    x->oauth_error = SPAN("temporarily_unavailable");
    front_watch_reply(&bench->watch, x);
    event.token_id = SPAN("");
    x->reply.status = 401;
    x->oauth_error = SPAN("invalid_client");
    front_watch_reply(&bench->watch, x);
    (void)bench_text(bench);
    assert_int_equal(metric_total(bench->e.app.metrics, METRIC_TOKENS_ISSUED), 1);
    assert_int_equal(metric_total(bench->e.app.metrics, METRIC_TOKENS_REFUSED), 2);
    bench_close(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refusals_reach_the_log_at_a_bounded_rate),
        cmocka_unit_test(a_failure_is_told_with_its_request_and_cause),
        cmocka_unit_test(a_request_is_told_by_its_route_when_asked_for),
        cmocka_unit_test(token_outcomes_are_counted),
    };
    return RUN_TESTS(tests);
}
