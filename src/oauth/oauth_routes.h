/* SPDX-License-Identifier: Apache-2.0 */
/* The routes of OAuth: token endpoint, metadata, JWK set. */
#pragma once

#include "web/route.h"

enum { OAUTH_ROUTE_COUNT = 8 };

extern const struct route oauth_routes[OAUTH_ROUTE_COUNT];
