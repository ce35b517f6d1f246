/* SPDX-License-Identifier: Apache-2.0 */
#include "web/caller.h"

#include "crypto/digest.h"
#include "jose/jwt.h"
#include "signing/signing.h"
#include "state/revoked_tokens.h"
#include "state/state.h"
#include "store/store.h"
#include "web/app.h"
#include "web/caller_key.h"
#include "web/guard.h"
#include "web/reply.h"
#include "web/route.h"

#include <unistd.h>

enum { SIGNER_TIMEOUT_MS = 5000 };

static bool refuse(struct exchange *x, enum status status, const char *why)
{
    (void)fail(&x->err, status, "%s", why);
    reply_error(x, status);
    return false;
}

/* RFC 6750 §2.1: the scheme in any case, spaces, one b64token up to the end of the line. */
static enum status bearer_token(const struct exchange *x, struct span *ret_token)
{
    struct span value;
    enum status status = exchange_header(x, SPAN("authorization"), &value);
    if (status != OK)
        return status;
    if (!span_starts_nocase(value, SPAN("Bearer ")))
        return INVALID;
    *ret_token = span_trim(span_from(value, SPAN("Bearer").len));
    bool is_b64token =
        ret_token->len > 0 &&
        span_only(*ret_token,
                  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=");
    return is_b64token ? OK : INVALID;
}

/* The host's administrator acts in the oldest account, or in the one that it names. */
static bool choose_account(struct exchange *x, struct span *account_id)
{
    struct span named;
    struct account account;
    enum status status = exchange_header(x, SPAN("postern-account"), &named);
    if (status == NOT_FOUND)
        return true;
    if (status == OK)
        status = store_account_get(x->app->store, named, &x->arena, &account, &x->err);
    if (status == NOT_FOUND) {
        (void)fail(&x->err, NOT_FOUND, "There is no such account.");
        reply_not_found(x, named);
    } else if (status != OK)
        reply_error(x, status);
    else
        *account_id = account.id;
    return status == OK;
}

static bool from_control_socket(struct exchange *x, struct caller *caller)
{
    /* The socket's mode says the same; a mode can be changed by mistake. */
    if (x->peer.uid != 0 && x->peer.uid != geteuid())
        return refuse(x, FORBIDDEN, "The control socket is for root and the server's own user.");
    struct span account_id = x->app->account_id;
    if (!choose_account(x, &account_id))
        return false;
    *caller = (struct caller){
        .kind = CALLER_CONTROL,
        .account_id = account_id,
        .id = arena_printf(&x->arena, "uid %u pid %d", x->peer.uid, x->peer.pid),
        .api_roles = 1u << API_ROLE_OWNER,
    };
    return true;
}

enum status caller_check_record(struct exchange *x, const struct state_principal *principal)
{
    if (state_principal_is_proven(principal, NULL))
        return OK;
    const struct signing_request ask = {.op = SIGNING_RECORD_MAC,
                                        .record_mac = {.record = principal->record}};
    struct signing_reply reply;
    enum status status = signing_call(x->lane, &ask, SIGNER_TIMEOUT_MS, &x->arena, &reply, &x->err);
    if (status != OK)
        return status;
    if (!ct_equal(reply.record_mac.mac, principal->record_mac))
        return fail(&x->err, CORRUPT, "%.*s does not match its authentication code",
                    SPAN_FMT(principal->id));
    state_principal_prove(principal, NULL);
    return OK;
}

enum status caller_check_token(struct exchange *x, struct span token, struct jwt_claims *ret_claims,
                               const struct state_principal **ret_client)
{
    const struct app *app = x->app;
    const struct jwt_rules rules = {
        .issuer = app->issuer,
        .audience = app->audience,
        .now = x->token_now,
        /* What our own signer signed was not issued in the future. */
        .ignores_iat = true,
    };
    enum status status =
        jwt_access_token_check(token, app->keys, &rules, &x->arena, ret_claims, &x->err);
    if (status != OK)
        return status;
    AUTO(state_principal) const struct state_principal *client = NULL;
    int64_t revision;
    status = state_principal_load(app->state, PRINCIPAL_APP_CLIENT, ret_claims->client_id,
                                  &x->arena, &client, &revision, &x->err);
    if (status != OK && status != NOT_FOUND)
        return status;
    bool has_credential = false;
    for (size_t i = 0; status == OK && i < client->credential_count; i++)
        has_credential |= span_equal(client->credential_ids[i], ret_claims->credential_id);
    bool is_revoked = app->revoked_tokens != NULL &&
                      revoked_tokens_has(app->revoked_tokens, ret_claims->token_id);
    if (status == OK) /* by revision, not by time: no clock is compared */
        is_revoked |= ret_claims->revision < client->revoked_revision;
    if (status != OK || !client->is_enabled || !has_credential || is_revoked)
        return fail(&x->err, UNAUTHENTICATED, "The access token was revoked");
    status = caller_check_record(x, client);
    if (status != OK)
        return status;
    *ret_client = client;
    client = NULL;
    return OK;
}

/* A principal with its rights of now. */
static bool from_principal(struct exchange *x, const struct state_principal *principal,
                           struct span credential_id, struct caller *caller)
{
    static const enum caller_kind kinds[PRINCIPAL_KIND_COUNT] = {
        [PRINCIPAL_APP_CLIENT] = CALLER_APP_CLIENT,
        [PRINCIPAL_API_KEY] = CALLER_API_KEY,
        [PRINCIPAL_USER] = CALLER_USER,
    };
    struct corpus_grant *grants =
        arena_zalloc(&x->arena, principal->corpus_grant_count, sizeof *grants);
    *caller = (struct caller){
        .kind = kinds[principal->kind],
        .account_id = arena_copy(&x->arena, principal->account_id),
        .id = arena_copy(&x->arena, principal->id),
        .credential_id = credential_id,
        .api_roles = principal->api_roles,
        .corpus_grants = grants,
        .corpus_grant_count = principal->corpus_grant_count,
    };
    for (size_t i = 0; grants != NULL && i < principal->corpus_grant_count; i++) {
        grants[i].role = principal->corpus_grants[i].role;
        grants[i].corpus_id = arena_copy(&x->arena, principal->corpus_grants[i].corpus_id);
        if (grants[i].corpus_id.ptr == NULL)
            grants = NULL;
    }
    if (grants == NULL || caller->account_id.ptr == NULL || caller->id.ptr == NULL)
        return refuse(x, NO_MEMORY, "no memory for the caller");
    return true;
}

static bool from_key(struct exchange *x, struct span text, struct caller *caller)
{
    AUTO(caller_key) struct caller_key key = {0};
    if (!guard_admits_check(x, (struct span){0}))
        return false;
    enum status status = caller_check_key(x, text, &key);
    if (status != OK) {
        /* The right text of a key that is off is no guess. */
        if (status != UNAUTHENTICATED || key.is_genuine || guard_tells_failure(x, (struct span){0}))
            reply_error(x, status);
        return false;
    }
    guard_passed(x, (struct span){0});
    x->used_credential = key.credential_id;
    return from_principal(x, key.user != NULL ? key.user : key.key, key.credential_id, caller);
}

static bool from_token(struct exchange *x, struct span token, struct caller *caller)
{
    AUTO(state_principal) const struct state_principal *client = NULL;
    struct jwt_claims claims;
    if (!guard_admits_check(x, (struct span){0}))
        return false;
    enum status status = caller_check_token(x, token, &claims, &client);
    if (status != OK) {
        /* What our key signed is no guess, though it has expired or was revoked. */
        if (status != UNAUTHENTICATED || claims.is_signed ||
            guard_tells_failure(x, (struct span){0}))
            reply_error(x, status);
        return false;
    }
    guard_passed(x, (struct span){0});
    return from_principal(x, client, claims.credential_id, caller);
}

/* Where both headers stand the Authorization decides, and there is no falling back. An API key is
 * taken there too. */
static bool from_headers(struct exchange *x, struct caller *caller)
{
    struct span credential;
    enum status status = bearer_token(x, &credential);
    if (status == OK)
        return caller_is_key(credential) ? from_key(x, credential, caller)
                                         : from_token(x, credential, caller);
    if (status == NOT_FOUND)
        status = exchange_header(x, SPAN("x-api-key"), &credential);
    if (status == OK)
        return from_key(x, credential, caller);
    if (status == NOT_FOUND)
        return refuse(
            x, UNAUTHENTICATED,
            "An access token (Authorization: Bearer TOKEN) or an API key (x-api-key: KEY) "
            "is required");
    return guard_tells_failure(x, (struct span){0}) &&
           refuse(x, UNAUTHENTICATED,
                  "Authorization must be one Bearer token, x-api-key one API key");
}

bool caller_authenticate(struct exchange *x)
{
    enum permission permission = x->route->permission;
    if (permission == PERMISSION_PUBLIC)
        return true;
    if (permission == PERMISSION_CONTROL && !x->peer.is_control) {
        reply_not_found(x, x->path);
        return false;
    }
    struct caller *caller = arena_zalloc(&x->arena, 1, sizeof *caller);
    if (caller == NULL)
        return refuse(x, NO_MEMORY, "no memory for the caller");
    if (x->peer.is_control ? !from_control_socket(x, caller) : !from_headers(x, caller))
        return false;
    x->caller = caller;
    if (permission == PERMISSION_UNSET ||
        (!authz_is_per_corpus(permission) && !authz_has(caller, permission)))
        return refuse(x, FORBIDDEN, "The caller's roles do not permit this operation.");
    return true;
}
