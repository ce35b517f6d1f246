/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share: the inside of a lane, and copying replies. */
#pragma once

#include "base/buf.h"
#include "signing/signing.h"

struct signing_slot {
    signing_done *done; /* NULL: free */
    void *context;
    enum signing_op op;
    uint32_t generation; /* +1 with each use, so that a late or invented reply meets nobody */
    uint32_t next_free;
};

/* Bytes that came and are not a whole frame yet stand at the front of in. A broken lane keeps its
 * socket, shut down, until it is attached or freed: somebody may still watch the descriptor. */
struct signing_lane {
    int fd;
    bool is_blocking;
    bool is_broken;
    struct buf message; /* the request being written; its memory is there from the start */
    struct buf out;     /* frames to send; the first sent bytes are gone already */
    size_t sent;
    char *in;
    size_t in_len;
    uint32_t last_id; /* of signing_call */
    struct signing_slot *slots;
    uint32_t slot_count; /* ever used; those behind are not touched yet */
    uint32_t free_first; /* SIGNING_WAITING_MAX: none */
    uint32_t waiting;
};

enum { SIGNING_RECEIVE_BYTES = 65536 };

/* Tells all who wait, drops what is queued, and shuts the socket down. */
void signing_lane_break(struct signing_lane *lane);

/* Drops the first count bytes of in and wipes where they and what moved stood. */
void signing_lane_consume(struct signing_lane *lane, size_t count);

/* Empties message and wipes what it held. */
void signing_lane_forget_message(struct signing_lane *lane);

/* Copies the reply's bytes into the arena. NO_MEMORY over its cap. */
enum status signing_reply_copy(struct signing_reply *reply, struct arena *arena) MUST_USE;
