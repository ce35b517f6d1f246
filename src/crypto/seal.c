/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/seal.h"

#include "base/buf.h"
#include "crypto/digest.h"

#include <assert.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>

enum { VERSION = 1, IV_BYTES = 12, TAG_BYTES = 16, PLAIN_BYTES_MAX = 1 << 24 };

static_assert(SEAL_OVERHEAD_BYTES == 1 + IV_BYTES + TAG_BYTES, "the box is what seal.h says");

static void auto_cipher(EVP_CIPHER_CTX **context)
{
    EVP_CIPHER_CTX_free(*context);
}

static const unsigned char *bytes_of(struct span bytes)
{
    return (const unsigned char *)(bytes.len == 0 ? "" : bytes.ptr);
}

/* The plain text at box + 1 + IV_BYTES becomes the ciphertext, the tag comes behind it. */
static bool encrypt(struct span key, struct span identity, struct span plain, unsigned char *box)
{
    AUTO(cipher) EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    unsigned char *iv = box + 1;
    unsigned char *sealed = iv + IV_BYTES;
    int done = 0;
    return context != NULL &&
           EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), NULL, bytes_of(key), iv) == 1 &&
           EVP_EncryptUpdate(context, NULL, &done, bytes_of(identity), (int)identity.len) == 1 &&
           EVP_EncryptUpdate(context, sealed, &done, bytes_of(plain), (int)plain.len) == 1 &&
           EVP_EncryptFinal_ex(context, sealed + plain.len, &done) == 1 &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, sealed + plain.len) == 1;
}

void seal(struct span key, struct span identity, struct span plain, struct buf *out)
{
    assert(key.len == SEAL_KEY_BYTES && identity.len <= PLAIN_BYTES_MAX);
    if (plain.len > PLAIN_BYTES_MAX) {
        out->has_failed = true;
        return;
    }
    char *box = buf_reserve(out, plain.len + SEAL_OVERHEAD_BYTES);
    if (box == NULL)
        return;
    box[0] = VERSION;
    crypto_random(box + 1, IV_BYTES);
    if (!encrypt(key, identity, plain, (unsigned char *)box)) {
        ERR_clear_error();
        out->has_failed = true;
    }
}

/* CORRUPT, or NO_MEMORY. Plain text is written before the tag is looked at: the caller wipes it
 * when the answer is not OK. */
static enum status decrypt(struct span key, struct span identity, struct span box, char *plain)
{
    AUTO(cipher) EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    unsigned char tag[TAG_BYTES];
    struct span iv = span_first(span_from(box, 1), IV_BYTES);
    struct span sealed = span_from(box, 1 + IV_BYTES);
    unsigned char *at = (unsigned char *)plain;
    unsigned char rest[EVP_MAX_BLOCK_LENGTH]; /* GCM leaves none */
    int done = 0;
    sealed.len -= TAG_BYTES;
    memcpy(tag, sealed.ptr + sealed.len, sizeof tag);
    if (context == NULL ||
        EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), NULL, bytes_of(key), bytes_of(iv)) != 1)
        return NO_MEMORY;
    bool is_whole =
        EVP_DecryptUpdate(context, NULL, &done, bytes_of(identity), (int)identity.len) == 1 &&
        EVP_DecryptUpdate(context, at, &done, bytes_of(sealed), (int)sealed.len) == 1 &&
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, tag) == 1 &&
        EVP_DecryptFinal_ex(context, rest, &done) == 1;
    return is_whole ? OK : CORRUPT;
}

enum status unseal(struct span key, struct span identity, struct span box, struct buf *out,
                   struct err *err)
{
    assert(key.len == SEAL_KEY_BYTES && identity.len <= PLAIN_BYTES_MAX);
    if (box.len < SEAL_OVERHEAD_BYTES || box.len > PLAIN_BYTES_MAX || box.ptr[0] != VERSION)
        return fail(err, CORRUPT, "a sealed value does not have the form of one");
    size_t start = out->len;
    size_t size = box.len - SEAL_OVERHEAD_BYTES;
    char nothing[1]; /* where no byte goes when there is none */
    char *plain = size == 0 ? nothing : buf_reserve(out, size);
    if (plain == NULL)
        return fail(err, NO_MEMORY, "no memory to open a sealed value");
    enum status status = decrypt(key, identity, box, plain);
    if (status == OK)
        return OK;
    ERR_clear_error();
    wipe(plain, size);
    out->len = start;
    return fail(err, status,
                status == CORRUPT ? "a sealed value does not open"
                                  : "no memory to open a sealed value");
}
