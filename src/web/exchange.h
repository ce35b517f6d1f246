/* SPDX-License-Identifier: Apache-2.0 */
/* One request and its reply, as values: no socket and no library type in sight. The edge (http/)
 * makes exchanges and sends their replies; handlers read the request, and write the reply.
 *
 * Everything in an exchange lives in its arena and ends with it. A handler runs on one thread at a
 * time: on an event loop (may_block false: memory only) or on a worker (may_block true). */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/span.h"
#include "base/status.h"

struct app;
struct caller;
struct exchange;
struct route;
struct signing_lane;
struct signing_reply;
struct signing_request;
struct use_table;

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_PATCH,
    HTTP_DELETE,
    HTTP_OPTIONS,
    HTTP_METHOD_COUNT, /* the methods that routes may name */
    HTTP_OTHER =
        HTTP_METHOD_COUNT /* a known method that we never serve: 405 or 501 by the router */
};

struct header {
    struct span name;
    struct span value; /* without white space at its ends */
};

/* Where the request came from. */
struct peer {
    struct span address; /* "127.0.0.1"; empty on the control socket */
    bool is_control;     /* came by the control socket; the kernel vouches for uid and pid */
    unsigned uid;
    int pid;
};

/* What the edge does when a handler returns. */
enum exchange_next {
    NEXT_REPLY,  /* send the reply */
    NEXT_SIGNER, /* put x->ask to the signer, then call the route's resume */
    NEXT_WORKER, /* run the handler again on a worker, with may_block */
};

/* What a token request leaves in the event log, filled in as it becomes known. */
struct token_event {
    struct span token_id; /* jti; empty: none was issued */
    struct span credential_id;
    struct span client_id;     /* as presented */
    struct span app_client_id; /* of a client that there is */
    struct span audience;
};

enum { REPLY_HEADERS_MAX = 16, ROUTE_PARAMS_MAX = 4, REQUEST_ID_LEN = 16 };

struct reply {
    int status; /* HTTP; 0: no reply made yet */
    struct header headers[REPLY_HEADERS_MAX];
    size_t header_count;
    struct buf body;          /* in the exchange's arena */
    struct span content_type; /* empty: no body */
    bool close;               /* close the connection after it */
    bool is_refusal;          /* the edge's own: framing, limits, time */
};

struct exchange {
    struct app *app;
    struct arena arena;
    enum http_method method;
    struct span method_name;
    struct span target; /* as sent */
    struct span path;   /* target before '?', still percent-encoded */
    struct span query;  /* after '?' */
    struct header *headers;
    size_t header_count;
    struct span body;
    bool has_body;
    struct peer peer;
    unsigned purposes;               /* what its listener is for: bits of config_purpose */
    char request_id[REQUEST_ID_LEN]; /* base62, also in error bodies and the log */
    int64_t now;                     /* seconds since the epoch, by the wall clock */
    int64_t token_now;               /* by the clock of iat and exp, which never goes back */

    const struct route *route;            /* set by the router */
    struct span params[ROUTE_PARAMS_MAX]; /* the {…} of the route's path, decoded */
    struct caller *caller; /* who asks, set by authentication; NULL on PUBLIC routes */

    int64_t began_ns;            /* boot clock, at the end of the head; 0: it never came whole */
    bool was_blocking;           /* it has been on a worker */
    struct span oauth_error;     /* the code of an OAuth error reply; else empty */
    struct span used_credential; /* an API key's, that was right: its use is counted */
    struct token_event *event;   /* of a token request; NULL: no line in the event log */

    bool may_block;
    enum exchange_next next;
    struct signing_request *ask; /* with NEXT_SIGNER; in the arena */
    struct use_table *uses;      /* of this event loop; NULL on workers */
    struct signing_lane *lane;   /* a worker's own lane for signing_call; NULL on loops */
    void *step;                  /* the handler's own, across NEXT_WORKER and NEXT_SIGNER */

    struct reply reply;
    struct err err;
};

/* The only value of a header. NOT_FOUND; INVALID when it stands more than once. */
enum status exchange_header(const struct exchange *x, struct span name,
                            struct span *ret_value) MUST_USE;
