/* SPDX-License-Identifier: Apache-2.0 */
/* TLS 1.2 and 1.3 (RFC 8446, RFC 9325) over bytes, without sockets: what came from the peer goes
 * in, plain text comes out, and what is to be sent is appended to a buffer that the caller brings.
 * So an idle connection keeps no buffers of its own. OpenSSL stays behind this header.
 *
 * The key of the certificate is in the front: rule R1 is about token-signing keys, pepper and KEK.
 */
#pragma once

#include "base/attr.h"
#include "base/buf.h"
#include "base/span.h"
#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

struct tls_context; /* certificate, key and rules; for all connections of the process, any thread */
struct tls;         /* one connection; one thread at a time */

/* Both are PEM; the certificate may be followed by its chain. INVALID: they do not read, or do not
 * belong together; what is wrong is in err. An expired certificate is taken: see tls_not_after().
 */
enum status tls_context_new(struct span certificate, struct span key,
                            struct tls_context **ret_context, struct err *err) MUST_USE;
void tls_context_free(struct tls_context *context); /* NULL is fine */

/* When the certificate ends, seconds since the epoch. */
int64_t tls_not_after(const struct tls_context *context);

/* The server's end of a new connection. NULL without memory. */
struct tls *tls_new(struct tls_context *context);
void tls_free(struct tls *tls); /* NULL is fine */

enum tls_result {
    TLS_MORE,   /* all of *bytes is taken; what it completed is in into */
    TLS_FULL,   /* into is full; call again, also without bytes */
    TLS_ENDED,  /* the peer said that it sends nothing more */
    TLS_FAILED, /* send what is in out, and close */
    TLS_PLAIN,  /* this is HTTP without TLS */
};

/* Takes bytes off the front of *bytes, writes plain text to into (*ret_len of size), and appends
 * what is to be sent (handshake, tickets, alerts) to out. */
enum tls_result tls_read(struct tls *tls, struct span *bytes, char *into, size_t size,
                         size_t *ret_len, struct buf *out) MUST_USE;

/* Appends text as encrypted records to out. False: the connection is broken. */
bool tls_write(struct tls *tls, struct span text, struct buf *out) MUST_USE;

/* Appends close_notify (RFC 8446 §6.1), where the handshake is over. */
void tls_end(struct tls *tls, struct buf *out);
