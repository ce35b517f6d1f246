/* SPDX-License-Identifier: Apache-2.0 */
/* The conversation between the front and the signer (src/signer): typed requests, no bytes to sign.
 *
 * A lane is one socket with one thread at the front's end: an event loop uses signing_submit /
 * signing_flush / signing_receive and never blocks; a worker uses signing_call. Requests submitted
 * before a flush go out in one system call, replies come back in batches, in any order. A lane that
 * broke (the signer died) fails its waiting requests with UNAVAILABLE and refuses new ones until
 * signing_lane_attach() gives it a new socket. */
#pragma once

#include "base/attr.h"
#include "base/span.h"
#include "base/status.h"

struct arena;

enum signing_op {
    SIGNING_PING,     /* is it alive? */
    SIGNING_KEY_MAKE, /* a new pepper, record MAC key or token key: sealed, with its check value */
    SIGNING_KEY_LOAD, /* a key as it was sealed; the last active token key loaded signs */
    SIGNING_TOKEN,    /* check record and secret, write and sign an access token */
    SIGNING_SECRET,   /* check record and secret, and no more */
    SIGNING_PROTECT,  /* hash and seal a new secret */
    SIGNING_UNSEAL,   /* read a secret back; capped per minute */
    SIGNING_RECORD_MAC, /* authenticate a record */
    SIGNING_CLOCK,      /* what time is it for tokens? */
    SIGNING_OP_COUNT
};

enum signing_key_kind {
    SIGNING_KEY_TOKEN,
    SIGNING_KEY_PEPPER,
    SIGNING_KEY_RECORD_MAC,
    SIGNING_KEY_KIND_COUNT
};

extern const struct span
    signing_key_kind_names[SIGNING_KEY_KIND_COUNT]; /* "token", "pepper", "record_mac" */

struct signing_request {
    enum signing_op op;
    union {
        struct {
            enum signing_key_kind kind;
            struct span alg; /* token keys */
        } key_make;
        struct {
            enum signing_key_kind kind;
            struct span alg;
            struct span id; /* kid, or the kind's name: also the sealed box's identity */
            struct span sealed;
            struct span check_value;
            bool is_active;
        } key_load;
        struct {
            /* The first four are SIGNING_SECRET's too. */
            struct span record; /* signing/record.h */
            struct span record_mac;
            struct span credential_id; /* which of the record's credentials was presented */
            struct span secret;        /* as presented */
            struct span audience;
            int64_t ttl_seconds; /* wished for; the record's and the signer's own cap win */
            int64_t revision;    /* what the front had applied when it took the record */
        } token;
        struct {
            struct span account_id;
            struct span owner_id; /* the client's or key's id */
            struct span credential_id;
            struct span secret;
            bool keep_sealed; /* false: hash only */
        } protect;
        struct {
            struct span account_id;
            struct span owner_id;
            struct span credential_id;
            struct span sealed;
        } unseal;
        struct {
            struct span record;
        } record_mac;
        struct {
            /* The high-water mark that an earlier reply gave, or empty: no token is signed before
             * that time comes. It never sets the clock. */
            struct span mark;
            bool is_accepted; /* the host's administrator says that the clock is right: no mark
                                 holds */
        } clock;
    };
};

struct signing_reply {
    enum signing_op op;
    /* OK, or: UNAUTHENTICATED (token, secret: the secret is wrong; token: or client or credential
     * is off or expired, one answer for all, T17), FORBIDDEN (secret: it is right, and off or
     * expired; for the limits, not for who asks), CORRUPT (a MAC, box or check value does not
     * hold), RATE_LIMITED (the unseal cap), UNAVAILABLE (no keys yet, or the signer is gone),
     * INVALID, UNSUPPORTED. */
    enum status status;
    union {
        struct {
            struct span id;
            struct span public_jwk;
            struct span sealed;
            struct span check_value;
        } key_make;
        struct {
            struct span token;
            int64_t expires_in; /* seconds */
            struct span token_id;
        } token;
        struct {
            struct span hash;
            struct span sealed;
        } protect;
        struct {
            struct span secret;
        } unseal;
        struct {
            struct span mac;
        } record_mac;
        struct {
            int64_t now_us; /* since the epoch */
            bool is_held;   /* by a mark: tokens are refused */
            struct span mark;
        } clock;
    };
};

enum { SIGNING_MESSAGE_MAX = 16384, SIGNING_WAITING_MAX = 4096, SIGNING_TOKEN_LEN_MAX = 4096 };

struct signing_lane;

/* fd is an AF_UNIX stream socket, blocking or not. NULL without memory; fd is closed then too. fd
 * may be -1: not attached yet. A blocking lane is for signing_call only. Freeing tells nobody: what
 * waits is forgotten. Neither freeing nor attaching may happen inside a signing_done. */
struct signing_lane *signing_lane_new(int take_fd, bool is_blocking);
void signing_lane_free(struct signing_lane *lane);
void signing_lane_attach(struct signing_lane *lane,
                         int take_fd); /* fails what waits, closes the old socket */
/* -1 when broken; the descriptor itself stays open (shut down, so that it becomes readable) until
 * the lane is attached anew or freed, so that whoever watches it may stop watching first. */
int signing_lane_fd(const struct signing_lane *lane);

typedef void signing_done(void *context, const struct signing_reply *reply);

/* Queues a request. done is called once, later, from signing_receive() or when the lane breaks,
 * unless the answer is not OK: UNAVAILABLE (broken lane, or SIGNING_WAITING_MAX waiting), INVALID
 * (too long). The request is copied; the reply is borrowed for the time of the call. */
enum status signing_submit(struct signing_lane *lane, const struct signing_request *request,
                           signing_done *done, void *context) MUST_USE;
/* Sends what is queued, as far as the socket takes it. True: some is left, call again when
 * writable. */
bool signing_flush(struct signing_lane *lane);
/* Reads what has come and calls done for each reply. False: the lane broke (all waiting were told).
 */
bool signing_receive(struct signing_lane *lane) MUST_USE;

/* Sends one request and waits for its reply, at most timeout_ms. Spans of the reply are in the
 * arena. The answer is the reply's status. The lane must be a blocking one. */
enum status signing_call(struct signing_lane *lane, const struct signing_request *request,
                         int timeout_ms, struct arena *arena, struct signing_reply *ret_reply,
                         struct err *err) MUST_USE;

/* --- The wire, for both ends (signing_wire.c): u32 length of the rest, u32 id, u16 op, u16 status,
 * fields --- */

struct buf;

struct signing_frame {
    uint32_t id;
    enum signing_op op;
    enum status status; /* of replies */
    struct span fields;
};

/* Cuts one whole frame off the front of bytes. OK; NOT_FOUND: not whole yet; INVALID: not the
 * protocol. */
enum status signing_frame_cut(struct span *bytes, struct signing_frame *ret_frame) MUST_USE;

void signing_request_write(uint32_t id, const struct signing_request *request, struct buf *out);
enum status signing_request_read(const struct signing_frame *frame,
                                 struct signing_request *ret_request) MUST_USE;
void signing_reply_write(uint32_t id, const struct signing_reply *reply, struct buf *out);
enum status signing_reply_read(const struct signing_frame *frame,
                               struct signing_reply *ret_reply) MUST_USE;
