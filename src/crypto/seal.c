/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/seal.h"

#include "base/buf.h"
#include "crypto/digest.h"

#include <assert.h>
#include <limits.h>

#include <openssl/evp.h>

enum { VERSION = 1, IV_BYTES = 12, TAG_BYTES = 16 };
static_assert(SEAL_OVERHEAD_BYTES == 1 + IV_BYTES + TAG_BYTES, "version, IV, tag");

static inline void auto_cipher(EVP_CIPHER_CTX **context)
{
    EVP_CIPHER_CTX_free(*context);
}

static const unsigned char *bytes_of(struct span span)
{
    return (const unsigned char *)span.ptr;
}

void seal(struct span key, struct span identity, struct span plain, struct buf *out)
{
    assert(key.len == SEAL_KEY_BYTES && identity.len < INT_MAX && plain.len < INT_MAX);
    AUTO(cipher) EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    unsigned char *box = (unsigned char *)buf_reserve(out, plain.len + SEAL_OVERHEAD_BYTES);
    int len = 0;
    if (context == NULL || box == NULL) {
        out->has_failed = true;
        return;
    }
    unsigned char *iv = box + 1;
    unsigned char *cipher = iv + IV_BYTES;
    box[0] = VERSION;
    crypto_random(iv, IV_BYTES);
    if (EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), NULL, bytes_of(key), iv) != 1 ||
        EVP_EncryptUpdate(context, NULL, &len, bytes_of(identity), (int)identity.len) != 1 ||
        EVP_EncryptUpdate(context, cipher, &len, bytes_of(plain), (int)plain.len) != 1 ||
        EVP_EncryptFinal_ex(context, cipher + len, &len) != 1 ||
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, cipher + plain.len) != 1)
        out->has_failed = true;
}

enum status unseal(struct span key, struct span identity, struct span box, struct buf *out,
                   struct err *err)
{
    assert(key.len == SEAL_KEY_BYTES && identity.len < INT_MAX);
    if (box.len < SEAL_OVERHEAD_BYTES || box.len > INT_MAX || box.ptr[0] != VERSION)
        return fail(err, CORRUPT, "not a sealed box of this version");
    AUTO(cipher) EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    size_t plain_len = box.len - SEAL_OVERHEAD_BYTES;
    size_t len_before = out->len;
    unsigned char *plain = (unsigned char *)buf_reserve(out, plain_len);
    unsigned char tag[TAG_BYTES];
    int len = 0;
    if (context == NULL || (plain == NULL && plain_len > 0))
        return fail(err, NO_MEMORY, "no memory to open a sealed box");
    struct span iv = span_first(span_from(box, 1), IV_BYTES);
    struct span cipher = span_first(span_from(box, 1 + IV_BYTES), plain_len);
    for (size_t i = 0; i < TAG_BYTES; i++)
        tag[i] = (unsigned char)box.ptr[box.len - TAG_BYTES + i];
    bool is_open =
        EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), NULL, bytes_of(key), bytes_of(iv)) == 1 &&
        EVP_DecryptUpdate(context, NULL, &len, bytes_of(identity), (int)identity.len) == 1 &&
        EVP_DecryptUpdate(context, plain, &len, bytes_of(cipher), (int)cipher.len) == 1 &&
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, tag) == 1 &&
        EVP_DecryptFinal_ex(context, plain + len, &len) == 1;
    if (!is_open) {
        wipe(plain, plain_len);
        out->len = len_before;
        return fail(err, CORRUPT,
                    "a sealed box does not open: another key, another row, or altered");
    }
    return OK;
}
