/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP/1.1 edge (RFC 9110, RFC 9112) on one event loop: turns bytes into exchanges and back.
 *
 * Strict where it protects (framing, Host, version, target: 400 and close), patient where real
 * clients differ. Requests of one connection are answered in order, one at a time; what is
 * pipelined waits unread. Every limit is enforced before memory is spent: 414 target, 431 headers,
 * 413 body, 408 time, 503 connections. The edge makes these replies itself, as JSON of the
 * contract's Error shape. */
#pragma once

#include "base/span.h"
#include "web/exchange.h"

struct loop;
struct http_server;
struct tls_context;
struct metrics;
struct proxies;

struct http_limits {
    size_t connections_max; /* of this loop */
    size_t target_bytes_max;
    size_t header_bytes_max; /* all names and values together */
    size_t header_count_max;
    size_t arena_bytes_max;    /* memory of one exchange beside its body */
    unsigned head_seconds_max; /* from the first byte of a head, or from accept, to its end */
    unsigned body_seconds_max;
    unsigned idle_seconds_max;  /* between requests */
    unsigned write_seconds_max; /* without progress on a reply */
};

struct http_handler {
    struct app *app;
    /* The head is complete, a body may follow: sets x->route (web/route.h) and answers the body
     * limit in bytes; or makes a reply (x->reply.status), sent without reading the body, then the
     * connection closes if one was announced. */
    size_t (*on_head)(struct exchange *x, void *context);
    /* The request is complete. Later, on this thread, http_reply(x) must be called once. */
    void (*on_request)(struct exchange *x, void *context);
    /* x->reply is made, by whoever, and is about to be sent; NULL: nobody listens. */
    void (*on_reply)(const struct exchange *x, void *context);
    void *context;
    struct metrics *metrics;       /* connections are counted there; may be NULL */
    const struct proxies *proxies; /* http/proxies.h: who is believed about whom; NULL: nobody */
};

/* NULL without memory. */
struct http_server *http_server_new(struct loop *loop, const struct http_limits *limits,
                                    const struct http_handler *handler);
struct http_listen {
    bool is_control;         /* a Unix socket: peers get their uid and pid; else TCP */
    struct tls_context *tls; /* NULL: plain */
    bool is_for_proxies;     /* connections of others than listed proxies are closed */
    unsigned purposes;       /* of config/config.h: which routes are there */
};

/* Takes a listening socket. 0 or -errno. */
int http_server_listen(struct http_server *server, int take_fd, const struct http_listen *how);

/* Sends x->reply (Date, Content-Length and Connection are added; no body for HEAD, 204, 304) and
 * ends the exchange: x is gone. Also when the peer has gone meanwhile. */
void http_reply(struct exchange *x);

/* Stop accepting, close idle connections, let running exchanges finish with Connection: close. */
void http_server_drain(struct http_server *server);
size_t http_server_connections(const struct http_server *server);
/* Closes what is left. No exchange may be running outside. */
void http_server_free(struct http_server *server);
