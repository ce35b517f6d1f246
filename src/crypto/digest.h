/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 and HMAC-SHA-256 (FIPS 180-4, RFC 2104), constant-time comparison, wiping. */
#pragma once

#include "base/attr.h"
#include "base/span.h"

enum { SHA256_BYTES = 32 };

/* These take no memory, and do not fail. */
void sha256(struct span bytes, unsigned char digest[static SHA256_BYTES]);
void hmac_sha256(struct span key, struct span bytes, unsigned char mac[static SHA256_BYTES]);

/* Time depends on the lengths alone. */
bool ct_equal(struct span a, struct span b) MUST_USE;

/* The library's, as it calls itself. */
const char *crypto_library_version(void);

void wipe(void *memory, size_t size);

/* Random bytes from OpenSSL's generator, seeded from the kernel: no system call per use. Aborts on
 * failure. For jti, IVs; secrets and keys use it too. */
void crypto_random(void *memory, size_t size);
