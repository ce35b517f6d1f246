/* SPDX-License-Identifier: Apache-2.0 */
#include "http/http_internal.h"

#include "base/clock.h"
#include "base/random.h"
#include "metrics/metrics.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    TICK_MS = 500,
    ACCEPTS_PER_EVENT = 64, /* others of this loop get their turn */
    FREE_REQUESTS_MAX = 64,
    CONTROL_CONNECTIONS_MAX = 64,
    HEAD_BYTES_MAX = 65536,     /* of a reply */
    SEALED_BYTES_MAX = 8 << 20, /* of a reply, encrypted */
};

/* Steele, Lea, Flood: the finalizer of SplitMix64, a bijection, so that ids do not collide. */
static uint64_t mix(uint64_t value)
{
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
    return value ^ (value >> 31);
}

/* Ids name requests in logs; they are no secrets, so no random bytes are drawn for each. */
static void make_request_id(struct http_server *server, char id[static REQUEST_ID_LEN])
{
    server->id_count++;
    for (size_t half = 0; half < 2; half++) {
        uint64_t bits = mix(server->id_base[half] + server->id_count);
        for (size_t i = 0; i < REQUEST_ID_LEN / 2; i++) {
            id[half * REQUEST_ID_LEN / 2 + i] = random_base62[bits % 62];
            bits /= 62;
        }
    }
}

static struct http_request *request_new(struct http_server *server)
{
    struct http_request *request = calloc(1, sizeof *request);
    if (request == NULL)
        return NULL;
    request->server = server;
    request->parse = http_parse_new(&server->limits);
    if (request->parse == NULL) {
        free(request);
        return NULL;
    }
    return request;
}

static void request_free(struct http_request *request)
{
    arena_done(&request->x.arena);
    http_parse_free(request->parse);
    free(request);
}

struct http_request *http_request_take(struct http_server *server, struct http_conn *conn)
{
    struct http_request *request = server->free_requests;
    if (request != NULL) {
        server->free_requests = request->next_free;
        server->free_request_count--;
    } else {
        request = request_new(server);
        if (request == NULL)
            return NULL;
    }
    request->conn = conn;
    struct exchange *x = &request->x;
    struct arena arena = x->arena;
    *x = (struct exchange){.app = server->handler.app, .arena = arena};
    x->arena.limit_bytes = server->limits.arena_bytes_max;
    x->now = clock_wall_seconds();
    make_request_id(server, x->request_id);
    if (conn != NULL) {
        memcpy(request->address, conn->address, sizeof request->address);
        x->purposes = conn->purposes;
        x->peer = (struct peer){.address = span_cstr(request->address),
                                .is_control = conn->is_control,
                                .uid = conn->uid,
                                .pid = conn->pid};
    }
    http_parse_begin(request->parse, x);
    return request;
}

void http_request_give(struct http_server *server, struct http_request *request)
{
    if (server->free_request_count == FREE_REQUESTS_MAX) {
        request_free(request);
        return;
    }
    arena_reset(&request->x.arena);
    http_parse_end(request->parse);
    request->conn = NULL;
    request->next_free = server->free_requests;
    server->free_requests = request;
    server->free_request_count++;
}

static int open_spare_fd(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void server_end(struct http_server *server)
{
    while (server->free_requests != NULL) {
        struct http_request *request = server->free_requests;
        server->free_requests = request->next_free;
        request_free(request);
    }
    buf_done(&server->head_bytes);
    buf_done(&server->sealed);
    if (server->spare_fd >= 0)
        (void)close(server->spare_fd);
    free(server);
}

void http_tell_reply(const struct http_server *server, const struct exchange *x)
{
    if (server->handler.on_reply != NULL)
        server->handler.on_reply(x, server->handler.context);
}

void http_server_handle_closed(struct http_server *server)
{
    server->handle_count--;
    if (server->is_freed && server->handle_count == 0)
        server_end(server);
}

/* Says 503 on a connection for which there is no room, as far as its buffer takes it. With TLS that
 * would need a handshake: it is closed. */
static void turn_away(const struct http_listener *listener, int take_fd)
{
    struct http_server *server = listener->server;
    bool is_plain = listener->how.tls == NULL;
    struct http_request *request = is_plain ? http_request_take(server, NULL) : NULL;
    metric_add(server->handler.metrics, METRIC_CONNECTIONS_REFUSED, 1);
    if (request != NULL) {
        struct buf *out = &server->head_bytes;
        http_write_refusal(&request->x, 503);
        http_tell_reply(server, &request->x);
        buf_clear(out);
        http_write_head(out, &request->x, CONNECTION_CLOSED, &server->date);
        buf_put(out, buf_span(&request->x.reply.body));
        if (buf_ok(out))
            (void)send(take_fd, out->data, out->len, MSG_DONTWAIT | MSG_NOSIGNAL);
        http_request_give(server, request);
    }
    /* What has come is read, as closing over unread bytes would reset the connection. */
    (void)shutdown(take_fd, SHUT_WR);
    (void)recv(take_fd, server->read_bytes, sizeof server->read_bytes, MSG_DONTWAIT);
    (void)close(take_fd);
}

/* A TCP peer's address as text; IPv4 in IPv6 as IPv4, so that limits see one form. */
static bool peer_text(const struct sockaddr_storage *from, char text[static INET6_ADDRSTRLEN])
{
    struct address address = {.bytes = {[10] = 0xff, [11] = 0xff}};
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    if (from->ss_family == AF_INET) {
        memcpy(&in, from, sizeof in);
        memcpy(address.bytes + 12, &in.sin_addr, sizeof in.sin_addr);
    } else if (from->ss_family == AF_INET6) {
        memcpy(&in6, from, sizeof in6);
        memcpy(address.bytes, in6.sin6_addr.s6_addr, sizeof address.bytes);
    } else {
        return false;
    }
    return address_text(&address, text) > 0;
}

static bool read_peer(int fd, bool is_control, const struct sockaddr_storage *from,
                      char text[static INET6_ADDRSTRLEN], struct peer *ret_peer)
{
    *ret_peer = (struct peer){.is_control = is_control};
    if (!is_control) {
        bool is_known = peer_text(from, text);
        ret_peer->address = is_known ? span_cstr(text) : (struct span){0};
        return is_known;
    }
    struct ucred credentials;
    socklen_t size = sizeof credentials;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
        return false;
    ret_peer->uid = credentials.uid;
    ret_peer->pid = credentials.pid;
    return true;
}

static bool has_room(const struct http_server *server, bool is_control)
{
    return is_control ? server->control_conn_count < CONTROL_CONNECTIONS_MAX
                      : server->conn_count < server->limits.connections_max;
}

static void accepted(struct http_listener *listener, int take_fd,
                     const struct sockaddr_storage *from)
{
    struct http_server *server = listener->server;
    char text[INET6_ADDRSTRLEN];
    struct peer peer;
    if (!has_room(server, listener->how.is_control))
        turn_away(listener, take_fd);
    else if (read_peer(take_fd, listener->how.is_control, from, text, &peer))
        http_conn_open(server, take_fd, &listener->how, &peer);
    else
        (void)close(take_fd);
}

static int accept_one(const struct http_listener *listener, struct sockaddr_storage *ret_from)
{
    socklen_t size = sizeof *ret_from;
    *ret_from = (struct sockaddr_storage){0};
    return accept4(listener->fd, (struct sockaddr *)(void *)ret_from, &size,
                   SOCK_NONBLOCK | SOCK_CLOEXEC);
}

/* No descriptors left: without this the waiting connection would wake the loop again and again.
 * The spare one is given up for a moment, to take the connection and turn it away. */
static bool accept_with_spare(struct http_listener *listener)
{
    struct http_server *server = listener->server;
    if (server->spare_fd < 0)
        return false;
    struct sockaddr_storage from;
    (void)close(server->spare_fd);
    int fd = accept_one(listener, &from);
    if (fd >= 0)
        turn_away(listener, fd);
    server->spare_fd = open_spare_fd();
    return fd >= 0;
}

static void on_acceptable(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    struct http_listener *listener = poll->data;
    for (int i = 0; i < ACCEPTS_PER_EVENT; i++) {
        struct sockaddr_storage from;
        int fd = accept_one(listener, &from);
        if (fd >= 0) {
            accepted(listener, fd, &from);
            continue;
        }
        if (errno == EAGAIN)
            return;
        if (errno == EINTR || errno == ECONNABORTED)
            continue;
        if ((errno == EMFILE || errno == ENFILE) && accept_with_spare(listener))
            continue;
        (void)uv_poll_stop(poll); /* until the next tick */
        listener->is_paused = true;
        return;
    }
}

static void on_tick(uv_timer_t *timer)
{
    struct http_server *server = timer->data;
    uint64_t now = uv_now(loop_uv(server->loop));
    struct http_conn *next;
    for (struct http_conn *conn = server->conns; conn != NULL; conn = next) {
        next = conn->next;
        http_conn_tick(conn, now);
    }
    if (server->spare_fd < 0)
        server->spare_fd = open_spare_fd();
    for (struct http_listener *listener = server->listeners; listener != NULL;
         listener = listener->next) {
        if (listener->is_paused)
            (void)uv_poll_start(&listener->poll, UV_READABLE, on_acceptable);
        listener->is_paused = false;
    }
}

struct http_server *http_server_new(struct loop *loop, const struct http_limits *limits,
                                    const struct http_handler *handler)
{
    struct http_server *server = calloc(1, sizeof *server);
    if (server == NULL)
        return NULL;
    server->loop = loop;
    server->limits = *limits;
    server->handler = *handler;
    server->spare_fd = open_spare_fd();
    buf_init(&server->head_bytes, HEAD_BYTES_MAX);
    buf_init(&server->sealed, SEALED_BYTES_MAX);
    random_bytes(server->id_base, sizeof server->id_base);
    (void)uv_timer_init(loop_uv(loop), &server->tick); /* cannot fail */
    server->tick.data = server;
    server->handle_count = 1;
    (void)uv_timer_start(&server->tick, on_tick, TICK_MS, TICK_MS);
    return server;
}

int http_server_listen(struct http_server *server, int take_fd, const struct http_listen *how)
{
    struct http_listener *listener = calloc(1, sizeof *listener);
    int error = listener == NULL ? UV_ENOMEM
                                 : uv_poll_init(loop_uv(server->loop), &listener->poll, take_fd);
    if (error != 0) {
        free(listener);
        (void)close(take_fd);
        return error;
    }
    listener->server = server;
    listener->fd = take_fd;
    listener->how = *how;
    listener->poll.data = listener;
    listener->next = server->listeners;
    server->listeners = listener;
    server->handle_count++;
    return uv_poll_start(&listener->poll, UV_READABLE, on_acceptable);
}

static void on_listener_closed(uv_handle_t *handle)
{
    struct http_listener *listener = handle->data;
    struct http_server *server = listener->server;
    free(listener);
    http_server_handle_closed(server);
}

static void close_listeners(struct http_server *server)
{
    while (server->listeners != NULL) {
        struct http_listener *listener = server->listeners;
        server->listeners = listener->next;
        uv_close((uv_handle_t *)&listener->poll, on_listener_closed);
        (void)close(listener->fd);
    }
}

void http_server_drain(struct http_server *server)
{
    server->is_draining = true;
    close_listeners(server);
    struct http_conn *next;
    for (struct http_conn *conn = server->conns; conn != NULL; conn = next) {
        next = conn->next;
        http_conn_drain(conn);
    }
}

size_t http_server_connections(const struct http_server *server)
{
    return server->conn_count + server->control_conn_count;
}

static void on_tick_closed(uv_handle_t *handle)
{
    http_server_handle_closed(handle->data);
}

void http_server_free(struct http_server *server)
{
    if (server == NULL)
        return;
    server->is_freed = true;
    close_listeners(server);
    while (server->conns != NULL) {
        assert(server->conns->state != CONN_RUNNING);
        http_conn_close(server->conns);
    }
    uv_close((uv_handle_t *)&server->tick, on_tick_closed);
}
