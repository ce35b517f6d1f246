/* SPDX-License-Identifier: Apache-2.0 */
/* Sealed boxes: AES-256-GCM under a key-encryption key, with the row's identity as associated data,
 * so that a box copied into another row does not open. Only the signer links this file (rule R1).
 *
 * Box: version byte 1, 12-byte random IV, ciphertext, 16-byte tag. */
#pragma once

#include "base/attr.h"
#include "base/span.h"
#include "base/status.h"

struct buf;

enum { SEAL_KEY_BYTES = 32, SEAL_OVERHEAD_BYTES = 1 + 12 + 16 };

/* Appends the box to out (sticky error there). key has SEAL_KEY_BYTES bytes. */
void seal(struct span key, struct span identity, struct span plain, struct buf *out);

/* Appends the plain bytes to out. CORRUPT: not a box of ours, another key, another identity, or
 * altered. */
enum status unseal(struct span key, struct span identity, struct span box, struct buf *out,
                   struct err *err) MUST_USE;
