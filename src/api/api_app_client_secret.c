/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_app_client_secret.h"

#include "api/api_common.h"
#include "authz/permission.h"
#include "base/random.h"
#include "config/config.h"
#include "crypto/digest.h"
#include "crypto/secret.h"
#include "metrics/metrics.h"
#include "signing/record.h"
#include "signing/signing.h"
#include "store/store.h"
#include "web/app.h"

enum { SIGNER_TIMEOUT_MS = 5000, GRANTS_TEXT_MAX = 1 << 18 };

enum status app_client_add_secret(struct exchange *x, struct app_client *client,
                                  struct span *ret_secret)
{
    if (client->credential_count == CREDENTIALS_MAX)
        return fail(&x->err, CONFLICT, "The client has as many secrets as it may have.");
    struct credential *credentials =
        arena_zalloc(&x->arena, client->credential_count + 1, sizeof *credentials);
    struct span id = api_id_make(x, "crd_");
    char *text = arena_alloc(&x->arena, SECRET_TEXT_LEN_MAX);
    if (credentials == NULL || id.ptr == NULL || text == NULL)
        return NO_MEMORY;
    size_t len = secret_make(x->app->config->secret_base, SECRET_CLIENT,
                             span_from(id, SPAN("crd_").len), text);
    struct span secret = span_of(text, len);
    const struct signing_request protect = {
        .op = SIGNING_PROTECT,
        .protect = {.account_id = client->account_id,
                    .owner_id = client->id,
                    .credential_id = id,
                    .secret = secret,
                    .keep_sealed = x->app->config->secret_readback_seconds > 0}};
    struct signing_reply reply;
    enum status status =
        signing_call(x->lane, &protect, SIGNER_TIMEOUT_MS, &x->arena, &reply, &x->err);
    if (status != OK)
        return status;
    for (size_t i = 0; i < client->credential_count; i++)
        credentials[i] = client->credentials[i];
    credentials[client->credential_count] = (struct credential){
        .id = id,
        .kind = CREDENTIAL_CLIENT_SECRET,
        .hash = reply.protect.hash,
        .sealed = reply.protect.sealed,
        .hint = span_from(secret, secret.len - SECRET_HINT_LEN),
        .created_at = x->now,
    };
    client->credentials = credentials;
    client->credential_count++;
    *ret_secret = secret;
    return OK;
}

enum status app_client_authenticate(struct exchange *x, struct app_client *client)
{
    struct buf grants;
    struct buf record;
    unsigned char digest[SHA256_BYTES];
    buf_init_arena(&grants, &x->arena, GRANTS_TEXT_MAX);
    buf_init_arena(&record, &x->arena, RECORD_LEN_MAX);
    record_write_grants(client, &grants);
    sha256(buf_span(&grants), digest);
    record_write(client, digest, &record);
    if (!buf_ok(&grants) || !buf_ok(&record))
        return NO_MEMORY;
    const struct signing_request ask = {.op = SIGNING_RECORD_MAC,
                                        .record_mac = {.record = buf_span(&record)}};
    struct signing_reply reply;
    enum status status = signing_call(x->lane, &ask, SIGNER_TIMEOUT_MS, &x->arena, &reply, &x->err);
    if (status == OK)
        client->record_mac = reply.record_mac.mac;
    return status;
}

static const struct credential *newest_secret(const struct app_client *client)
{
    const struct credential *newest = NULL;
    for (size_t i = 0; i < client->credential_count; i++) {
        const struct credential *credential = &client->credentials[i];
        if (credential->kind == CREDENTIAL_CLIENT_SECRET && credential->retired_at == 0 &&
            (newest == NULL || credential->created_at >= newest->created_at))
            newest = credential;
    }
    return newest;
}

enum status app_client_reveal(struct exchange *x, const struct app_client *client,
                              struct span *ret_secret)
{
    *ret_secret = (struct span){0};
    const struct credential *credential = newest_secret(client);
    if (credential == NULL || credential->sealed.len == 0 || !authz_covers(x->caller, client) ||
        x->now - credential->created_at >= x->app->config->secret_readback_seconds)
        return OK;
    const struct signing_request unseal = {.op = SIGNING_UNSEAL,
                                           .unseal = {.account_id = client->account_id,
                                                      .owner_id = client->id,
                                                      .credential_id = credential->id,
                                                      .sealed = credential->sealed}};
    struct signing_reply reply;
    /* The trail first: a reading that could not be recorded does not happen. */
    const struct audit_event audit = api_audit(x, AUDIT_APP_CLIENT_REVEAL, client->id);
    enum status status = store_audit_add(x->app->store, &audit, &x->err);
    if (status == OK)
        status = signing_call(x->lane, &unseal, SIGNER_TIMEOUT_MS, &x->arena, &reply, &x->err);
    if (status == OK) {
        *ret_secret = reply.unseal.secret;
        metric_add(x->app->metrics, METRIC_UNSEALS, 1);
    }
    return status;
}
