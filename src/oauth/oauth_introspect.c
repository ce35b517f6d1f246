/* SPDX-License-Identifier: Apache-2.0 */
#include "oauth/oauth_introspect.h"

#include "authz/permission.h"
#include "jose/jwt.h"
#include "model/audit_event.h"
#include "model/role.h"
#include "oauth/oauth_client_auth.h"
#include "oauth/oauth_error.h"
#include "oauth/oauth_params.h"
#include "state/revoked_tokens.h"
#include "state/state.h"
#include "store/store.h"
#include "web/app.h"
#include "web/caller.h"
#include "web/caller_key.h"
#include "web/reply.h"

/* Who asks, and about which token. token_type_hint is ignored, as RFC 7662 §2.1 and RFC 7009 §2.1
 * allow: a token says itself what it is. False: the reply is made. */
static bool read_request(struct exchange *x, const struct state_principal **ret_client,
                         struct span *ret_token)
{
    struct oauth_params params;
    struct span hint;
    AUTO(state_principal) const struct state_principal *client = NULL;
    if (oauth_params_read(x, &params) != OK || !oauth_client_authenticate(x, &params, &client) ||
        oauth_param(x, &params, SPAN("token"), ret_token) != OK ||
        oauth_param(x, &params, SPAN("token_type_hint"), &hint) != OK)
        return false;
    if (ret_token->len == 0) {
        oauth_fail(x, OAUTH_INVALID_REQUEST, "token is missing");
        return false;
    }
    *ret_client = client;
    client = NULL;
    return true;
}

static void write_roles(struct json_writer *writer, api_role_set roles)
{
    json_name(writer, SPAN("roles"));
    json_array_open(writer);
    for (unsigned role = 0; role < API_ROLE_COUNT; role++) {
        if ((roles >> role & 1) != 0)
            json_write_text(writer, api_role_names[role]);
    }
    json_array_close(writer);
}

static void write_claims(const struct exchange *x, struct json_writer *writer,
                         const struct jwt_claims *claims, const struct state_principal *client)
{
    json_member_text(writer, SPAN("client_id"), claims->client_id);
    json_member_text(writer, SPAN("token_type"), SPAN("Bearer"));
    json_member_text(writer, SPAN("iss"), claims->issuer);
    json_member_text(writer, SPAN("sub"), claims->subject);
    json_member_text(writer, SPAN("aud"), x->app->audience);
    json_member_int(writer, SPAN("iat"), claims->issued_at);
    json_member_int(writer, SPAN("exp"), claims->expires_at);
    json_member_text(writer, SPAN("jti"), claims->token_id);
    write_roles(writer, client->api_roles);
    json_member_text(writer, SPAN("account_id"), claims->account_id);
}

static enum status introspect_token(struct exchange *x, const struct state_principal *asking,
                                    struct span token)
{
    AUTO(state_principal) const struct state_principal *client = NULL;
    struct jwt_claims claims;
    enum status status = caller_check_token(x, token, &claims, &client);
    if (status != OK && status != UNAUTHENTICATED)
        return status;
    bool is_active = status == OK && span_equal(client->account_id, asking->account_id);
    struct json_writer writer = reply_json(x, 200);
    json_object_open(&writer);
    json_member_bool(&writer, SPAN("active"), is_active);
    if (is_active)
        write_claims(x, &writer, &claims, client);
    json_object_close(&writer);
    return OK;
}

/* What the holder may on single corpora, by the keys that they have now. */
static enum status write_corpus_roles(struct exchange *x, struct json_writer *writer,
                                      const struct state_principal *holder)
{
    struct principal principal;
    int64_t snapshot;
    enum status status = store_principal_find(x->app->store, holder->kind, holder->name, &x->arena,
                                              &principal, &snapshot, &x->err);
    if (status != OK)
        return status == NOT_FOUND ? UNAVAILABLE : status;
    json_name(writer, SPAN("corpus_roles"));
    json_array_open(writer);
    for (size_t i = 0; i < principal.corpus_grant_count; i++) {
        const struct corpus_grant *grant = &principal.corpus_grants[i];
        if (grant->corpus_key.len == 0)
            continue; /* its corpus is gone */
        json_object_open(writer);
        json_member_text(writer, SPAN("corpus_key"), grant->corpus_key);
        json_member_text(writer, SPAN("role"), corpus_role_names[grant->role]);
        json_object_close(writer);
    }
    json_array_close(writer);
    return OK;
}

/* Beyond RFC 7662: an API key, whose subject is the key, or of a personal one its user. */
static enum status introspect_key(struct exchange *x, const struct state_principal *asking,
                                  struct span text)
{
    AUTO(caller_key) struct caller_key key = {0};
    enum status status = caller_check_key(x, text, &key);
    if (status != OK && status != UNAUTHENTICATED)
        return status;
    bool is_active = status == OK && span_equal(key.key->account_id, asking->account_id);
    struct json_writer writer = reply_json(x, 200);
    json_object_open(&writer);
    json_member_bool(&writer, SPAN("active"), is_active);
    if (is_active) {
        const struct state_principal *holder = key.user != NULL ? key.user : key.key;
        json_member_text(&writer, SPAN("token_type"), SPAN("api_key"));
        json_member_text(&writer, SPAN("iss"), x->app->issuer);
        json_member_text(&writer, SPAN("sub"), holder->id);
        json_member_text(&writer, SPAN("aud"), x->app->audience);
        if (key.key->expires_at > 0)
            json_member_int(&writer, SPAN("exp"), key.key->expires_at);
        write_roles(&writer, holder->api_roles);
        status = write_corpus_roles(x, &writer, holder);
        if (status != OK)
            return status;
        json_member_text(&writer, SPAN("account_id"), holder->account_id);
        json_member_text(&writer, SPAN("credential_id"), key.credential_id);
    }
    json_object_close(&writer);
    return OK;
}

void oauth_introspect(struct exchange *x)
{
    AUTO(state_principal) const struct state_principal *asking = NULL;
    struct span token;
    if (!read_request(x, &asking, &token))
        return;
    const struct caller caller = {.kind = CALLER_APP_CLIENT, .api_roles = asking->api_roles};
    if (!authz_has(&caller, PERMISSION_INTROSPECT)) {
        oauth_fail(x, OAUTH_UNAUTHORIZED_CLIENT,
                   "To introspect, a client needs the API role owner or administrator");
        return;
    }
    enum status status = caller_is_key(token) ? introspect_key(x, asking, token)
                                              : introspect_token(x, asking, token);
    if (status != OK) {
        oauth_fail_status(x, status);
        return;
    }
    x->err = (struct err){0};
    reply_no_store(x);
}

static enum status revoke_token(struct exchange *x, const struct jwt_claims *claims,
                                const struct state_principal *client)
{
    struct revoked_tokens *tokens = x->app->revoked_tokens;
    if (!revoked_tokens_have_room(tokens, x->token_now))
        return fail(&x->err, UNAVAILABLE, "%d revoked tokens are kept, and no more",
                    REVOKED_TOKENS_MAX);
    const struct revoked_token token = {.account_id = client->account_id,
                                        .client_id = client->name,
                                        .jti = claims->token_id,
                                        .expires_at = claims->expires_at,
                                        .now = x->token_now};
    const struct audit_event audit = {.account_id = client->account_id,
                                      .actor_kind = SPAN("app_client"),
                                      .actor_id = client->id,
                                      .credential_id = claims->credential_id,
                                      .address = x->peer.address,
                                      .request_id = span_of(x->request_id, REQUEST_ID_LEN),
                                      .action = AUDIT_TOKEN_REVOKE,
                                      .target_id = claims->token_id,
                                      .at = x->now};
    enum status status = store_token_revoke(x->app->store, &token, &audit, &x->err);
    if (status == OK)
        status = revoked_tokens_add(tokens, claims->token_id, claims->expires_at, x->token_now);
    return status;
}

void oauth_revoke(struct exchange *x)
{
    AUTO(state_principal) const struct state_principal *asking = NULL;
    AUTO(state_principal) const struct state_principal *client = NULL;
    struct jwt_claims claims;
    struct span token;
    if (!read_request(x, &asking, &token))
        return;
    if (caller_is_key(token)) { /* RFC 7009 §2.2.1 */
        oauth_fail(x, OAUTH_UNSUPPORTED_TOKEN_TYPE,
                   "An API key is disabled or deleted by the management API (/v2/api_keys)");
        return;
    }
    enum status status = caller_check_token(x, token, &claims, &client);
    bool is_good = status == OK;
    if (status == UNAUTHENTICATED) /* RFC 7009 §2.2: there is nothing left to revoke */
        status = OK;
    if (is_good && !span_equal(client->id, asking->id)) {
        oauth_fail(x, OAUTH_INVALID_GRANT, "The token was issued to another client");
        return;
    }
    if (is_good)
        status = revoke_token(x, &claims, client);
    if (status != OK) {
        oauth_fail_status(x, status);
        return;
    }
    x->err = (struct err){0};
    reply_empty(x, 200);
    reply_no_store(x);
}
