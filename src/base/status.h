/* SPDX-License-Identifier: Apache-2.0 */
/* The closed set of outcomes, meaning the same everywhere, and struct err, which carries the
 * reason.
 *
 * A function that can fail returns enum status and takes a struct err last. Where the cause is
 * known it calls fail(); whoever is above passes both on unchanged. status -> HTTP is one table
 * (web/reply.c), status -> OAuth error another (oauth/oauth_error.c). */
#pragma once

#include "base/attr.h"

enum status {
    OK = 0,
    INVALID,         /* the shape of the input is wrong: 400 */
    UNAUTHENTICATED, /* no usable credential: 401 */
    FORBIDDEN,       /* known, but may not: 403 */
    NOT_FOUND,       /* 404; absence is an answer, not a failure */
    CONFLICT,        /* exists already, or changed meanwhile: 409 */
    TOO_LARGE,       /* over a stated limit: 413 */
    UNSUPPORTED,     /* a media type or feature we do not take: 415 */
    RATE_LIMITED,    /* too many attempts: 429 with Retry-After */
    NO_MEMORY,       /* over a memory cap: 503 with Retry-After */
    UNAVAILABLE,     /* store or signer does not answer now: 503 with Retry-After */
    CORRUPT,         /* stored data does not hold what it must: 500, and it is logged */
    STATUS_COUNT
};

struct err {
    enum status status;
    char detail[120]; /* for people; never holds a secret or raw input */
};

/* Records status and detail in err unless it already holds a failure (the first cause wins), and
 * returns status. err may be NULL. */
enum status fail(struct err *err, enum status status, const char *format, ...) PRINTF_LIKE(3, 4);

/* "invalid", "not found", …: for logs and test output. */
const char *status_name(enum status status);
