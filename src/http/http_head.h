/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of a request's head that are ours to hold, as pure functions: the request line, Host,
 * the framing headers, and headers that may stand only once (RFC 9110, RFC 9112).
 *
 * Both answer 0, or the HTTP status of the refusal. */
#pragma once

#include "web/exchange.h"

/* What the head says about the connection and the body that follows. */
struct http_head {
    bool is_http_1_0;
    bool is_chunked;
    bool has_length;
    bool expects_continue;
    int64_t length; /* Content-Length */
};

/* line is the request line without CRLF, in the exchange's arena: x->method, method_name, target,
 * path and query become parts of it. */
int http_head_line(struct span line, struct exchange *x, struct http_head *ret_head) MUST_USE;

/* Reads x->headers; http_head_line() came before. */
int http_head_fields(const struct exchange *x, struct http_head *head) MUST_USE;
