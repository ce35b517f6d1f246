/* SPDX-License-Identifier: Apache-2.0 */
/* A real loop and server in a thread, with a handler that shows what it was given, and a client
 * that speaks raw bytes. Included by one test program each. */
#pragma once

#include "http/http.h"
#include "http/loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "../unit.h"

enum {
    FIXTURE_BODY_MAX = 100000,
    FIXTURE_BIG_BODY = 8 << 20,
    FIXTURE_PATIENCE_SECONDS = 60, /* only a hang is this long */
};

struct fixture {
    struct loop *loop;
    struct http_server *server;
    pthread_t thread;
    int port;
    char *big_body;
    struct exchange *held; /* of /hold, until fixture_release() */
    sem_t holding;
    size_t connections; /* what count_now() saw */
};

struct later {
    struct loop_post_node node;
    struct loop *loop;
    struct exchange *x;
    pthread_t thread;
};

static inline void later_done(void *context)
{
    struct later *later = context;
    (void)pthread_join(later->thread, NULL);
    http_reply(later->x);
    free(later);
}

static inline void *later_run(void *context)
{
    struct later *later = context;
    later->x->reply.status = 200;
    loop_post(later->loop, &later->node);
    return NULL;
}

static inline void reply_later(struct fixture *fixture, struct exchange *x)
{
    struct later *later = calloc(1, sizeof *later);
    assert_non_null(later);
    later->x = x;
    later->loop = fixture->loop;
    later->node = (struct loop_post_node){.fn = later_done, .context = later};
    assert_int_equal(pthread_create(&later->thread, NULL, later_run, later), 0);
}

static inline size_t fixture_on_head(struct exchange *x, void *context)
{
    (void)context;
    if (span_equal(x->path, SPAN("/early"))) {
        x->reply.status = 404;
        return 0;
    }
    return FIXTURE_BODY_MAX;
}

static inline void show_request(struct exchange *x)
{
    struct reply *reply = &x->reply;
    reply->status = 200;
    reply->content_type = SPAN("text/plain");
    buf_printf(&reply->body, "%.*s|%.*s|%.*s|%zu|", SPAN_FMT(x->method_name), SPAN_FMT(x->path),
               SPAN_FMT(x->query), x->body.len);
    buf_put(&reply->body, span_first(x->body, 64));
    if (x->peer.is_control)
        buf_printf(&reply->body, "|uid %u pid %d", x->peer.uid, x->peer.pid);
    else
        buf_printf(&reply->body, "|%.*s", SPAN_FMT(x->peer.address));
}

static inline void fixture_on_request(struct exchange *x, void *context)
{
    struct fixture *fixture = context;
    buf_init_arena(&x->reply.body, &x->arena, 4096);
    if (span_equal(x->path, SPAN("/hold"))) {
        fixture->held = x;
        (void)sem_post(&fixture->holding);
        return;
    }
    if (span_equal(x->path, SPAN("/no-reply"))) {
        http_reply(x);
        return;
    }
    if (span_equal(x->path, SPAN("/full"))) {
        buf_put(&x->reply.body, span_of(fixture->big_body, 5000));
        x->reply.status = 200;
        http_reply(x);
        return;
    }
    show_request(x);
    if (span_equal(x->path, SPAN("/big"))) {
        x->reply.body = (struct buf){.data = fixture->big_body, .len = FIXTURE_BIG_BODY};
        http_reply(x);
    } else if (span_equal(x->path, SPAN("/later"))) {
        reply_later(fixture, x);
    } else {
        x->reply.close = span_equal(x->path, SPAN("/close"));
        http_reply(x);
    }
}

static inline void *fixture_run(void *context)
{
    struct fixture *fixture = context;
    loop_run(fixture->loop);
    return NULL;
}

static inline int fixture_listen_tcp(int *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fd, 128), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static inline struct http_limits fixture_limits(void)
{
    return (struct http_limits){
        .connections_max = 100,
        .target_bytes_max = 1000,
        .header_bytes_max = 8000,
        .header_count_max = 50,
        .arena_bytes_max = 65536,
        .head_seconds_max = FIXTURE_PATIENCE_SECONDS,
        .body_seconds_max = FIXTURE_PATIENCE_SECONDS,
        .idle_seconds_max = FIXTURE_PATIENCE_SECONDS,
        .write_seconds_max = FIXTURE_PATIENCE_SECONDS,
    };
}

static inline struct fixture *fixture_start(const struct http_limits *limits)
{
    (void)sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    fixture->loop = loop_new();
    fixture->big_body = malloc(FIXTURE_BIG_BODY);
    assert_non_null(fixture->loop);
    assert_non_null(fixture->big_body);
    memset(fixture->big_body, 'b', FIXTURE_BIG_BODY);
    (void)sem_init(&fixture->holding, 0, 0);
    struct http_handler handler = {
        .on_head = fixture_on_head, .on_request = fixture_on_request, .context = fixture};
    fixture->server = http_server_new(fixture->loop, limits, &handler);
    assert_non_null(fixture->server);
    int fd = fixture_listen_tcp(&fixture->port);
    assert_int_equal(
        http_server_listen(fixture->server, fd,
                           &(const struct http_listen){.is_control = false, .purposes = ~0u}),
        0);
    return fixture;
}

static inline void fixture_go(struct fixture *fixture)
{
    assert_int_equal(pthread_create(&fixture->thread, NULL, fixture_run, fixture), 0);
}

struct call_on_loop {
    struct loop_post_node node;
    void (*fn)(struct fixture *fixture);
    struct fixture *fixture;
    sem_t done;
};

static inline void call_now(void *context)
{
    struct call_on_loop *call = context;
    call->fn(call->fixture);
    (void)sem_post(&call->done);
}

/* Runs fn on the loop's thread and waits for it. */
static inline void fixture_call(struct fixture *fixture, void (*fn)(struct fixture *fixture))
{
    struct call_on_loop call = {.fn = fn, .fixture = fixture};
    (void)sem_init(&call.done, 0, 0);
    call.node = (struct loop_post_node){.fn = call_now, .context = &call};
    loop_post(fixture->loop, &call.node);
    while (sem_wait(&call.done) != 0)
        continue;
}

static inline void stop_now(struct fixture *fixture)
{
    http_server_free(fixture->server);
    loop_stop(fixture->loop);
}

static inline void fixture_stop(struct fixture *fixture)
{
    fixture_call(fixture, stop_now);
    (void)pthread_join(fixture->thread, NULL);
    loop_free(fixture->loop);
    free(fixture->big_body);
    free(fixture);
}

static inline void set_patience(int fd)
{
    struct timeval patience = {.tv_sec = FIXTURE_PATIENCE_SECONDS};
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

static inline void client_connect(const struct fixture *fixture, int fd)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)fixture->port),
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
}

static inline int client_open(const struct fixture *fixture)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    set_patience(fd);
    client_connect(fixture, fd);
    return fd;
}

/* As much as the server takes. */
static inline void client_send(int fd, struct span bytes)
{
    while (bytes.len > 0) {
        ssize_t sent = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return;
        bytes = span_from(bytes, (size_t)sent);
    }
}

static inline void client_send_text(int fd, const char *text)
{
    client_send(fd, span_cstr(text));
}

struct received {
    char *data;
    size_t len;
    size_t capacity;
    bool has_hung;
};

static inline bool receive_some(int fd, struct received *received)
{
    if (received->capacity - received->len < 65536) {
        received->capacity = received->capacity * 2 + 131072;
        received->data = realloc(received->data, received->capacity);
        assert_non_null(received->data);
    }
    ssize_t got;
    do { /* a socket with a time-out is not taken up again after whatever interrupts it */
        got = recv(fd, received->data + received->len, 65535, 0);
    } while (got < 0 && errno == EINTR);
    received->has_hung = got < 0 && errno == EAGAIN;
    if (got > 0)
        received->len += (size_t)got;
    received->data[received->len] = '\0';
    return got > 0;
}

/* Everything until the server closes. The caller frees .data. */
static inline struct received receive_all(int fd)
{
    struct received received = {0};
    while (receive_some(fd, &received))
        continue;
    assert_false(received.has_hung);
    return received;
}

/* The number of complete replies in what came; *ret_end is where they end. */
static inline size_t replies_in(const struct received *received, size_t *ret_end)
{
    size_t count = 0;
    size_t at = 0;
    while (received->data != NULL) {
        const char *head = received->data + at;
        const char *head_end = strstr(head, "\r\n\r\n");
        if (head_end == NULL)
            break;
        const char *length = strstr(head, "Content-Length: ");
        size_t body = length != NULL && length < head_end ? strtoul(length + 16, NULL, 10) : 0;
        size_t end = (size_t)(head_end - received->data) + 4 + body;
        if (end > received->len)
            break;
        at = end;
        count++;
    }
    *ret_end = at;
    return count;
}

/* Until that many replies are complete. The caller frees .data. */
static inline struct received receive_replies(int fd, size_t count)
{
    struct received received = {0};
    size_t end = 0;
    while (replies_in(&received, &end) < count && receive_some(fd, &received))
        continue;
    assert_int_equal(replies_in(&received, &end), count);
    return received;
}

/* Sends one request's bytes on a connection of its own and ends the sending side. */
static inline struct received exchange_alone(const struct fixture *fixture, struct span raw)
{
    int fd = client_open(fixture);
    client_send(fd, raw);
    (void)shutdown(fd, SHUT_WR);
    struct received received = receive_all(fd);
    (void)close(fd);
    return received;
}

static inline int status_of(const struct received *received)
{
    if (received->len < sizeof "HTTP/1.1 200" - 1 ||
        strncmp(received->data, "HTTP/1.1 ", sizeof "HTTP/1.1 " - 1) != 0)
        return 0;
    return (int)strtol(received->data + sizeof "HTTP/1.1 " - 1, NULL, 10);
}

static inline bool has_text(const struct received *received, const char *text)
{
    return received->len > 0 && memmem(received->data, received->len, text, strlen(text)) != NULL;
}
