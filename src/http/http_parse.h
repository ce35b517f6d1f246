/* SPDX-License-Identifier: Apache-2.0 */
/* From the bytes of one request to an exchange, without sockets: llhttp without its lenient modes
 * for headers and body, http_head.h for what llhttp leaves to us.
 *
 * The bytes may come in any cuts. Each limit is checked before the memory is spent. The body is
 * the parser's own (it does not count against the arena) and lasts until the next
 * http_parse_begin(), which wipes it. */
#pragma once

#include "http/http_head.h"
#include "web/exchange.h"

struct http_limits;
struct http_parse;

enum http_parse_step {
    PARSE_MORE,    /* all bytes are taken, the request is not complete */
    PARSE_HEAD,    /* the head is complete and sound: say http_parse_body_limit() and go on */
    PARSE_DONE,    /* the request is complete; *rest holds what follows it */
    PARSE_REFUSED, /* see http_parse_refusal(); the connection's framing is lost */
};

/* Limits are borrowed and must outlive it. NULL without memory. */
struct http_parse *http_parse_new(const struct http_limits *limits);
void http_parse_free(struct http_parse *parse);

/* A new request, into x, whose arena is set up. */
void http_parse_begin(struct http_parse *parse, struct exchange *x);
/* Forgets the request, and wipes and gives back the body's memory beyond a small rest. */
void http_parse_end(struct http_parse *parse);

/* Takes bytes off the front of *rest. */
enum http_parse_step http_parse_feed(struct http_parse *parse, struct span *rest);

/* After PARSE_HEAD. False: the announced body is larger; refused with 413. */
bool http_parse_body_limit(struct http_parse *parse, size_t limit_bytes);

int http_parse_refusal(const struct http_parse *parse); /* the HTTP status */
const struct http_head *http_parse_head(const struct http_parse *parse);
/* After PARSE_HEAD: does a body follow, and may the connection go on after the request? */
bool http_parse_expects_body(const struct http_parse *parse);
bool http_parse_keeps_alive(const struct http_parse *parse);
