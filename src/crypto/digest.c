/* SPDX-License-Identifier: Apache-2.0 */
/* SHA256_Init() and its companions, which OpenSSL 3 calls deprecated: what takes their place
 * allocates for each digest, and so may fail. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "crypto/digest.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

/* OpenSSL does not take NULL for an empty text everywhere. */
static const unsigned char *bytes_of(struct span bytes)
{
    return (const unsigned char *)(bytes.len == 0 ? "" : bytes.ptr);
}

void sha256(struct span bytes, unsigned char digest[static SHA256_BYTES])
{
    SHA256_CTX context;
    (void)SHA256_Init(&context);
    (void)SHA256_Update(&context, bytes_of(bytes), bytes.len);
    (void)SHA256_Final(digest, &context); /* wipes it */
}

/* RFC 2104 §2: H(key ^ pad, text), the key's block filled up with `with`. */
static void begin_block(SHA256_CTX *context, const unsigned char block[static SHA256_CBLOCK],
                        unsigned char with)
{
    unsigned char padded[SHA256_CBLOCK];
    for (size_t i = 0; i < sizeof padded; i++)
        padded[i] = block[i] ^ with;
    (void)SHA256_Init(context);
    (void)SHA256_Update(context, padded, sizeof padded);
    wipe(padded, sizeof padded);
}

void hmac_sha256(struct span key, struct span bytes, unsigned char mac[static SHA256_BYTES])
{
    unsigned char block[SHA256_CBLOCK] = {0};
    SHA256_CTX context;
    if (key.len > sizeof block)
        sha256(key, block);
    else
        memcpy(block, bytes_of(key), key.len);
    begin_block(&context, block, 0x36);
    (void)SHA256_Update(&context, bytes_of(bytes), bytes.len);
    (void)SHA256_Final(mac, &context);
    begin_block(&context, block, 0x5c);
    (void)SHA256_Update(&context, mac, SHA256_BYTES);
    (void)SHA256_Final(mac, &context);
    wipe(block, sizeof block);
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
