/* SPDX-License-Identifier: Apache-2.0 */
/* base64url without padding (RFC 4648 §5, RFC 7515 §2), and strict base64 for HTTP Basic. */
#pragma once

#include "base/attr.h"
#include "base/span.h"
#include "base/status.h"

struct arena;
struct buf;

/* Characters that size bytes take, without padding. */
size_t base64url_encoded_len(size_t size);

void base64url_write(struct buf *out, struct span bytes);

/* Decodes into the arena. INVALID: a character outside the alphabet, padding, a length of 4n+1, or
 * non-zero trailing bits (one value has one spelling, RFC 4648 §3.5). NO_MEMORY over the cap. */
enum status base64url_decode(struct span text, struct arena *arena,
                             struct span *ret_bytes) MUST_USE;

/* Standard alphabet, padding required (RFC 4648 §4), for RFC 7617. The same statuses. */
enum status base64_decode(struct span text, struct arena *arena, struct span *ret_bytes) MUST_USE;

void base64_write(struct buf *out, struct span bytes); /* standard alphabet, padded */
