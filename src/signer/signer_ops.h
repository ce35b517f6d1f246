/* SPDX-License-Identifier: Apache-2.0 */
/* What the signer does for a request: a table, one row per operation of signing/signing.h.
 *
 * struct signer is what all lanes share; a signer_worker is one thread's own (key copies, buffers).
 */
#pragma once

#include "base/attr.h"
#include "signer/signer_clock.h"
#include "signer/signer_keys.h"
#include "signer/signer_meter.h"
#include "signing/signing.h"

struct config;

struct signer {
    struct signer_keys *keys;
    struct signer_clock clock;
    _Atomic int64_t held_until_us; /* by the signer's clock: no token is signed before */
    struct signer_meter unseals;
    struct span issuer;        /* borrowed from the configuration */
    int64_t token_ttl_seconds; /* where the record names none */
};

/* kek has SEAL_KEY_BYTES bytes. INVALID: the configuration has no public_url. */
enum status signer_open(struct signer *signer, const struct config *config, struct span kek,
                        struct err *err) MUST_USE;
void signer_close(struct signer *signer);

struct signer_worker;

struct signer_worker *signer_worker_new(struct signer *signer); /* NULL without memory */
void signer_worker_free(struct signer_worker *worker);

struct signer_time {
    int64_t now_us; /* the signer's clock, since the epoch */
    int64_t now;    /* the same in seconds */
    int64_t second; /* of a clock that only counts: for the meter */
};

struct signer_time signer_time_read(struct signer *signer);

/* Answers a request. The reply borrows the worker's buffers until the next call; err says for the
 * log what the reply's status does not. Aborts when a signature that was just made does not verify:
 * a key or a processor that gives wrong signatures must not give a second one (the supervisor
 * starts a new process). */
void signer_handle(struct signer_worker *worker, const struct signing_request *request,
                   const struct signer_time *time, struct signing_reply *ret_reply,
                   struct err *err);

/* Wipes what the last reply borrowed. */
void signer_worker_forget(struct signer_worker *worker);
