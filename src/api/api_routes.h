/* SPDX-License-Identifier: Apache-2.0 */
/* The routes of the built-in API (/v2) and of health. */
#pragma once

#include "web/route.h"

enum { API_ROUTE_COUNT = 48 };

extern const struct route api_routes[API_ROUTE_COUNT];
