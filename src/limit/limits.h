/* SPDX-License-Identifier: Apache-2.0 */
/* Who may go on: budgets of failed authentications and of requests, by network source.
 *
 * A source is an IPv4 address, or an IPv6 /64, which is what one subscriber has. By default only
 * failures are counted. Two rules keep anybody from locking others out:
 *
 * - Failures count against the source alone, and against client and source together; never against
 *   a client alone. What happens elsewhere is nothing to a client.
 * - From a source where the right credential of a client came lately, that client is still checked
 *   when the budget is gone, whoever spent it (a NAT, a proxy that is not listed as trusted): the
 *   right credential works, a wrong one is answered 429. Everybody else is refused unchecked.
 *
 * What runs at the same time is checked before its failures are counted, so a budget may be overrun
 * by the number of requests under way. Any thread; memory is of fixed size. */
#pragma once

#include "base/attr.h"
#include "base/span.h"
#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

struct limits;

/* 0: no such limit. */
struct limit_options {
    int64_t address_failures_per_minute;
    int64_t client_failures_per_minute; /* of one client, from one source */
    int64_t address_requests_per_second;
    int64_t requests_per_second; /* of all */
    int64_t client_tokens_per_second;
};

/* Since start; for metrics. */
struct limit_counts {
    uint64_t failures;         /* wrong secrets and tokens that were counted */
    uint64_t failures_refused; /* 429 to wrong credentials, and to unchecked ones */
    uint64_t requests_refused; /* over a source's rate */
    uint64_t overall_refused;  /* over the rate of all */
    uint64_t tokens_refused;   /* over a client's rate */
    uint64_t requests_shed;    /* because what was asked before waits too long */
};

/* NULL: no memory. */
struct limits *limits_new(const struct limit_options *options);
void limits_free(struct limits *limits); /* NULL is fine */
void limits_counts(const struct limits *limits, struct limit_counts *ret_counts);

/* Of the functions below: address is a peer's, as text; client is a client_id, or empty where the
 * credential names none that could be believed; now_ns is CLOCK_BOOTTIME; *ret_wait_seconds, at
 * least 1 when not OK, is what Retry-After says. */

/* Counts a request. RATE_LIMITED: its source's rate; UNAVAILABLE: the rate of all. */
enum status limits_request(struct limits *limits, struct span address, int64_t now_ns,
                           unsigned *ret_wait_seconds) MUST_USE;

/* Before a credential is checked. RATE_LIMITED: do not check it. */
enum status limits_before_check(struct limits *limits, struct span address, struct span client,
                                int64_t now_ns, unsigned *ret_wait_seconds) MUST_USE;

/* The credential was wrong. RATE_LIMITED: the budget was gone already; say that instead. */
enum status limits_failed(struct limits *limits, struct span address, struct span client,
                          int64_t now_ns, unsigned *ret_wait_seconds) MUST_USE;

/* The credential was right: it is remembered for a day that it came from there. */
void limits_succeeded(struct limits *limits, struct span address, struct span client,
                      int64_t now_ns);

/* Before a token is made for a client that is known, and after: only what was issued counts, so
 * that nobody else can spend it. */
enum status limits_before_token(struct limits *limits, struct span client, int64_t now_ns,
                                unsigned *ret_wait_seconds) MUST_USE;
void limits_token_made(struct limits *limits, struct span client, int64_t now_ns);

void limits_count_shed(struct limits *limits);
