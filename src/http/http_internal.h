/* SPDX-License-Identifier: Apache-2.0 */
/* What loop.c, http_server.c and http_conn.c share. Everything here belongs to one loop's thread.
 *
 * A connection holds a request (exchange, parser, body) only from the first byte of a head to the
 * end of its reply; requests are recycled, so that an idle connection is a few hundred bytes. */
#pragma once

#include "http/http.h"
#include "http/http_parse.h"
#include "http/http_write.h"
#include "http/proxies.h"
#include "http/tls.h"

#include <assert.h>
#include <netinet/in.h>
#include <uv.h>

struct loop;
uv_loop_t *loop_uv(struct loop *loop);

enum {
    READ_BYTES = 16384, /* the loop's read buffer; also the most that a connection keeps unread */
    DRAIN_FRESH_MS = 1000,
    LINGER_MS = 2000,
    LINGER_BYTES_MAX = 1 << 20,
};

struct http_conn;

struct http_request {
    struct exchange x; /* first: http_reply() finds the request from it */
    struct http_parse *parse;
    struct http_server *server;
    struct http_conn *conn; /* NULL once the connection is closed */
    struct http_request *next_free;
    char address[INET6_ADDRSTRLEN];
};

enum conn_state {
    CONN_IDLE,    /* no byte of a request yet */
    CONN_HEAD,    /* reading a head */
    CONN_BODY,    /* reading a body */
    CONN_RUNNING, /* the handler has the exchange */
    CONN_WRITING, /* the reply does not fit into the socket's buffer at once */
    CONN_LINGER,  /* replied, and discarding what the peer still sends, so that no reset of the
                     connection overtakes the reply (RFC 9112 §9.6) */
    CONN_CLOSED,
};

struct http_conn {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } uv;
    struct http_server *server;
    struct http_conn *next;
    struct http_conn *previous;
    struct http_request *request; /* NULL while idle or lingering */
    enum conn_state state;
    struct tls *tls;      /* NULL: plain */
    unsigned purposes;    /* of its listener */
    bool is_control;      /* a Unix socket; else TCP */
    bool is_proxy;        /* a listed one */
    bool awaits_proxy;    /* its PROXY protocol header comes first */
    bool is_paused;       /* reading is stopped: bytes came while a request ran */
    bool is_taking_input; /* conn_take() is on the stack */
    bool has_begun;       /* a byte of a request came */
    bool has_ended;       /* the peer sends nothing more */
    bool closes_after;    /* after the reply being written */
    bool lingers;         /* when it closes: the peer may still be sending */
    uint64_t deadline_ms;
    size_t write_left_bytes; /* at the last tick, to see progress */
    size_t lingered_bytes;

    char *unread; /* pipelined bytes, kept while a request runs; heap */
    size_t unread_at;
    size_t unread_len;

    uv_write_t write;
    char *write_head; /* the part of a reply's head that is not written yet; heap */

    unsigned uid; /* of a control socket's peer */
    int pid;
    struct address source; /* of a TCP peer */
    char address[INET6_ADDRSTRLEN];
};

static_assert(sizeof(struct http_conn) <= 1024, "what an idle connection costs");

struct http_listener {
    uv_poll_t poll;
    struct http_server *server;
    struct http_listener *next;
    int fd;
    struct http_listen how;
    bool is_paused; /* no descriptors left; the next tick tries again */
};

struct http_server {
    struct loop *loop;
    struct http_limits limits;
    struct http_handler handler;
    uv_timer_t tick;
    struct http_listener *listeners;
    struct http_conn *conns;
    size_t conn_count;         /* from the network */
    size_t control_conn_count; /* from control sockets: not counted against the limit */
    size_t handle_count;       /* that still need their close callback, before memory goes */
    bool is_draining;
    bool is_freed;

    struct http_request *free_requests;
    size_t free_request_count;
    struct http_date date;
    struct buf head_bytes; /* the head being written; heap */
    struct buf sealed;     /* encrypted bytes on their way out; heap */
    uint64_t id_base[2];
    uint64_t id_count;
    int spare_fd; /* given up to accept and turn away a connection when descriptors run out */
    char read_bytes[READ_BYTES];
    char opened[READ_BYTES]; /* plain text of one read */
};

/* http_server.c */
/* NULL without memory. The exchange is as new; conn may be NULL. */
struct http_request *http_request_take(struct http_server *server, struct http_conn *conn);
void http_request_give(struct http_server *server, struct http_request *request);
/* The reply of this exchange is made: tells the handler's on_reply. */
void http_tell_reply(const struct http_server *server, const struct exchange *x);
/* A handle's close callback has run: ends the server after the last one, if it was freed. */
void http_server_handle_closed(struct http_server *server);

/* http_conn.c */
/* Takes an accepted, nonblocking socket. conn's address, uid and pid come from peer. */
void http_conn_open(struct http_server *server, int take_fd, const struct http_listen *how,
                    const struct peer *peer);
void http_conn_close(struct http_conn *conn);
void http_conn_tick(struct http_conn *conn, uint64_t now_ms);
/* No request is under way: closes at once, or a moment later if none came yet on this connection,
 * as its first may be on its way. */
void http_conn_drain(struct http_conn *conn);
