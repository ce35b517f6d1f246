/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/signer_keys.h"

#include "base/buf.h"
#include "crypto/digest.h"
#include "crypto/hmac.h"
#include "crypto/seal.h"
#include "jose/jose_sign.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { DER_BYTES_MAX = 8192 };

struct signer_keys {
    unsigned char kek[SEAL_KEY_BYTES];
    atomic_uint_least64_t generation;
    pthread_mutex_t lock; /* of what follows */
    bool has_pepper;
    bool has_record_mac;
    unsigned char pepper[SIGNER_SECRET_BYTES];
    unsigned char record_mac[SIGNER_SECRET_BYTES];
    enum jose_alg alg;
    struct buf der; /* of the token key that signs; empty: none */
};

struct signer_keys *signer_keys_new(struct span kek)
{
    assert(kek.len == SEAL_KEY_BYTES);
    struct signer_keys *keys = calloc(1, sizeof *keys);
    if (keys == NULL)
        return NULL;
    memcpy(keys->kek, kek.ptr, kek.len);
    atomic_init(&keys->generation, 1);
    (void)pthread_mutex_init(&keys->lock, NULL);
    buf_init(&keys->der, DER_BYTES_MAX);
    return keys;
}

void signer_keys_free(struct signer_keys *keys)
{
    if (keys == NULL)
        return;
    buf_done(&keys->der);
    (void)pthread_mutex_destroy(&keys->lock);
    wipe(keys, sizeof *keys);
    free(keys);
}

struct span signer_keys_kek(const struct signer_keys *keys)
{
    return span_of(keys->kek, sizeof keys->kek);
}

static enum status load_token_key(struct signer_keys *keys, const struct signer_key *new_key,
                                  struct err *err)
{
    struct signing_key *key;
    enum status status = signing_key_load(new_key->alg, new_key->material, &key, err);
    if (status != OK)
        return status;
    signing_key_free(key);
    if (!new_key->is_active)
        return OK;
    struct buf der;
    buf_init(&der, DER_BYTES_MAX);
    buf_put(&der, new_key->material);
    if (!buf_ok(&der)) {
        buf_done(&der);
        return fail(err, NO_MEMORY, "no memory for a token key");
    }
    (void)pthread_mutex_lock(&keys->lock);
    buf_done(&keys->der);
    keys->der = der;
    keys->alg = new_key->alg;
    atomic_fetch_add(&keys->generation, 1);
    (void)pthread_mutex_unlock(&keys->lock);
    return OK;
}

static enum status load_secret(struct signer_keys *keys, const struct signer_key *key,
                               struct err *err)
{
    bool is_pepper = key->kind == SIGNING_KEY_PEPPER;
    if (key->material.len != SIGNER_SECRET_BYTES)
        return fail(err, CORRUPT, "a stored key has the wrong length");
    (void)pthread_mutex_lock(&keys->lock);
    memcpy(is_pepper ? keys->pepper : keys->record_mac, key->material.ptr, SIGNER_SECRET_BYTES);
    *(is_pepper ? &keys->has_pepper : &keys->has_record_mac) = true;
    atomic_fetch_add(&keys->generation, 1);
    (void)pthread_mutex_unlock(&keys->lock);
    return OK;
}

enum status signer_keys_load(struct signer_keys *keys, const struct signer_key *key,
                             struct err *err)
{
    return key->kind == SIGNING_KEY_TOKEN ? load_token_key(keys, key, err)
                                          : load_secret(keys, key, err);
}

/* --- Rings --- */

void signer_ring_done(struct signer_ring *ring)
{
    jose_signer_free(ring->signer);
    signing_key_free(ring->key);
    hmac_free(ring->pepper);
    hmac_free(ring->record_mac);
    *ring = (struct signer_ring){0};
}

static enum status fill_secret(bool is_loaded,
                               const unsigned char secret[static SIGNER_SECRET_BYTES],
                               struct hmac **ret_hmac, struct err *err)
{
    if (!is_loaded)
        return OK;
    *ret_hmac = hmac_new(span_of(secret, SIGNER_SECRET_BYTES));
    return *ret_hmac != NULL ? OK : fail(err, NO_MEMORY, "no memory for a ring of keys");
}

/* With the lock held. */
static enum status fill(struct signer_ring *ring, const struct signer_keys *keys, struct err *err)
{
    enum status status = fill_secret(keys->has_pepper, keys->pepper, &ring->pepper, err);
    if (status == OK)
        status = fill_secret(keys->has_record_mac, keys->record_mac, &ring->record_mac, err);
    if (status != OK || keys->der.len == 0)
        return status;
    status = signing_key_load(keys->alg, buf_span(&keys->der), &ring->key, err);
    if (status == OK)
        status = jose_signer_new(ring->key, &ring->signer, err);
    return status;
}

enum status signer_ring_refresh(struct signer_ring *ring, struct signer_keys *keys, struct err *err)
{
    if (ring->generation == atomic_load_explicit(&keys->generation, memory_order_acquire))
        return OK;
    signer_ring_done(ring);
    (void)pthread_mutex_lock(&keys->lock);
    enum status status = fill(ring, keys, err);
    uint64_t generation = atomic_load(&keys->generation);
    (void)pthread_mutex_unlock(&keys->lock);
    if (status == OK)
        ring->generation = generation;
    else
        signer_ring_done(ring);
    return status;
}
