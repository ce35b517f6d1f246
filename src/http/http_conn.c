/* SPDX-License-Identifier: Apache-2.0 */
#include "http/http_internal.h"

#include "metrics/metrics.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ONE_RECORD_BYTES = 12288 }; /* a body that goes out in the record of its head */

static uint64_t now_ms(const struct http_conn *conn)
{
    return uv_now(loop_uv(conn->server->loop));
}

static void set_deadline(struct http_conn *conn, unsigned seconds)
{
    conn->deadline_ms = now_ms(conn) + (uint64_t)seconds * 1000;
}

static void drop_unread(struct http_conn *conn)
{
    if (conn->unread != NULL)
        explicit_bzero(conn->unread, conn->unread_len);
    free(conn->unread);
    conn->unread = NULL;
    conn->unread_at = 0;
    conn->unread_len = 0;
}

static void drop_request(struct http_conn *conn)
{
    if (conn->request == NULL)
        return;
    http_request_give(conn->server, conn->request);
    conn->request = NULL;
}

static void on_closed(uv_handle_t *handle)
{
    struct http_conn *conn = handle->data;
    struct http_server *server = conn->server;
    drop_request(conn);
    drop_unread(conn);
    free(conn->write_head);
    tls_free(conn->tls);
    free(conn);
    http_server_handle_closed(server);
}

void http_conn_close(struct http_conn *conn)
{
    if (conn->state == CONN_CLOSED)
        return;
    struct http_server *server = conn->server;
    if (conn->state == CONN_RUNNING) { /* the exchange goes on alone, until http_reply() */
        conn->request->conn = NULL;
        conn->request = NULL;
    }
    conn->state = CONN_CLOSED;
    if (conn->previous != NULL)
        conn->previous->next = conn->next;
    else
        server->conns = conn->next;
    if (conn->next != NULL)
        conn->next->previous = conn->previous;
    if (conn->is_control)
        server->control_conn_count--;
    else
        server->conn_count--;
    metric_add(server->handler.metrics, METRIC_CONNECTIONS_OPEN, -1);
    uv_close(&conn->uv.handle, on_closed);
}

void http_conn_drain(struct http_conn *conn)
{
    if (conn->state != CONN_IDLE)
        return;
    if (conn->has_begun)
        http_conn_close(conn);
    else
        conn->deadline_ms = now_ms(conn) + DRAIN_FRESH_MS;
}

static bool is_reading(const struct http_conn *conn)
{
    return conn->state == CONN_IDLE || conn->state == CONN_HEAD || conn->state == CONN_BODY;
}

static bool is_busy(const struct http_conn *conn)
{
    return conn->state == CONN_RUNNING || conn->state == CONN_WRITING;
}

static void go_on(struct http_conn *conn);

/* After a reply that closes. Where the peer may still be sending, closing at once would reset the
 * connection under the reply that it has not read yet. */
static void finish(struct http_conn *conn)
{
    uv_os_fd_t fd;
    conn->state = CONN_LINGER;
    drop_request(conn);
    drop_unread(conn);
    if (!conn->lingers || conn->has_ended || uv_fileno(&conn->uv.handle, &fd) != 0 ||
        shutdown(fd, SHUT_WR) != 0) {
        http_conn_close(conn);
        return;
    }
    conn->deadline_ms = now_ms(conn) + LINGER_MS;
}

static void finish_after_failure(struct http_conn *conn)
{
    conn->lingers = true;
    finish(conn);
}

/* From here to go_on() the functions call each other in a ring: a reply sent at once goes on with
 * the next request. is_taking_input cuts it: inside take_input() a reply only marks the connection
 * idle, and the loop there goes on, so the ring is walked at most once. */
/* NOLINTBEGIN(misc-no-recursion) */
static void reply_done(struct http_conn *conn)
{
    free(conn->write_head);
    conn->write_head = NULL;
    if (conn->closes_after) {
        finish(conn);
    } else {
        drop_request(conn);
        conn->state = CONN_IDLE;
        set_deadline(conn, conn->server->limits.idle_seconds_max);
    }
    if (!conn->is_taking_input) /* else the loop in take_input() goes on by itself */
        go_on(conn);
}

static void on_written(uv_write_t *write, int status)
{
    struct http_conn *conn = write->data;
    if (conn->state == CONN_CLOSED)
        return;
    if (status < 0)
        http_conn_close(conn);
    else
        reply_done(conn);
}

/* What uv_try_write() left: the rest of the head is copied (its buffer is the loop's), the body
 * stays where it is, in the exchange. */
static void write_rest(struct http_conn *conn, struct span head, struct span body)
{
    uv_buf_t bufs[2];
    unsigned count = 0;
    if (head.len > 0) {
        conn->write_head = malloc(head.len);
        if (conn->write_head == NULL) {
            http_conn_close(conn);
            return;
        }
        memcpy(conn->write_head, head.ptr, head.len);
        bufs[count++] = uv_buf_init(conn->write_head, (unsigned)head.len);
    }
    if (body.len > 0)
        bufs[count++] = (uv_buf_t){.base = (char *)(uintptr_t)body.ptr, .len = body.len};
    conn->write.data = conn;
    set_deadline(conn, conn->server->limits.write_seconds_max);
    if (uv_write(&conn->write, &conn->uv.stream, bufs, count, on_written) != 0) {
        http_conn_close(conn);
        return;
    }
    conn->write_left_bytes = uv_stream_get_write_queue_size(&conn->uv.stream);
}

/* Bytes that are not a reply: handshake, alerts, 100 Continue. What the socket does not take at
 * once waits in memory of its own; libuv keeps the order. */
struct side_write {
    uv_write_t write; /* first */
    char bytes[];
};

static void on_side_written(uv_write_t *write, int status)
{
    struct http_conn *conn = write->data;
    free(write);
    if (status < 0 && conn->state != CONN_CLOSED)
        http_conn_close(conn);
}

static void write_side(struct http_conn *conn, struct span bytes)
{
    uv_buf_t buf = {.base = (char *)(uintptr_t)bytes.ptr, .len = bytes.len};
    int outcome = bytes.len == 0 ? 0 : uv_try_write(&conn->uv.stream, &buf, 1);
    if (outcome == UV_EAGAIN)
        outcome = 0;
    if (outcome >= 0 && (size_t)outcome == bytes.len)
        return;
    bytes = span_from(bytes, outcome < 0 ? 0 : (size_t)outcome);
    struct side_write *rest = outcome < 0 ? NULL : malloc(sizeof *rest + bytes.len);
    if (rest == NULL) {
        http_conn_close(conn);
        return;
    }
    memcpy(rest->bytes, bytes.ptr, bytes.len);
    buf = uv_buf_init(rest->bytes, (unsigned)bytes.len);
    rest->write.data = conn;
    if (uv_write(&rest->write, &conn->uv.stream, &buf, 1, on_side_written) != 0) {
        free(rest);
        http_conn_close(conn);
    }
}

/* What TLS has to say beside our replies. */
static void flush_sealed(struct http_conn *conn)
{
    struct buf *sealed = &conn->server->sealed;
    if (!buf_ok(sealed))
        http_conn_close(conn);
    else
        write_side(conn, buf_span(sealed));
    buf_clear(sealed);
}

static enum http_connection connection_after(struct http_conn *conn)
{
    const struct http_request *request = conn->request;
    conn->closes_after = request->x.reply.close || conn->server->is_draining ||
                         !http_parse_keeps_alive(request->parse);
    if (conn->closes_after)
        return CONNECTION_CLOSED;
    return http_parse_head(request->parse)->is_http_1_0 ? CONNECTION_KEPT_SAID : CONNECTION_KEPT;
}

/* Head and body become one run of records, followed by the end of the connection if it is the last
 * reply. A small reply is one record. */
static bool seal_reply(struct http_conn *conn, struct span *head, struct span *body)
{
    struct buf *head_bytes = &conn->server->head_bytes;
    struct buf *sealed = &conn->server->sealed;
    buf_clear(sealed);
    if (body->len <= ONE_RECORD_BYTES) {
        buf_put(head_bytes, *body);
        *head = buf_span(head_bytes);
        *body = (struct span){0};
    }
    bool is_sealed = buf_ok(head_bytes) && tls_write(conn->tls, *head, sealed) &&
                     tls_write(conn->tls, *body, sealed);
    if (conn->closes_after)
        tls_end(conn->tls, sealed);
    *head = buf_span(sealed);
    *body = (struct span){0};
    return is_sealed && buf_ok(sealed);
}

static void send_reply(struct http_conn *conn)
{
    const struct exchange *x = &conn->request->x;
    struct buf *head_bytes = &conn->server->head_bytes;
    http_tell_reply(conn->server, x);
    buf_clear(head_bytes);
    /* A peer that asked for the end after a complete request sends nothing more. */
    conn->lingers = conn->state != CONN_RUNNING || conn->is_paused ||
                    http_parse_keeps_alive(conn->request->parse);
    conn->state = CONN_WRITING;
    http_write_head(head_bytes, x, connection_after(conn), &conn->server->date);
    if (!buf_ok(head_bytes)) {
        http_conn_close(conn);
        return;
    }
    struct span head = buf_span(head_bytes);
    struct span body = http_write_has_body(x) ? buf_span(&x->reply.body) : (struct span){0};
    if (conn->tls != NULL && !seal_reply(conn, &head, &body)) {
        http_conn_close(conn);
        return;
    }
    uv_buf_t bufs[2] = {{.base = (char *)(uintptr_t)head.ptr, .len = head.len},
                        {.base = (char *)(uintptr_t)body.ptr, .len = body.len}};
    int outcome = uv_try_write(&conn->uv.stream, bufs, body.len > 0 ? 2 : 1);
    if (outcome < 0 && outcome != UV_EAGAIN) {
        http_conn_close(conn);
        return;
    }
    size_t written = outcome < 0 ? 0 : (size_t)outcome;
    if (written == head.len + body.len)
        reply_done(conn);
    else
        write_rest(conn, span_from(head, written),
                   span_from(body, written > head.len ? written - head.len : 0));
}

void http_reply(struct exchange *x)
{
    struct http_request *request = (struct http_request *)(void *)x;
    struct http_conn *conn = request->conn;
    if (conn == NULL) {
        http_tell_reply(request->server, x);
        http_request_give(request->server, request);
        return;
    }
    assert(conn->state == CONN_RUNNING);
    if (!buf_ok(&x->reply.body))
        http_write_refusal(x, 503);
    else if (x->reply.status == 0)
        http_write_refusal(x, 500);
    send_reply(conn);
}

static void refuse(struct http_conn *conn, int status)
{
    http_write_refusal(&conn->request->x, status);
    send_reply(conn);
}

/* RFC 9110 §10.1.1. */
static void send_continue(struct http_conn *conn)
{
    static const struct span text = SPAN_INIT("HTTP/1.1 100 Continue\r\n\r\n");
    if (conn->tls == NULL) {
        write_side(conn, text);
        return;
    }
    buf_clear(&conn->server->sealed);
    if (tls_write(conn->tls, text, &conn->server->sealed))
        flush_sealed(conn);
    else
        http_conn_close(conn);
}

/* Behind a listed proxy the request's peer is the client that it names. */
static void name_client(const struct http_conn *conn, struct exchange *x)
{
    const struct proxies *proxies = conn->server->handler.proxies;
    if (!conn->is_proxy || proxies->way == PROXY_PROTOCOL || proxies->way == PROXY_NONE)
        return;
    struct address client = proxies_client(proxies, x, &conn->source);
    struct http_request *request = (struct http_request *)(void *)x;
    x->peer.address = span_of(request->address, address_text(&client, request->address));
}

static void take_head(struct http_conn *conn, const struct span *rest)
{
    struct http_server *server = conn->server;
    struct http_request *request = conn->request;
    name_client(conn, &request->x);
    size_t limit = server->handler.on_head(&request->x, server->handler.context);
    if (request->x.reply.status != 0) {
        request->x.reply.close = request->x.reply.close || http_parse_expects_body(request->parse);
        send_reply(conn);
        return;
    }
    if (!http_parse_body_limit(request->parse, limit)) {
        refuse(conn, http_parse_refusal(request->parse));
        return;
    }
    conn->state = CONN_BODY;
    set_deadline(conn, server->limits.body_seconds_max);
    if (http_parse_head(request->parse)->expects_continue && rest->len == 0)
        send_continue(conn);
}

static void begin_request(struct http_conn *conn)
{
    conn->request = http_request_take(conn->server, conn);
    if (conn->request == NULL) {
        http_conn_close(conn);
        return;
    }
    conn->state = CONN_HEAD;
    conn->has_begun = true;
    set_deadline(conn, conn->server->limits.head_seconds_max);
}

/* Takes requests off *rest until it is empty, or one is on its way, or the connection ends. */
static void take_input(struct http_conn *conn, struct span *rest)
{
    struct http_server *server = conn->server;
    bool has_more = rest->len > 0;
    conn->is_taking_input = true;
    while (has_more && is_reading(conn)) {
        if (conn->state == CONN_IDLE)
            begin_request(conn);
        if (conn->state == CONN_CLOSED)
            break;
        enum http_parse_step step = http_parse_feed(conn->request->parse, rest);
        switch (step) {
        case PARSE_MORE:
            break;
        case PARSE_HEAD:
            take_head(conn, rest);
            break;
        case PARSE_DONE:
            conn->state = CONN_RUNNING;
            server->handler.on_request(&conn->request->x, server->handler.context);
            break;
        case PARSE_REFUSED:
            refuse(conn, http_parse_refusal(conn->request->parse));
            break;
        }
        has_more = rest->len > 0 || step == PARSE_HEAD;
    }
    conn->is_taking_input = false;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buf)
{
    (void)suggested;
    struct http_conn *conn = handle->data;
    /* One request at a time: what comes meanwhile stays in the socket. */
    *ret_buf = uv_buf_init(conn->server->read_bytes, is_busy(conn) ? 0 : READ_BYTES);
}

static void discard(struct http_conn *conn, size_t size)
{
    conn->lingered_bytes += size;
    if (conn->lingered_bytes > LINGER_BYTES_MAX)
        http_conn_close(conn);
}

/* Keeps what came behind a request that runs. */
static void keep_unread(struct http_conn *conn, struct span rest)
{
    size_t kept = conn->unread == NULL ? 0 : conn->unread_len - conn->unread_at;
    char *unread = malloc(kept + rest.len);
    if (unread == NULL) {
        http_conn_close(conn);
        return;
    }
    if (kept > 0)
        memcpy(unread, conn->unread + conn->unread_at, kept);
    memcpy(unread + kept, rest.ptr, rest.len);
    drop_unread(conn);
    conn->unread = unread;
    conn->unread_len = kept + rest.len;
}

static void take_plain(struct http_conn *conn, struct span rest)
{
    take_input(conn, &rest);
    if (rest.len > 0 && is_busy(conn))
        keep_unread(conn, rest);
}

/* A client that speaks HTTP to a TLS port is told so, in the only way that it understands. */
static void refuse_plain(struct http_conn *conn)
{
    static const struct span text =
        SPAN_INIT("HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 29\r\n"
                  "Connection: close\r\n\r\nThis port speaks HTTPS only.\n");
    write_side(conn, text);
}

/* Reading stops while a request runs, so at most what one read brought, and one record that it
 * completed, is kept. */
static void take_sealed(struct http_conn *conn, struct span bytes)
{
    struct http_server *server = conn->server;
    enum tls_result result = TLS_FULL;
    while (result == TLS_FULL && conn->state != CONN_CLOSED && conn->state != CONN_LINGER) {
        size_t len;
        buf_clear(&server->sealed);
        result = tls_read(conn->tls, &bytes, server->opened, sizeof server->opened, &len,
                          &server->sealed);
        if (result == TLS_PLAIN)
            buf_clear(&server->sealed); /* an alert would not be understood */
        flush_sealed(conn);
        if (len > 0 && conn->state != CONN_CLOSED)
            take_plain(conn, span_of(server->opened, len));
    }
    explicit_bzero(server->opened, sizeof server->opened);
    if (result == TLS_MORE || conn->state == CONN_CLOSED || conn->state == CONN_LINGER)
        return;
    if (result == TLS_PLAIN)
        refuse_plain(conn);
    conn->has_ended = result == TLS_ENDED;
    if (is_busy(conn))
        conn->has_ended = true; /* closed after the reply */
    else if (result == TLS_ENDED)
        http_conn_close(conn);
    else
        finish_after_failure(conn);
}

static void take_bytes(struct http_conn *conn, struct span bytes)
{
    if (bytes.len == 0)
        return;
    if (conn->tls == NULL)
        take_plain(conn, bytes);
    else
        take_sealed(conn, bytes);
}

/* What the proxy says of its client comes before TLS, and before anything of HTTP. */
static void take_proxy_header(struct http_conn *conn, struct span bytes)
{
    struct address client;
    bool has_client;
    if (conn->unread != NULL || bytes.len < PROXY_HEADER_BYTES_MAX) {
        keep_unread(conn, bytes);
        if (conn->state == CONN_CLOSED)
            return;
        bytes = span_of(conn->unread, conn->unread_len);
    }
    switch (proxies_header_read(&bytes, &client, &has_client)) {
    case PROXY_HEADER_MORE:
        return;
    case PROXY_HEADER_BAD:
        http_conn_close(conn);
        return;
    case PROXY_HEADER_GOOD:
        break;
    }
    if (has_client)
        (void)address_text(&client, conn->address);
    conn->awaits_proxy = false;
    char *held = conn->unread; /* bytes may stand in it */
    conn->unread = NULL;
    conn->unread_len = 0;
    take_bytes(conn, bytes);
    free(held);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf)
{
    struct http_conn *conn = stream->data;
    if (size == 0 || conn->state == CONN_CLOSED)
        return;
    if (size == UV_ENOBUFS) { /* on_alloc() gave none */
        (void)uv_read_stop(stream);
        conn->is_paused = true;
        return;
    }
    if (size < 0) {
        conn->has_ended = true;
        if (!is_busy(conn))
            http_conn_close(conn);
        return;
    }
    if (conn->state == CONN_LINGER) {
        discard(conn, (size_t)size);
        return;
    }
    struct span bytes = span_of(buf->base, (size_t)size);
    if (conn->awaits_proxy)
        take_proxy_header(conn, bytes);
    else
        take_bytes(conn, bytes);
}

/* Nothing runs for this connection now: what was pipelined comes first, then the socket. */
static void go_on(struct http_conn *conn)
{
    if (conn->unread != NULL && is_reading(conn)) {
        struct span rest =
            span_of(conn->unread + conn->unread_at, conn->unread_len - conn->unread_at);
        take_input(conn, &rest);
        if (rest.len == 0)
            drop_unread(conn);
        else if (conn->unread != NULL) /* not dropped by finish() */
            conn->unread_at = conn->unread_len - rest.len;
    }
    if (conn->state == CONN_CLOSED || is_busy(conn))
        return;
    if (conn->has_ended) {
        http_conn_close(conn);
        return;
    }
    if (conn->is_paused) {
        conn->is_paused = false;
        if (uv_read_start(&conn->uv.stream, on_alloc, on_read) != 0)
            http_conn_close(conn);
    }
}

/* NOLINTEND(misc-no-recursion) */

void http_conn_tick(struct http_conn *conn, uint64_t now)
{
    if (now < conn->deadline_ms)
        return;
    switch (conn->state) {
    case CONN_IDLE:
    case CONN_LINGER:
        http_conn_close(conn);
        break;
    case CONN_HEAD:
    case CONN_BODY:
        refuse(conn, 408);
        break;
    case CONN_WRITING: {
        size_t left = uv_stream_get_write_queue_size(&conn->uv.stream);
        if (left == conn->write_left_bytes) {
            http_conn_close(conn);
            break;
        }
        conn->write_left_bytes = left;
        set_deadline(conn, conn->server->limits.write_seconds_max);
        break;
    }
    case CONN_RUNNING: /* the handler has its own deadlines */
    case CONN_CLOSED:
        break;
    }
}

static int open_stream(struct http_conn *conn, int fd)
{
    uv_loop_t *loop = loop_uv(conn->server->loop);
    int error;
    if (conn->is_control) {
        (void)uv_pipe_init(loop, &conn->uv.pipe, 0);
        error = uv_pipe_open(&conn->uv.pipe, fd);
    } else {
        (void)uv_tcp_init(loop, &conn->uv.tcp);
        error = uv_tcp_open(&conn->uv.tcp, fd);
        if (error == 0)
            (void)uv_tcp_nodelay(&conn->uv.tcp, 1);
    }
    conn->uv.handle.data = conn;
    if (error != 0)
        (void)close(fd);
    return error == 0 ? uv_read_start(&conn->uv.stream, on_alloc, on_read) : error;
}

void http_conn_open(struct http_server *server, int take_fd, const struct http_listen *how,
                    const struct peer *peer)
{
    struct http_conn *conn = calloc(1, sizeof *conn);
    if (conn != NULL && how->tls != NULL)
        conn->tls = tls_new(how->tls);
    if (conn == NULL || (how->tls != NULL && conn->tls == NULL)) {
        free(conn);
        (void)close(take_fd);
        return;
    }
    conn->server = server;
    conn->is_control = how->is_control;
    conn->purposes = how->purposes;
    const struct proxies *proxies = server->handler.proxies;
    conn->is_proxy = proxies != NULL && !how->is_control &&
                     address_parse(peer->address, &conn->source) &&
                     proxies_have(proxies, &conn->source);
    conn->awaits_proxy = conn->is_proxy && proxies->way == PROXY_PROTOCOL;
    conn->uid = peer->uid;
    conn->pid = peer->pid;
    assert(peer->address.len < sizeof conn->address);
    if (peer->address.len > 0)
        memcpy(conn->address, peer->address.ptr, peer->address.len);
    conn->next = server->conns;
    if (conn->next != NULL)
        conn->next->previous = conn;
    server->conns = conn;
    server->handle_count++;
    if (how->is_control)
        server->control_conn_count++;
    else
        server->conn_count++;
    metric_add(server->handler.metrics, METRIC_CONNECTIONS_OPEN, 1);
    metric_add(server->handler.metrics, METRIC_CONNECTIONS_ACCEPTED, 1);
    set_deadline(conn, server->limits.head_seconds_max);
    if (open_stream(conn, take_fd) != 0 || (how->is_for_proxies && !conn->is_proxy))
        http_conn_close(conn);
}
