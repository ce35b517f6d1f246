/* SPDX-License-Identifier: Apache-2.0 */
#include "web/caller_key.h"

#include "crypto/digest.h"
#include "crypto/secret.h"
#include "signing/signing.h"
#include "state/state.h"
#include "web/app.h"
#include "web/caller.h"
#include "web/exchange.h"

#include <assert.h>

enum { SIGNER_TIMEOUT_MS = 5000 };

static_assert((int)STATE_PROOF_BYTES == (int)SHA256_BYTES, "a proof is a digest");

static bool is_key_kind(enum secret_kind kind)
{
    return kind == SECRET_PERSONAL || kind == SECRET_QUERY || kind == SECRET_INDEX;
}

bool caller_is_key(struct span text)
{
    struct secret_parts parts;
    return secret_parse(text, &parts) == OK && is_key_kind(parts.kind);
}

void caller_key_release(struct caller_key *key)
{
    state_principal_release(key->key);
    state_principal_release(key->user);
}

static enum status refuse(struct exchange *x)
{
    x->err = (struct err){0};
    return fail(&x->err, UNAUTHENTICATED, "The API key is not valid");
}

static enum status load(struct exchange *x, enum principal_kind kind, struct span name,
                        const struct state_principal **ret_principal)
{
    int64_t revision;
    enum status status = state_principal_load(x->app->state, kind, name, &x->arena, ret_principal,
                                              &revision, &x->err);
    if (status == NOT_FOUND)
        *ret_principal = NULL;
    return status == NOT_FOUND ? OK : status;
}

/* Is the text that of the key, and the key's record one of ours? Of a key that there is not, the
 * decoy's, which never is. */
static enum status check_text(struct exchange *x, struct span text, const struct caller_key *key)
{
    unsigned char proof[SHA256_BYTES];
    hmac_sha256(x->app->proof_key, text, proof);
    if (key->key != NULL && state_principal_is_proven(key->key, proof))
        return OK;
    const struct state_principal *asked = key->key == NULL ? x->app->decoy_client : key->key;
    const struct signing_request ask = {.op = SIGNING_SECRET,
                                        .token = {.record = asked->record,
                                                  .record_mac = asked->record_mac,
                                                  .credential_id = key->credential_id,
                                                  .secret = text}};
    struct signing_reply reply;
    enum status status = signing_call(x->lane, &ask, SIGNER_TIMEOUT_MS, &x->arena, &reply, &x->err);
    if (status == OK && key->key != NULL)
        state_principal_prove(key->key, proof);
    return status;
}

static bool is_current(const struct exchange *x, const struct state_principal *key)
{
    return key->is_enabled && (key->expires_at == 0 || x->token_now < key->expires_at);
}

static enum status check_owner(struct exchange *x, struct caller_key *key)
{
    if (key->key->user_id.len == 0)
        return OK;
    enum status status = load(x, PRINCIPAL_USER, key->key->user_id, &key->user);
    if (status == OK && (key->user == NULL || !key->user->is_enabled))
        return refuse(x);
    return status == OK ? caller_check_record(x, key->user) : status;
}

enum status caller_check_key(struct exchange *x, struct span text, struct caller_key *ret_key)
{
    struct secret_parts parts;
    if (secret_parse(text, &parts) != OK || parts.kind == SECRET_ONE_TIME)
        return refuse(x);
    if (parts.kind == SECRET_CLIENT)
        return fail(&x->err, UNAUTHENTICATED,
                    "This is a client secret, not an API key: it obtains access tokens");
    AUTO(caller_key) struct caller_key key = {0};
    key.credential_id = arena_printf(&x->arena, "crd_%.*s", SPAN_FMT(parts.id));
    if (key.credential_id.ptr == NULL)
        return fail(&x->err, NO_MEMORY, "no memory for an API key's id");
    enum status status = load(x, PRINCIPAL_API_KEY, key.credential_id, &key.key);
    if (status == OK)
        status = check_text(x, text, &key);
    bool is_right = status == OK && key.key != NULL;
    ret_key->is_genuine = is_right || status == FORBIDDEN;
    if (status == FORBIDDEN || status == UNAUTHENTICATED ||
        (status == OK && (!is_right || !is_current(x, key.key))))
        return refuse(x);
    if (status == OK)
        status = check_owner(x, &key);
    if (status != OK)
        return status;
    key.is_genuine = true;
    *ret_key = key;
    key = (struct caller_key){0};
    return OK;
}
