/* SPDX-License-Identifier: Apache-2.0 */
/* One lane: a thread that reads requests from its socket and answers them until the other end is
 * gone. */
#pragma once

#include "base/attr.h"

#include <stdatomic.h>
#include <stdbool.h>

struct signer;

/* How a lane ended. */
enum signer_lane_end {
    SIGNER_LANE_EOF,    /* the other end is gone, or is_ending was set */
    SIGNER_LANE_BROKEN, /* what came is not the protocol, or there is no memory */
};

/* Runs the lane; is_ending is looked at between batches. The socket stays the caller's. */
enum signer_lane_end signer_lane_run(struct signer *signer, int fd,
                                     const atomic_bool *is_ending) MUST_USE;
