/* SPDX-License-Identifier: Apache-2.0 */
/* The route table: what grows, grows by a row. Router, authorization, 405 with Allow, OPTIONS, body
 * limits, metrics and the OpenAPI test all read it.
 *
 * Every row names a permission or PERMISSION_PUBLIC; a row without one is refused at start and by a
 * test: an empty field means deny. */
#pragma once

#include "authz/permission.h"
#include "web/exchange.h"

enum lane {
    LANE_FAST,   /* on the event loop: memory only */
    LANE_WORKER, /* may block: SQL, files */
};

enum cors {
    CORS_NONE,
    CORS_ANY_ORIGIN, /* public documents: Access-Control-Allow-Origin: * */
    CORS_OWN,        /* this server's own pages */
    CORS_CONFIGURED, /* those and cors_origins */
};

struct route {
    enum http_method method; /* a GET row also answers HEAD */
    struct span path; /* "/v2/app_clients/{app_client_id}": whole segments may be parameters */
    enum permission permission;
    enum lane lane;
    enum cors cors;
    unsigned purposes;     /* bits of config_purpose: listeners that serve it; 0: every one */
    size_t body_bytes_max; /* 0: the configured management limit */
    void (*handle)(struct exchange *x);
    void (*resume)(struct exchange *x, const struct signing_reply *reply); /* after NEXT_SIGNER */
    struct span name; /* operationId in openapi/postern.yaml, metric label, log word */
};

/* Finds the row for method and path, and sets x->route and x->params. Otherwise makes the reply:
 * 204 for OPTIONS, 404, 405 with Allow, 501 for a method that HTTP does not know, 400 for a path
 * that does not decode. True when x->route is set. */
bool route_find(struct exchange *x, const struct route *routes, size_t count);

/* "GET", …; empty for HTTP_OTHER. */
struct span http_method_name(enum http_method method);

/* Is the table sound: permission, handler and name in every row, no row twice? The first fault is
 * in err. */
enum status route_check(const struct route *routes, size_t count, struct err *err) MUST_USE;
