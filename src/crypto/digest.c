/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/digest.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

/* OpenSSL does not take NULL for an empty text everywhere. */
static const unsigned char *bytes_of(struct span bytes)
{
    return (const unsigned char *)(bytes.len == 0 ? "" : bytes.ptr);
}

void sha256(struct span bytes, unsigned char digest[static SHA256_BYTES])
{
    if (SHA256(bytes_of(bytes), bytes.len, digest) == NULL)
        abort();
}

void hmac_sha256(struct span key, struct span bytes, unsigned char mac[static SHA256_BYTES])
{
    unsigned size = 0;
    assert(key.len <= INT_MAX);
    if (HMAC(EVP_sha256(), bytes_of(key), (int)key.len, bytes_of(bytes), bytes.len, mac, &size) ==
            NULL ||
        size != SHA256_BYTES)
        abort();
}

bool ct_equal(struct span a, struct span b)
{
    return a.len == b.len && CRYPTO_memcmp(bytes_of(a), bytes_of(b), a.len) == 0;
}

void wipe(void *memory, size_t size)
{
    OPENSSL_cleanse(memory, size);
}

void crypto_random(void *memory, size_t size)
{
    unsigned char *at = memory;
    while (size > 0) {
        int piece = size < INT_MAX ? (int)size : INT_MAX;
        if (RAND_bytes(at, piece) != 1)
            abort();
        at += piece;
        size -= (size_t)piece;
    }
}

const char *crypto_library_version(void)
{
    return OpenSSL_version(OPENSSL_VERSION_STRING);
}
