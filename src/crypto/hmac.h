/* SPDX-License-Identifier: Apache-2.0 */
/* HMAC-SHA-256 under a key that is used again and again: its two padded blocks are hashed once, and
 * OpenSSL looks nothing up per use, which hmac_sha256() does. Not for several threads at once. */
#pragma once

#include "crypto/digest.h"

struct hmac;

/* The key must not be empty; it is copied. NULL without memory. */
struct hmac *hmac_new(struct span key) MUST_USE;
void hmac_free(struct hmac *hmac); /* wipes the key. NULL is fine */

/* Does not fail: aborts when OpenSSL does not compute. */
void hmac_write(struct hmac *hmac, struct span bytes, unsigned char mac[static SHA256_BYTES]);
