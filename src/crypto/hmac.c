/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/hmac.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

struct hmac {
    EVP_MAC_CTX *context;
};

struct hmac *hmac_new(struct span key)
{
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    assert(key.len > 0);
    struct hmac *hmac = calloc(1, sizeof *hmac);
    if (hmac == NULL)
        return NULL;
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    hmac->context = mac == NULL ? NULL : EVP_MAC_CTX_new(mac);
    EVP_MAC_free(mac); /* the context holds it */
    if (hmac->context != NULL &&
        EVP_MAC_init(hmac->context, (const unsigned char *)key.ptr, key.len, parameters) == 1)
        return hmac;
    hmac_free(hmac);
    return NULL;
}

void hmac_free(struct hmac *hmac)
{
    if (hmac == NULL)
        return;
    EVP_MAC_CTX_free(hmac->context); /* wipes the key */
    free(hmac);
}

void hmac_write(struct hmac *hmac, struct span bytes, unsigned char mac[static SHA256_BYTES])
{
    size_t size = 0;
    const unsigned char *text = (const unsigned char *)(bytes.len == 0 ? "" : bytes.ptr);
    /* Without a key, init goes back to the start under the one there is. */
    if (EVP_MAC_init(hmac->context, NULL, 0, NULL) != 1 ||
        EVP_MAC_update(hmac->context, text, bytes.len) != 1 ||
        EVP_MAC_final(hmac->context, mac, &size, SHA256_BYTES) != 1 || size != SHA256_BYTES)
        abort();
}
