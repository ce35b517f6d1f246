/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/digest.h"

#include <assert.h>
#include <limits.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <stdlib.h>
#include <string.h>

static_assert(SHA256_BYTES == SHA256_DIGEST_LENGTH, "the same digest");

void sha256(struct span bytes, unsigned char digest[static SHA256_BYTES])
{
    if (SHA256((const unsigned char *)bytes.ptr, bytes.len, digest) == NULL)
        abort();
}

void hmac_sha256(struct span key, struct span bytes, unsigned char mac[static SHA256_BYTES])
{
    unsigned len = SHA256_BYTES;
    if (key.len > INT_MAX || HMAC(EVP_sha256(), key.ptr, (int)key.len,
                                  (const unsigned char *)bytes.ptr, bytes.len, mac, &len) == NULL)
        abort();
}

bool ct_equal(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || CRYPTO_memcmp(a.ptr, b.ptr, a.len) == 0);
}

void wipe(void *memory, size_t size)
{
    OPENSSL_cleanse(memory, size);
}

void crypto_random(void *memory, size_t size)
{
    if (size > INT_MAX || RAND_bytes(memory, (int)size) != 1)
        abort();
}
