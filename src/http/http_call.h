/* SPDX-License-Identifier: Apache-2.0 */
/* One blocking HTTP exchange over a Unix socket, for the command line's talk with the control
 * socket. */
#pragma once

#include "base/attr.h"
#include "base/span.h"
#include "base/status.h"
#include "web/exchange.h"

struct arena;

struct http_call {
    int socket_fd; /* connected; borrowed; one exchange, then it is spent */
    struct span method;
    struct span target;
    const struct header *headers; /* beside Host, Content-Type, Content-Length */
    size_t header_count;
    struct span body; /* JSON; empty: none */
    int timeout_ms;
};

struct http_answer {
    int status;
    struct span body;
};

/* UNAVAILABLE: connection lost or timed out; INVALID: not HTTP; TOO_LARGE: over 16 MiB. */
enum status http_call(const struct http_call *call, struct arena *arena,
                      struct http_answer *ret_answer, struct err *err) MUST_USE;
