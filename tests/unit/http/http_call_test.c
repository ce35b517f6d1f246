/* SPDX-License-Identifier: Apache-2.0 */
#include "http/http_call.h"

#include "server_fixture.h"

static int start(void **state)
{
    struct http_limits limits = fixture_limits();
    struct fixture *fixture = fixture_start(&limits);
    fixture_go(fixture);
    *state = fixture;
    return 0;
}

static int stop(void **state)
{
    fixture_stop(*state);
    return 0;
}

static struct http_call call_of(const char *method, const char *target)
{
    return (struct http_call){.method = span_cstr(method),
                              .target = span_cstr(target),
                              .timeout_ms = FIXTURE_PATIENCE_SECONDS * 1000};
}

static void call_reaches_a_real_server(void **state)
{
    struct arena arena;
    struct err err = {0};
    struct http_answer answer;
    arena_init(&arena, 64 << 20);
    struct http_call call = call_of("POST", "/a?b");
    call.body = SPAN("{\"a\":1}");
    call.socket_fd = client_open(*state);
    assert_int_equal(http_call(&call, &arena, &answer, &err), OK);
    (void)close(call.socket_fd);
    assert_int_equal(answer.status, 200);
    assert_span_equal(answer.body, "POST|/a|b|7|{\"a\":1}|127.0.0.1");

    call = call_of("HEAD", "/a");
    call.socket_fd = client_open(*state);
    assert_int_equal(http_call(&call, &arena, &answer, &err), OK);
    (void)close(call.socket_fd);
    assert_int_equal(answer.body.len, 0);

    call = call_of("GET", "/big");
    call.socket_fd = client_open(*state);
    assert_int_equal(http_call(&call, &arena, &answer, &err), OK);
    (void)close(call.socket_fd);
    assert_int_equal(answer.body.len, FIXTURE_BIG_BODY);
    arena_done(&arena);
}

static void early_answer_to_a_large_body_is_read(void **state)
{
    struct arena arena;
    struct err err = {0};
    struct http_answer answer;
    arena_init(&arena, 1 << 20);
    char *body = calloc(1, 900000);
    assert_non_null(body);
    struct http_call call = call_of("POST", "/a");
    call.body = span_of(body, 900000);
    call.socket_fd = client_open(*state);
    assert_int_equal(http_call(&call, &arena, &answer, &err), OK);
    (void)close(call.socket_fd);
    assert_int_equal(answer.status, 413);
    free(body);
    arena_done(&arena);
}

/* What a server that says just this is taken for. */
static enum status call_answered_by(struct span answer_bytes, struct http_answer *ret_answer,
                                    struct arena *arena)
{
    int fds[2];
    struct err err = {0};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    assert_int_equal(send(fds[1], answer_bytes.ptr, answer_bytes.len, 0), answer_bytes.len);
    (void)shutdown(fds[1], SHUT_WR);
    struct http_call call = call_of("GET", "/a");
    call.socket_fd = fds[0];
    enum status status = http_call(&call, arena, ret_answer, &err);
    assert_true(status == OK || err.detail[0] != '\0');
    (void)close(fds[0]);
    (void)close(fds[1]);
    return status;
}

static void answers_of_all_shapes(void **state)
{
    (void)state;
    struct arena arena;
    struct http_answer answer;
    arena_init(&arena, 1 << 20);
    assert_int_equal(call_answered_by(SPAN("HTTP/1.1 100 Continue\r\n\r\n"
                                           "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok"),
                                      &answer, &arena),
                     OK);
    assert_int_equal(answer.status, 201);
    assert_span_equal(answer.body, "ok");
    assert_int_equal(call_answered_by(SPAN("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                           "1\r\na\r\n1\r\nb\r\n0\r\n\r\n"),
                                      &answer, &arena),
                     OK);
    assert_span_equal(answer.body, "ab");
    assert_int_equal(
        call_answered_by(SPAN("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end"), &answer,
                         &arena),
        OK);
    assert_span_equal(answer.body, "to the end");
    assert_int_equal(call_answered_by(SPAN("HTTP/1.1 204 No Content\r\n\r\n"), &answer, &arena),
                     OK);
    assert_int_equal(answer.status, 204);
    assert_int_equal(answer.body.len, 0);
    assert_int_equal(call_answered_by(SPAN("SSH-2.0-x\r\n"), &answer, &arena), INVALID);
    assert_int_equal(call_answered_by(SPAN("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
                                           "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
                                      &answer, &arena),
                     INVALID);
    arena_done(&arena);
}

static void answer_cut_short_is_unavailable(void **state)
{
    (void)state;
    struct arena arena;
    struct http_answer answer;
    arena_init(&arena, 1 << 20);
    struct span whole = SPAN("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");
    for (size_t cut = 0; cut < whole.len; cut++)
        assert_int_equal(call_answered_by(span_first(whole, cut), &answer, &arena), UNAVAILABLE);
    arena_done(&arena);
}

static void silence_is_unavailable(void **state)
{
    (void)state;
    int fds[2];
    struct arena arena;
    struct err err = {0};
    struct http_answer answer;
    arena_init(&arena, 1 << 20);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    struct http_call call = call_of("GET", "/a");
    call.socket_fd = fds[0];
    call.timeout_ms = 10;
    assert_int_equal(http_call(&call, &arena, &answer, &err), UNAVAILABLE);
    (void)close(fds[0]);
    (void)close(fds[1]);
    arena_done(&arena);
}

static void *send_too_much(void *context)
{
    const int *fd = context;
    static const char zeros[65536];
    client_send(*fd, SPAN("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"));
    for (int i = 0; i < 300; i++)
        client_send(*fd, span_of(zeros, sizeof zeros));
    (void)shutdown(*fd, SHUT_WR);
    return NULL;
}

static void answer_over_16_mib_is_too_large(void **state)
{
    (void)state;
    int fds[2];
    pthread_t thread;
    struct arena arena;
    struct err err = {0};
    struct http_answer answer;
    arena_init(&arena, 64 << 20);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    assert_int_equal(pthread_create(&thread, NULL, send_too_much, &fds[1]), 0);
    struct http_call call = call_of("GET", "/a");
    call.socket_fd = fds[0];
    assert_int_equal(http_call(&call, &arena, &answer, &err), TOO_LARGE);
    (void)close(fds[0]);
    (void)pthread_join(thread, NULL);
    (void)close(fds[1]);
    arena_done(&arena);
}

static void what_would_split_the_request_is_refused(void **state)
{
    (void)state;
    struct arena arena;
    struct http_answer answer;
    arena_init(&arena, 1 << 20);
    struct header header = {SPAN("X"), SPAN("a\r\nY: b")};
    struct http_call calls[] = {call_of("GET", "/a b"), call_of("GET", "a"), call_of("G T", "/a"),
                                call_of("GET", "/a\r\nX: y"), call_of("GET", "/a")};
    calls[4].headers = &header;
    calls[4].header_count = 1;
    for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
        struct err err = {0};
        calls[i].socket_fd = -1;
        assert_int_equal(http_call(&calls[i], &arena, &answer, &err), INVALID);
    }
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(call_reaches_a_real_server, start, stop),
        cmocka_unit_test_setup_teardown(early_answer_to_a_large_body_is_read, start, stop),
        cmocka_unit_test(answers_of_all_shapes),
        cmocka_unit_test(answer_cut_short_is_unavailable),
        cmocka_unit_test(silence_is_unavailable),
        cmocka_unit_test(answer_over_16_mib_is_too_large),
        cmocka_unit_test(what_would_split_the_request_is_refused),
    };
    return RUN_TESTS(tests);
}
