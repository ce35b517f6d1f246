/* SPDX-License-Identifier: Apache-2.0 */
/* Making and loading keys. A key that was made is not in use before the front has stored it and
 * sent it back: what signs is in the database. */
#include "crypto/seal.h"
#include "jose/jose_sign.h"
#include "jose/jwk.h"
#include "signer/signer_internal.h"

#include <string.h>

enum { MATERIAL_BYTES_MAX = 8192 };

static inline void auto_signing_key(struct signing_key **key)
{
    signing_key_free(*key);
}

/* "server_key", NUL, the kind, NUL, the id: a box put into another row does not open. */
static enum status write_identity(enum signing_key_kind kind, struct span id, struct buf *out)
{
    if (id.len == 0 || id.len > SIGNER_ID_LEN_MAX || span_find(id, '\0') < id.len)
        return INVALID;
    buf_put(out, SPAN("server_key\0"));
    buf_put(out, signing_key_kind_names[kind]);
    buf_byte(out, '\0');
    buf_put(out, id);
    return buf_ok(out) ? OK : NO_MEMORY;
}

/* What the key makes of a fixed text: says whether a stored key is the same as before. */
static void make_check(struct span material, unsigned char check[static SIGNER_CHECK_BYTES])
{
    unsigned char mac[SHA256_BYTES];
    hmac_sha256(material, SPAN("postern check value 1"), mac);
    memcpy(check, mac, SIGNER_CHECK_BYTES);
}

static enum status make_token_key(struct signer_worker *worker, struct span alg_name,
                                  struct buf *material, struct span *ret_id, struct err *err)
{
    enum jose_alg alg;
    AUTO(signing_key) struct signing_key *key = NULL;
    AUTO(jwk) struct jwk *public_key = NULL;
    if (!jose_alg_find(alg_name, &alg))
        return fail(err, UNSUPPORTED, "no such signature algorithm");
    enum status status = signing_key_make(alg, &key, err);
    if (status == OK)
        status = signing_key_public(key, &public_key, err);
    if (status != OK)
        return status;
    signing_key_dump(key, material);
    jwk_write(public_key, &worker->text);
    jwk_thumbprint(public_key, worker->id);
    *ret_id = span_of(worker->id, JWK_THUMBPRINT_LEN);
    return OK;
}

enum status signer_op_key_make(struct signer_worker *worker, const struct signing_request *request,
                               const struct signer_time *time, struct signing_reply *reply,
                               struct err *err)
{
    (void)time;
    enum signing_key_kind kind = request->key_make.kind;
    struct span id = signing_key_kind_names[kind];
    struct buf material AUTO(buf);
    buf_init(&material, MATERIAL_BYTES_MAX);
    enum status status = OK;
    if (kind == SIGNING_KEY_TOKEN) {
        status = make_token_key(worker, request->key_make.alg, &material, &id, err);
    } else {
        char *room = buf_reserve(&material, SIGNER_SECRET_BYTES);
        if (room != NULL)
            crypto_random(room, SIGNER_SECRET_BYTES);
    }
    if (status == OK)
        status = write_identity(kind, id, &worker->input);
    if (status != OK)
        return status;
    seal(signer_keys_kek(worker->signer->keys), buf_span(&worker->input), buf_span(&material),
         &worker->output);
    if (!buf_ok(&material) || !buf_ok(&worker->text) || !buf_ok(&worker->output))
        return fail(err, NO_MEMORY, "no memory for a new key");
    make_check(buf_span(&material), worker->check);
    reply->key_make.id = id;
    reply->key_make.public_jwk = buf_span(&worker->text);
    reply->key_make.sealed = buf_span(&worker->output);
    reply->key_make.check_value = span_of(worker->check, sizeof worker->check);
    return OK;
}

/* The material of a stored key, when it is the one that was stored. */
static enum status open_key(struct signer_worker *worker, const struct signing_request *request,
                            struct buf *material, struct err *err)
{
    enum signing_key_kind kind = request->key_load.kind;
    enum status status = write_identity(kind, request->key_load.id, &worker->input);
    if (status != OK)
        return fail(err, status, "a stored key has no usable id");
    status = unseal(signer_keys_kek(worker->signer->keys), buf_span(&worker->input),
                    request->key_load.sealed, material, NULL);
    if (status == CORRUPT)
        return fail(err, CORRUPT,
                    "the stored %s key does not open: the database was made with another "
                    "key-encryption key",
                    signing_key_kind_names[kind].ptr);
    if (status != OK)
        return fail(err, status, "no memory for a stored key");
    make_check(buf_span(material), worker->check);
    if (!ct_equal(span_of(worker->check, sizeof worker->check), request->key_load.check_value))
        return fail(err, CORRUPT, "the stored %s key is not the one that was stored first",
                    signing_key_kind_names[kind].ptr);
    return OK;
}

enum status signer_op_key_load(struct signer_worker *worker, const struct signing_request *request,
                               const struct signer_time *time, struct signing_reply *reply,
                               struct err *err)
{
    (void)time, (void)reply;
    struct buf material AUTO(buf);
    buf_init(&material, MATERIAL_BYTES_MAX);
    enum jose_alg alg = JOSE_RS256;
    if (request->key_load.kind == SIGNING_KEY_TOKEN && !jose_alg_find(request->key_load.alg, &alg))
        return fail(err, UNSUPPORTED, "a stored key is for an algorithm that does not exist here");
    enum status status = open_key(worker, request, &material, err);
    if (status != OK)
        return status;
    const struct signer_key key = {.kind = request->key_load.kind,
                                   .alg = alg,
                                   .material = buf_span(&material),
                                   .is_active = request->key_load.is_active};
    return signer_keys_load(worker->signer->keys, &key, err);
}
