/* SPDX-License-Identifier: Apache-2.0 */
/* Composition root of the front: store, keys, state and the prepared documents, made before
 * anything is accepted; first start included. */
#pragma once

#include "base/attr.h"
#include "config/config.h"
#include "oauth/oauth_routes.h"
#include "api/api_routes.h"
#include "server/front_clock.h"
#include "server/front_keys.h"
#include "web/app.h"

struct signing_lane;

struct front_app {
    struct app app;
    struct config config;
    struct route routes[OAUTH_ROUTE_COUNT + API_ROUTE_COUNT];
    struct front_keys keys;
    struct front_clock clock;
    struct jwks *jwks;
    struct arena arena;        /* what app's spans point to */
    struct signing_lane *lane; /* the main thread's own, blocking */
    bool is_first_start;
};

struct front_app_options {
    int data_fd;
    unsigned readers;
    bool is_issuer_configured; /* config.public_url was given, not derived from a listener */
    struct signing_lane *take_lane;
};

/* config is filled in already. Everything opened stays for front_app_close(), also on failure. */
enum status front_app_open(struct front_app *front, const struct front_app_options *options,
                           struct err *err) MUST_USE;
void front_app_close(struct front_app *front);

/* All routes of the product into routes: also for `postern routes`. */
void front_app_routes(struct route routes[static OAUTH_ROUTE_COUNT + API_ROUTE_COUNT]);
