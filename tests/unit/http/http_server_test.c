/* SPDX-License-Identifier: Apache-2.0 */
#include "base/random.h"

#include "server_fixture.h"

#include <sys/resource.h>

enum { PIPELINED = 1000 };

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"

static int start_with(void **state, const struct http_limits *limits)
{
    struct fixture *fixture = fixture_start(limits);
    fixture_go(fixture);
    *state = fixture;
    return 0;
}

static int start(void **state)
{
    struct http_limits limits = fixture_limits();
    return start_with(state, &limits);
}

static int stop(void **state)
{
    fixture_stop(*state);
    return 0;
}

static void request_reaches_the_handler_and_the_reply_the_client(void **state)
{
    struct received received = exchange_alone(
        *state, SPAN("POST /a/b?c=d HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"));
    assert_int_equal(status_of(&received), 200);
    assert_true(has_text(&received, "\r\nDate: "));
    assert_true(has_text(&received, "\r\n\r\nPOST|/a/b|c=d|5|hello|127.0.0.1"));
    assert_false(has_text(&received, "Connection:"));
    free(received.data);
}

static void connection_is_kept_for_the_next_request(void **state)
{
    int fd = client_open(*state);
    for (int i = 0; i < 3; i++) {
        client_send_text(fd, GET("/a"));
        struct received received = receive_replies(fd, 1);
        assert_int_equal(status_of(&received), 200);
        free(received.data);
    }
    client_send_text(fd, GET("/close"));
    struct received received = receive_all(fd);
    assert_true(has_text(&received, "\r\nConnection: close\r\n"));
    free(received.data);
    (void)close(fd);
}

static void http_1_0_is_kept_only_when_asked(void **state)
{
    struct received received =
        exchange_alone(*state, SPAN("GET /a HTTP/1.0\r\n\r\nGET /b HTTP/1.0\r\n\r\n"));
    assert_int_equal(status_of(&received), 200);
    assert_true(has_text(&received, "\r\nConnection: close\r\n"));
    assert_false(has_text(&received, "GET|/b|"));
    free(received.data);
    received = exchange_alone(*state, SPAN("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
                                           "GET /b HTTP/1.0\r\n\r\n"));
    assert_true(has_text(&received, "\r\nConnection: keep-alive\r\n"));
    assert_true(has_text(&received, "GET|/b|"));
    free(received.data);
}

static void check_order(const struct received *received, size_t count)
{
    const char *at = received->data;
    for (size_t i = 0; i < count; i++) {
        char expected[32];
        (void)snprintf(expected, sizeof expected, "|n=%zu|", i);
        at = strstr(at, expected);
        assert_non_null(at);
    }
}

/* path is asked for a thousand times in one go, each with its number. */
static struct received pipeline(const struct fixture *fixture, const char *path, const char *last)
{
    AUTO(buf) struct buf raw = {0};
    buf_init(&raw, 1 << 20);
    for (int i = 0; i < PIPELINED; i++)
        buf_printf(&raw, "GET %s?n=%d HTTP/1.1\r\nHost: h\r\n\r\n", path, i);
    buf_put(&raw, span_cstr(last));
    assert_true(buf_ok(&raw));
    return exchange_alone(fixture, buf_span(&raw));
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    struct received received = pipeline(*state, "/a", "");
    size_t end = 0;
    assert_int_equal(replies_in(&received, &end), PIPELINED);
    check_order(&received, PIPELINED);
    free(received.data);
}

static void pipelined_requests_answered_by_another_thread_keep_their_order(void **state)
{
    struct received received = pipeline(*state, "/later", "");
    size_t end = 0;
    assert_int_equal(replies_in(&received, &end), PIPELINED);
    check_order(&received, PIPELINED);
    free(received.data);
}

static void bad_request_behind_good_ones_ends_the_connection(void **state)
{
    struct received received =
        pipeline(*state, "/a", "GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n" GET("/behind"));
    size_t end = 0;
    assert_int_equal(replies_in(&received, &end), PIPELINED + 1);
    check_order(&received, PIPELINED);
    assert_true(has_text(&received, "HTTP/1.1 400 Bad Request\r\n"));
    assert_false(has_text(&received, "/behind"));
    free(received.data);
}

static void head_has_the_length_but_no_body(void **state)
{
    struct received received = exchange_alone(
        *state, SPAN("HEAD /a HTTP/1.1\r\nHost: h\r\n\r\nHEAD /a HTTP/1.1\r\nHost: h\r\n\r\n"));
    assert_true(has_text(&received, "\r\nContent-Length: 21\r\n"));
    assert_false(has_text(&received, "|/a|"));
    const char *second = strstr(received.data, "\r\n\r\n");
    assert_non_null(second);
    assert_memory_equal(second + 4, "HTTP/1.1 200 OK\r\n", 17);
    free(received.data);
}

static void continue_is_said_once_the_head_is_accepted(void **state)
{
    int fd = client_open(*state);
    client_send_text(fd, "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n"
                         "Expect: 100-continue\r\n\r\n");
    struct received received = receive_replies(fd, 1);
    assert_string_equal(received.data, "HTTP/1.1 100 Continue\r\n\r\n");
    free(received.data);
    client_send_text(fd, "abc");
    received = receive_replies(fd, 1);
    assert_int_equal(status_of(&received), 200);
    assert_true(has_text(&received, "|3|abc|"));
    free(received.data);
    (void)close(fd);
}

static void early_reply_comes_instead_of_continue(void **state)
{
    int fd = client_open(*state);
    client_send_text(fd, "POST /early HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n"
                         "Expect: 100-continue\r\n\r\n");
    struct received received = receive_all(fd);
    assert_int_equal(status_of(&received), 404);
    assert_true(has_text(&received, "\r\nConnection: close\r\n"));
    free(received.data);
    (void)close(fd);
    /* Without a body the connection goes on. */
    received = exchange_alone(*state, SPAN(GET("/early") GET("/a")));
    assert_int_equal(status_of(&received), 404);
    assert_true(has_text(&received, "GET|/a|"));
    free(received.data);
}

static void body_over_the_limit_is_413_and_its_reply_arrives(void **state)
{
    char *body = calloc(1, 1000000);
    assert_non_null(body);
    int fd = client_open(*state);
    client_send_text(fd,
                     "POST /oauth2/token HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n");
    client_send(fd, span_of(body, 1000000));
    struct received received = receive_all(fd);
    assert_int_equal(status_of(&received), 413);
    assert_true(has_text(&received, "\r\nCache-Control: no-store\r\n"));
    assert_true(has_text(&received, "{\"error\":\"invalid_request\""));
    assert_false(has_text(&received, "100 Continue"));
    free(received.data);
    (void)close(fd);
    fd = client_open(*state);
    client_send_text(fd,
                     "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n186a0\r\n");
    client_send(fd, span_of(body, 100000));
    client_send_text(fd, "\r\n1\r\n");
    received = receive_all(fd);
    assert_int_equal(status_of(&received), 413);
    free(received.data);
    (void)close(fd);
    free(body);
}

static void body_up_to_the_limit_is_taken(void **state)
{
    AUTO(buf) struct buf raw = {0};
    buf_init(&raw, 1 << 20);
    buf_printf(&raw, "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n", FIXTURE_BODY_MAX);
    for (int i = 0; i < FIXTURE_BODY_MAX; i++)
        buf_byte(&raw, 'x');
    struct received received = exchange_alone(*state, buf_span(&raw));
    assert_true(has_text(&received, "|100000|xxx"));
    free(received.data);
}

static void long_targets_and_headers_are_refused(void **state)
{
    char text[20000];
    memset(text, 'a', sizeof text);
    AUTO(buf) struct buf raw = {0};
    buf_init(&raw, 1 << 20);
    buf_put(&raw, SPAN("GET /"));
    buf_put(&raw, span_of(text, 15330));
    struct received received = exchange_alone(*state, buf_span(&raw));
    assert_int_equal(status_of(&received), 414);
    free(received.data);

    buf_clear(&raw);
    buf_put(&raw, SPAN("GET / HTTP/1.1\r\nHost: h\r\nX: "));
    buf_put(&raw, span_of(text, sizeof text));
    received = exchange_alone(*state, buf_span(&raw));
    assert_int_equal(status_of(&received), 431);
    free(received.data);

    buf_clear(&raw);
    buf_put(&raw, SPAN("GET / HTTP/1.1\r\nHost: h\r\n"));
    for (int i = 0; i < 10000; i++)
        buf_put(&raw, SPAN("A: b\r\n"));
    received = exchange_alone(*state, buf_span(&raw));
    assert_int_equal(status_of(&received), 431);
    free(received.data);

    buf_clear(&raw);
    buf_put(&raw, span_of(text, 8192));
    received = exchange_alone(*state, buf_span(&raw));
    assert_int_equal(status_of(&received), 400);
    free(received.data);
}

static void big_reply_arrives_whole_and_the_next_one_after_it(void **state)
{
    int fd = client_open(*state);
    client_send_text(fd, GET("/big") GET("/a"));
    struct received received = receive_replies(fd, 2);
    assert_true(received.len > FIXTURE_BIG_BODY);
    assert_true(has_text(&received, "b"
                                    "HTTP/1.1 200 OK\r\n"));
    assert_true(has_text(&received, "GET|/a|"));
    free(received.data);
    (void)close(fd);
}

static void reader_that_leaves_in_the_middle_harms_nobody(void **state)
{
    int fd = client_open(*state);
    client_send_text(fd, GET("/big"));
    char some[1000];
    assert_true(recv(fd, some, sizeof some, 0) > 0);
    (void)close(fd); /* with unread bytes: a reset */
    struct received received = exchange_alone(*state, SPAN(GET("/a")));
    assert_int_equal(status_of(&received), 200);
    free(received.data);
}

static void missing_and_failed_replies_become_errors(void **state)
{
    struct received received = exchange_alone(*state, SPAN(GET("/no-reply")));
    assert_int_equal(status_of(&received), 500);
    free(received.data);
    received = exchange_alone(*state, SPAN(GET("/full")));
    assert_int_equal(status_of(&received), 503);
    assert_true(has_text(&received, "\r\nRetry-After: 1\r\n"));
    free(received.data);
}

static void release_held(struct fixture *fixture)
{
    fixture->held->reply.status = 200;
    http_reply(fixture->held);
}

static void wait_held(struct fixture *fixture)
{
    while (sem_wait(&fixture->holding) != 0)
        continue;
}

static void peer_that_hangs_up_while_its_request_runs_is_let_go(void **state)
{
    struct fixture *fixture = *state;
    int fd = client_open(fixture);
    client_send_text(fd, GET("/hold"));
    wait_held(fixture);
    struct linger reset = {.l_onoff = 1};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    (void)close(fd);
    /* The loop sees the reset before this is answered. */
    struct received received = exchange_alone(fixture, SPAN(GET("/a")));
    assert_int_equal(status_of(&received), 200);
    free(received.data);
    fixture_call(fixture, release_held);
}

static void request_that_runs_is_answered_to_a_half_closed_peer(void **state)
{
    struct fixture *fixture = *state;
    int fd = client_open(fixture);
    client_send_text(fd, GET("/hold"));
    wait_held(fixture);
    client_send_text(fd, GET("/next"));
    (void)shutdown(fd, SHUT_WR);
    struct received received = exchange_alone(fixture, SPAN(GET("/a")));
    free(received.data);
    fixture_call(fixture, release_held);
    received = receive_all(fd);
    size_t end = 0;
    assert_int_equal(replies_in(&received, &end), 2);
    assert_true(has_text(&received, "GET|/next|"));
    free(received.data);
    (void)close(fd);
}

static void drain_now(struct fixture *fixture)
{
    http_server_drain(fixture->server);
}

static void drain_closes_the_idle_and_lets_the_others_finish(void **state)
{
    struct fixture *fixture = *state;
    int idle = client_open(fixture);
    int running = client_open(fixture);
    client_send_text(idle, GET("/a"));
    struct received received = receive_replies(idle, 1);
    free(received.data);
    client_send_text(running, GET("/hold"));
    wait_held(fixture);
    fixture_call(fixture, drain_now);
    received = receive_all(idle);
    assert_int_equal(received.len, 0);
    free(received.data);
    fixture_call(fixture, release_held);
    received = receive_all(running);
    assert_int_equal(status_of(&received), 200);
    assert_true(has_text(&received, "\r\nConnection: close\r\n"));
    free(received.data);
    (void)close(idle);
    (void)close(running);
}

static void count_now(struct fixture *fixture)
{
    fixture->connections = http_server_connections(fixture->server);
}

static void wait_for_connections(struct fixture *fixture, size_t wanted)
{
    for (fixture_call(fixture, count_now); fixture->connections != wanted;
         fixture_call(fixture, count_now))
        (void)usleep(10000);
}

static int start_with_few_connections(void **state)
{
    struct http_limits limits = fixture_limits();
    limits.connections_max = 3;
    return start_with(state, &limits);
}

static void connections_over_the_cap_get_503(void **state)
{
    int fds[3];
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        fds[i] = client_open(*state);
        client_send_text(fds[i], GET("/a"));
        struct received received = receive_replies(fds[i], 1);
        assert_int_equal(status_of(&received), 200);
        free(received.data);
    }
    int more = client_open(*state);
    struct received received = receive_all(more);
    assert_int_equal(status_of(&received), 503);
    assert_true(has_text(&received, "\r\nRetry-After: 1\r\n"));
    assert_true(has_text(&received, "\r\nConnection: close\r\n"));
    assert_true(has_text(&received, "{\"messages\":[\""));
    free(received.data);
    (void)close(more);
    client_send_text(fds[0], GET("/close"));
    received = receive_all(fds[0]);
    free(received.data);
    (void)close(fds[0]);
    wait_for_connections(*state, 2);
    int instead = client_open(*state); /* there is room again */
    client_send_text(instead, GET("/a"));
    received = receive_replies(instead, 1);
    assert_int_equal(status_of(&received), 200);
    free(received.data);
    (void)close(instead);
    (void)close(fds[1]);
    (void)close(fds[2]);
}

static int start_hasty(void **state)
{
    struct http_limits limits = fixture_limits();
    limits.head_seconds_max = 1;
    limits.body_seconds_max = 1;
    limits.idle_seconds_max = 1;
    limits.write_seconds_max = 1;
    return start_with(state, &limits);
}

static void slow_requests_end_with_408_and_silent_ones_silently(void **state)
{
    int silent = client_open(*state);
    int in_head = client_open(*state);
    int in_body = client_open(*state);
    int idle = client_open(*state);
    client_send_text(in_head, "GET / HT");
    client_send_text(in_body, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc");
    client_send_text(idle, GET("/a"));
    struct received received = receive_all(silent);
    assert_int_equal(received.len, 0);
    free(received.data);
    received = receive_all(in_head);
    assert_int_equal(status_of(&received), 408);
    free(received.data);
    received = receive_all(in_body);
    assert_int_equal(status_of(&received), 408);
    assert_true(has_text(&received, "\r\nConnection: close\r\n"));
    free(received.data);
    received = receive_all(idle);
    size_t end = 0;
    assert_int_equal(replies_in(&received, &end), 1);
    assert_int_equal(end, received.len);
    free(received.data);
    (void)close(silent);
    (void)close(in_head);
    (void)close(in_body);
    (void)close(idle);
}

static void peer_that_does_not_read_is_cut_off(void **state)
{
    struct fixture *fixture = *state;
    int fd = client_open(fixture);
    client_send_text(fd, GET("/big"));
    char one;
    assert_int_equal(recv(fd, &one, 1, 0), 1);
    wait_for_connections(fixture, 0);
    (void)close(fd);
}

static int lowest_free_fd(void)
{
    int fd = dup(STDIN_FILENO);
    assert_true(fd >= 0);
    (void)close(fd);
    return fd;
}

static void without_descriptors_new_connections_get_503_and_open_ones_go_on(void **state)
{
    int open_one = client_open(*state);
    client_send_text(open_one, GET("/a"));
    struct received received = receive_replies(open_one, 1);
    free(received.data);

    int late[3];
    const struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_LEN(late); i++) {
        late[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        set_patience(late[i]);
    }
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit none = {.rlim_cur = (rlim_t)lowest_free_fd(), .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    for (size_t i = 0; i < ARRAY_LEN(late); i++) {
        client_connect(fixture, late[i]);
        received = receive_all(late[i]);
        assert_int_equal(status_of(&received), 503);
        free(received.data);
        client_send_text(open_one, GET("/a"));
        received = receive_replies(open_one, 1);
        assert_int_equal(status_of(&received), 200);
        free(received.data);
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    received = exchange_alone(fixture, SPAN(GET("/a")));
    assert_int_equal(status_of(&received), 200);
    free(received.data);
    (void)close(open_one);
    for (size_t i = 0; i < ARRAY_LEN(late); i++)
        (void)close(late[i]);
}

static struct span request_id_in(const struct received *received)
{
    static const char name[] = "\"request_id\":\"";
    const char *at = strstr(received->data, name);
    assert_non_null(at);
    return span_of(at + sizeof name - 1, REQUEST_ID_LEN);
}

static void request_ids_are_base62_and_differ(void **state)
{
    struct received first = exchange_alone(*state, SPAN("GET\r\n"));
    struct received second = exchange_alone(*state, SPAN("GET\r\n"));
    assert_true(span_only(request_id_in(&first), random_base62));
    assert_true(span_only(request_id_in(&second), random_base62));
    assert_false(span_equal(request_id_in(&first), request_id_in(&second)));
    free(first.data);
    free(second.data);
}

static int start_dual(void **state)
{
    struct http_limits limits = fixture_limits();
    struct fixture *fixture = fixture_start(&limits);
    *state = fixture;
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_ANY_INIT};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int no = 0;
    if (fd >= 0 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no) == 0 &&
        bind(fd, (struct sockaddr *)&address, size) == 0 && listen(fd, 16) == 0 &&
        getsockname(fd, (struct sockaddr *)&address, &size) == 0) {
        assert_int_equal(
            http_server_listen(fixture->server, fd,
                               &(const struct http_listen){.is_control = false, .purposes = ~0u}),
            0);
        fixture->port = ntohs(address.sin6_port);
    }
    fixture_go(fixture);
    return 0;
}

/* Where the machine has no IPv6 this repeats the plain case. */
static void ipv4_peer_of_an_ipv6_listener_has_an_ipv4_address(void **state)
{
    struct received received = exchange_alone(*state, SPAN(GET("/a")));
    assert_true(has_text(&received, "|127.0.0.1"));
    assert_false(has_text(&received, "ffff"));
    free(received.data);
}

struct control {
    struct fixture *fixture;
    char path[64];
};

static int start_control(void **state)
{
    struct control *control = calloc(1, sizeof *control);
    struct http_limits limits = fixture_limits();
    limits.connections_max = 0;
    assert_non_null(control);
    control->fixture = fixture_start(&limits);
    (void)snprintf(control->path, sizeof control->path, "/tmp/postern-test-XXXXXX");
    assert_non_null(mkdtemp(control->path));
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s/s", control->path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 16), 0);
    assert_int_equal(
        http_server_listen(control->fixture->server, fd,
                           &(const struct http_listen){.is_control = true, .purposes = ~0u}),
        0);
    fixture_go(control->fixture);
    *state = control;
    return 0;
}

static int stop_control(void **state)
{
    struct control *control = *state;
    char path[128];
    fixture_stop(control->fixture);
    (void)snprintf(path, sizeof path, "%s/s", control->path);
    (void)unlink(path);
    (void)rmdir(control->path);
    free(control);
    return 0;
}

static void control_socket_knows_its_peer_and_is_outside_the_cap(void **state)
{
    const struct control *control = *state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s/s", control->path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    set_patience(fd);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    client_send_text(fd, GET("/a"));
    struct received received = receive_replies(fd, 1);
    char expected[64];
    (void)snprintf(expected, sizeof expected, "|uid %u pid %d", getuid(), getpid());
    assert_true(has_text(&received, expected));
    free(received.data);
    (void)close(fd);
    received = exchange_alone(control->fixture, SPAN(GET("/a")));
    assert_int_equal(status_of(&received), 503);
    free(received.data);
}

int main(void)
{
#define WITH(test, setup) cmocka_unit_test_setup_teardown(test, setup, stop)
    const struct CMUnitTest tests[] = {
        WITH(request_reaches_the_handler_and_the_reply_the_client, start),
        WITH(connection_is_kept_for_the_next_request, start),
        WITH(http_1_0_is_kept_only_when_asked, start),
        WITH(pipelined_requests_are_answered_in_order, start),
        WITH(pipelined_requests_answered_by_another_thread_keep_their_order, start),
        WITH(bad_request_behind_good_ones_ends_the_connection, start),
        WITH(head_has_the_length_but_no_body, start),
        WITH(continue_is_said_once_the_head_is_accepted, start),
        WITH(early_reply_comes_instead_of_continue, start),
        WITH(body_over_the_limit_is_413_and_its_reply_arrives, start),
        WITH(body_up_to_the_limit_is_taken, start),
        WITH(long_targets_and_headers_are_refused, start),
        WITH(big_reply_arrives_whole_and_the_next_one_after_it, start),
        WITH(reader_that_leaves_in_the_middle_harms_nobody, start),
        WITH(missing_and_failed_replies_become_errors, start),
        WITH(peer_that_hangs_up_while_its_request_runs_is_let_go, start),
        WITH(request_that_runs_is_answered_to_a_half_closed_peer, start),
        WITH(drain_closes_the_idle_and_lets_the_others_finish, start),
        WITH(connections_over_the_cap_get_503, start_with_few_connections),
        WITH(without_descriptors_new_connections_get_503_and_open_ones_go_on, start),
        WITH(request_ids_are_base62_and_differ, start),
        WITH(ipv4_peer_of_an_ipv6_listener_has_an_ipv4_address, start_dual),
        WITH(slow_requests_end_with_408_and_silent_ones_silently, start_hasty),
        WITH(peer_that_does_not_read_is_cut_off, start_hasty),
        cmocka_unit_test_setup_teardown(control_socket_knows_its_peer_and_is_outside_the_cap,
                                        start_control, stop_control),
    };
    return RUN_TESTS(tests);
}
