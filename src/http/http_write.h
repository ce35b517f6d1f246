/* SPDX-License-Identifier: Apache-2.0 */
/* A reply's head as bytes, and the replies that the edge makes itself. No sockets. */
#pragma once

#include "base/buf.h"
#include "web/exchange.h"

/* The Date header's text, made once a second (RFC 9110 §6.6.1). */
struct http_date {
    int64_t second;
    size_t len;
    char text[64]; /* more than a year of four digits needs */
};

enum http_connection {
    CONNECTION_KEPT,      /* HTTP/1.1's default: nothing to say */
    CONNECTION_KEPT_SAID, /* HTTP/1.0 asked for keep-alive */
    CONNECTION_CLOSED,
};

/* Appends status line, headers and the empty line for x->reply. A header that would break the
 * framing (CR, LF, NUL or other control characters in it) is left out. */
void http_write_head(struct buf *out, const struct exchange *x, enum http_connection connection,
                     struct http_date *date);

/* Does the reply to this exchange have a body on the wire? Not for HEAD, 204 and 304. */
bool http_write_has_body(const struct exchange *x);

/* Replaces x->reply by the edge's own for this status: the contract's Error shape, or RFC 6749's
 * under /oauth. Nothing of the request stands in it but its id. */
void http_write_refusal(struct exchange *x, int status);
