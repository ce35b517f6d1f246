/* SPDX-License-Identifier: Apache-2.0 */
/* Making replies: JSON bodies, headers, and errors of the contract's three shapes (Error,
 * BadRequestError, NotFoundError). The one table from status to HTTP is here. */
#pragma once

#include "codec/json.h"
#include "model/field.h"
#include "web/exchange.h"

/* The HTTP status that stands for a failure, for edges that shape their own bodies. */
int reply_http_status(enum status status);

/* Starts a reply with a JSON body; write exactly one value. What does not fit makes the reply a
 * 503. */
struct json_writer reply_json(struct exchange *x, int http_status);

/* A prepared document: body is borrowed and must outlive the exchange. */
void reply_document(struct exchange *x, struct span content_type, struct span body);

void reply_empty(struct exchange *x, int http_status);

/* Values are borrowed: literals, or memory of the exchange. Never caller input. */
void reply_header(struct exchange *x, struct span name, struct span value);

/* Answers that must not be kept: Cache-Control: no-store (RFC 9111 §5.2.2.5) and, for RFC 6749
 * §5.1, Pragma: no-cache. */
void reply_no_store(struct exchange *x);

/* Error bodies; under /oauth in the shape of RFC 6749 §5.2, else in the contract's. x->err, when
 * set, gives the message that people read; 503 and 429 carry Retry-After; 401 carries a Bearer
 * challenge (RFC 6750 §3), with error="invalid_token" when a credential was sent. */
void reply_error(struct exchange *x, enum status status);
/* RATE_LIMITED or UNAVAILABLE, for so many seconds. */
void reply_wait(struct exchange *x, enum status status, unsigned seconds);

/* Retry-After of so many seconds, and up to as many again by chance: those who were refused
 * together do not come back together. */
void reply_retry_after(struct exchange *x, unsigned seconds);

void reply_not_found(struct exchange *x, struct span id);
void reply_bad_request(struct exchange *x, const struct problems *problems);

/* 405: allow names the methods that the path takes (RFC 9110 §15.5.6). */
void reply_method_not_allowed(struct exchange *x, struct span allow);

/* One field's error, without a table. */
void reply_bad_field(struct exchange *x, struct span field, const char *text);
