/* SPDX-License-Identifier: Apache-2.0 */
/* bare_http PORT BODYBYTES: the least that libuv and llhttp do for an HTTP exchange, as the
 * yardstick for the edge's own cost. Answers every request with BODYBYTES bytes; one thread; port 0
 * picks one. No limits, no checks: for benchmarks on the loopback only. */
#include <llhttp.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum { READ_BYTES = 65536, BACKLOG = 512, BODY_BYTES_MAX = 1 << 24 };

struct server {
    uv_loop_t loop;
    uv_tcp_t listener;
    llhttp_settings_t settings;
    char *reply;
    size_t reply_bytes;
    char read_bytes[READ_BYTES];
};

struct conn {
    uv_tcp_t tcp;
    llhttp_t llhttp;
    struct server *server;
};

struct write {
    uv_write_t request;
    char bytes[];
};

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void on_written(uv_write_t *request, int status)
{
    (void)status;
    free(request->data);
}

/* The rest of a reply that the socket did not take at once. */
static void write_rest(struct conn *conn, const char *bytes, size_t size)
{
    struct write *write = malloc(sizeof *write + size);
    if (write == NULL)
        abort();
    memcpy(write->bytes, bytes, size);
    write->request.data = write;
    uv_buf_t buf = uv_buf_init(write->bytes, (unsigned)size);
    if (uv_write(&write->request, (uv_stream_t *)&conn->tcp, &buf, 1, on_written) != 0)
        free(write);
}

static int on_message_complete(llhttp_t *llhttp)
{
    struct conn *conn = llhttp->data;
    struct server *server = conn->server;
    uv_buf_t buf = uv_buf_init(server->reply, (unsigned)server->reply_bytes);
    int written = uv_try_write((uv_stream_t *)&conn->tcp, &buf, 1);
    size_t done = written < 0 ? 0 : (size_t)written;
    if (done < server->reply_bytes)
        write_rest(conn, server->reply + done, server->reply_bytes - done);
    return 0;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buf)
{
    (void)suggested;
    const struct conn *conn = handle->data;
    *ret_buf = uv_buf_init(conn->server->read_bytes, READ_BYTES);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf)
{
    struct conn *conn = stream->data;
    if (size == 0)
        return;
    if (size < 0 || llhttp_execute(&conn->llhttp, buf->base, (size_t)size) != HPE_OK)
        uv_close((uv_handle_t *)stream, on_closed);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct server *server = listener->data;
    struct conn *conn = status == 0 ? calloc(1, sizeof *conn) : NULL;
    if (conn == NULL)
        return;
    conn->server = server;
    conn->tcp.data = conn;
    (void)uv_tcp_init(&server->loop, &conn->tcp);
    if (uv_accept(listener, (uv_stream_t *)&conn->tcp) != 0) {
        uv_close((uv_handle_t *)&conn->tcp, on_closed);
        return;
    }
    (void)uv_tcp_nodelay(&conn->tcp, 1);
    llhttp_init(&conn->llhttp, HTTP_REQUEST, &server->settings);
    conn->llhttp.data = conn;
    (void)uv_read_start((uv_stream_t *)&conn->tcp, on_alloc, on_read);
}

static int make_reply(struct server *server, size_t body_bytes)
{
    enum { HEAD_BYTES_MAX = 256 };
    server->reply = malloc(HEAD_BYTES_MAX + body_bytes);
    if (server->reply == NULL)
        return -1;
    int head = snprintf(server->reply, HEAD_BYTES_MAX,
                        "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                        "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                        body_bytes);
    if (head < 0)
        return -1;
    memset(server->reply + head, 'x', body_bytes);
    server->reply_bytes = (size_t)head + body_bytes;
    return 0;
}

static int start(struct server *server, const char *port)
{
    struct sockaddr_in address;
    int size = sizeof address;
    server->settings.on_message_complete = on_message_complete;
    if (uv_loop_init(&server->loop) != 0 || uv_tcp_init(&server->loop, &server->listener) != 0 ||
        uv_ip4_addr("127.0.0.1", (int)strtol(port, NULL, 10), &address) != 0 ||
        uv_tcp_bind(&server->listener, (const struct sockaddr *)&address, 0) != 0 ||
        uv_listen((uv_stream_t *)&server->listener, BACKLOG, on_connection) != 0 ||
        uv_tcp_getsockname(&server->listener, (struct sockaddr *)&address, &size) != 0)
        return -1;
    server->listener.data = server;
    (void)printf("ready %d\n", ntohs(address.sin_port));
    (void)fflush(stdout);
    return uv_run(&server->loop, UV_RUN_DEFAULT);
}

int main(int argc, char **argv)
{
    unsigned long body_bytes = argc == 3 ? strtoul(argv[2], NULL, 10) : BODY_BYTES_MAX + 1ul;
    if (body_bytes > BODY_BYTES_MAX) {
        (void)fprintf(stderr, "usage: %s PORT BODYBYTES\n", argv[0]);
        return 2;
    }
    (void)sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    struct server *server = calloc(1, sizeof *server);
    if (server == NULL || make_reply(server, body_bytes) != 0)
        return 1;
    return start(server, argv[1]) == 0 ? 0 : 1;
}
