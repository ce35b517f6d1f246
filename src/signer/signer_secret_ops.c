/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets: hashing and sealing new ones, reading them back; and the MAC over records. */
#include "base/wire.h"
#include "crypto/hmac.h"
#include "crypto/seal.h"
#include "signer/signer_internal.h"

#include <assert.h>

enum { HASH_VERSION = 1 };

void signer_hash_secret(struct signer_worker *worker, struct span account_id, struct span owner_id,
                        struct span secret, unsigned char hash[static CREDENTIAL_HASH_BYTES])
{
    static_assert(CREDENTIAL_HASH_BYTES == 1 + SHA256_BYTES, "version byte and HMAC");
    struct buf *input = &worker->input;
    buf_clear(input);
    wire_write_u8(input, HASH_VERSION);
    wire_write_bytes(input, account_id);
    wire_write_bytes(input, owner_id);
    wire_write_bytes(input, secret);
    hash[0] = HASH_VERSION;
    hmac_write(worker->ring.pepper, buf_span(input), hash + 1);
}

void signer_mac_record(struct signer_worker *worker, struct span record,
                       unsigned char mac[static SHA256_BYTES])
{
    struct buf *input = &worker->input;
    buf_clear(input);
    buf_put(input, SPAN("postern record 1\0"));
    buf_put(input, record);
    hmac_write(worker->ring.record_mac, buf_span(input), mac);
}

static bool is_id(struct span id)
{
    return id.len > 0 && id.len <= SIGNER_ID_LEN_MAX && span_find(id, '\0') == id.len;
}

/* "credential", NUL, account, NUL, owner, NUL, credential: the row that the sealed copy belongs to.
 */
static enum status write_identity(struct span account_id, struct span owner_id,
                                  struct span credential_id, struct buf *out, struct err *err)
{
    if (!is_id(account_id) || !is_id(owner_id) || !is_id(credential_id))
        return fail(err, INVALID, "a secret's account, owner or credential has no usable id");
    buf_clear(out);
    buf_put(out, SPAN("credential\0"));
    buf_put(out, account_id);
    buf_byte(out, '\0');
    buf_put(out, owner_id);
    buf_byte(out, '\0');
    buf_put(out, credential_id);
    return buf_ok(out) ? OK : fail(err, NO_MEMORY, "no memory for a secret's identity");
}

enum status signer_op_protect(struct signer_worker *worker, const struct signing_request *request,
                              const struct signer_time *time, struct signing_reply *reply,
                              struct err *err)
{
    (void)time;
    struct span account_id = request->protect.account_id;
    struct span owner_id = request->protect.owner_id;
    struct span secret = request->protect.secret;
    if (worker->ring.pepper == NULL)
        return fail(err, UNAVAILABLE, "the pepper is not loaded");
    if (secret.len == 0)
        return fail(err, INVALID, "an empty secret");
    signer_hash_secret(worker, account_id, owner_id, secret, worker->hash);
    enum status status =
        write_identity(account_id, owner_id, request->protect.credential_id, &worker->input, err);
    if (status != OK)
        return status;
    if (request->protect.keep_sealed)
        seal(signer_keys_kek(worker->signer->keys), buf_span(&worker->input), secret,
             &worker->output);
    if (!buf_ok(&worker->output))
        return fail(err, NO_MEMORY, "no memory to seal a secret");
    reply->protect.hash = span_of(worker->hash, sizeof worker->hash);
    reply->protect.sealed = buf_span(&worker->output);
    return OK;
}

enum status signer_op_unseal(struct signer_worker *worker, const struct signing_request *request,
                             const struct signer_time *time, struct signing_reply *reply,
                             struct err *err)
{
    enum status status = write_identity(request->unseal.account_id, request->unseal.owner_id,
                                        request->unseal.credential_id, &worker->input, err);
    if (status != OK)
        return status;
    if (!signer_meter_take(&worker->signer->unseals, time->second))
        return fail(err, RATE_LIMITED, "unseal_per_minute_max is reached");
    status = unseal(signer_keys_kek(worker->signer->keys), buf_span(&worker->input),
                    request->unseal.sealed, &worker->output, err);
    if (status == OK)
        reply->unseal.secret = buf_span(&worker->output);
    return status;
}

enum status signer_op_record_mac(struct signer_worker *worker,
                                 const struct signing_request *request,
                                 const struct signer_time *time, struct signing_reply *reply,
                                 struct err *err)
{
    (void)time;
    struct record record;
    if (worker->ring.record_mac == NULL)
        return fail(err, UNAVAILABLE, "the record key is not loaded");
    enum status status = record_read(request->record_mac.record, &record, err);
    if (status != OK)
        return status;
    signer_mac_record(worker, request->record_mac.record, worker->mac);
    reply->record_mac.mac = span_of(worker->mac, sizeof worker->mac);
    return OK;
}
