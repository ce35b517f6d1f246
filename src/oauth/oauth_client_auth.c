/* SPDX-License-Identifier: Apache-2.0 */
#include "oauth/oauth_client_auth.h"

#include "codec/base64url.h"
#include "crypto/secret.h"
#include "model/principal.h"
#include "oauth/oauth_error.h"
#include "signing/signing.h"
#include "state/state.h"
#include "web/app.h"
#include "web/cors.h"
#include "web/guard.h"

enum { CLIENT_ID_LEN_MAX = 255, SIGNER_TIMEOUT_MS = 5000 };

static enum status refuse_client(struct exchange *x)
{
    /* One text for every cause (RFC 6749 §5.2): nothing tells an unknown client from a wrong
     * secret. */
    oauth_fail(x, OAUTH_INVALID_CLIENT, "Client authentication failed");
    return UNAUTHENTICATED;
}

static enum status refuse_request(struct exchange *x, const char *why)
{
    oauth_fail(x, OAUTH_INVALID_REQUEST, why);
    return INVALID;
}

/* RFC 7617 §2 and RFC 6749 §2.3.1: base64 of two form-encoded halves around the first colon. What
 * we issue needs no encoding, so a client that does not encode is read the same. */
static enum status read_basic(struct exchange *x, struct span value,
                              struct presented_client *client)
{
    struct span pair;
    struct span id;
    enum status status =
        base64_decode(span_trim(span_from(value, SPAN("Basic").len)), &x->arena, &pair);
    if (status == OK && !span_cut(&pair, ':', &id))
        status = INVALID;
    if (status == OK)
        status = percent_decode(id, true, &x->arena, &client->client_id);
    if (status == OK)
        status = percent_decode(pair, true, &x->arena, &client->secret);
    if (status == NO_MEMORY) {
        oauth_fail_status(x, status);
        return status;
    }
    return status == OK && client->client_id.len > 0 ? OK : refuse_client(x);
}

static enum status read_mechanisms(struct exchange *x, const struct oauth_params *params,
                                   struct presented_client *client)
{
    struct span authorization;
    struct span body_id;
    struct span body_secret;
    enum status status = oauth_param(x, params, SPAN("client_id"), &body_id);
    if (status == OK)
        status = oauth_param(x, params, SPAN("client_secret"), &body_secret);
    if (status != OK)
        return status;
    status = exchange_header(x, SPAN("authorization"), &authorization);
    if (status == INVALID)
        return refuse_request(x, "The Authorization header stands more than once");
    if (status == NOT_FOUND) {
        *client = (struct presented_client){.client_id = body_id, .secret = body_secret};
        return OK;
    }
    if (!span_starts_nocase(authorization, SPAN("Basic ")))
        return refuse_client(x);
    if (body_secret.len > 0)
        return refuse_request(x, "Use HTTP Basic or a client_secret in the body, not both");
    status = read_basic(x, authorization, client);
    if (status == OK && body_id.len > 0 && !span_equal(body_id, client->client_id))
        return refuse_request(x, "client_id in the body is not the one of HTTP Basic");
    return status;
}

enum status oauth_client_presented(struct exchange *x, const struct oauth_params *params,
                                   struct presented_client *ret_client)
{
    struct presented_client client = {0};
    struct secret_parts parts;
    enum status status = read_mechanisms(x, params, &client);
    if (status != OK)
        return status;
    *ret_client = (struct presented_client){.client_id = client.client_id};
    /* The checksum first: junk costs no look-up and tells nothing. */
    if (client.client_id.len == 0 || client.client_id.len > CLIENT_ID_LEN_MAX ||
        secret_parse(client.secret, &parts) != OK || parts.kind != SECRET_CLIENT)
        return refuse_client(x);
    client.credential_id = arena_printf(&x->arena, "crd_%.*s", SPAN_FMT(parts.id));
    if (client.credential_id.ptr == NULL) {
        oauth_fail_status(x, NO_MEMORY);
        return NO_MEMORY;
    }
    *ret_client = client;
    return OK;
}

/* Unknown clients get the work and the answer of a wrong secret (T17). */
static enum status ask_signer(struct exchange *x, const struct presented_client *presented,
                              const struct state_principal *client)
{
    const struct signing_request ask = {.op = SIGNING_SECRET,
                                        .token = {.record = client->record,
                                                  .record_mac = client->record_mac,
                                                  .credential_id = presented->credential_id,
                                                  .secret = presented->secret}};
    struct signing_reply reply;
    enum status status = signing_call(x->lane, &ask, SIGNER_TIMEOUT_MS, &x->arena, &reply, &x->err);
    return status == FORBIDDEN ? UNAUTHENTICATED : status;
}

bool oauth_client_authenticate(struct exchange *x, const struct oauth_params *params,
                               const struct state_principal **ret_client)
{
    AUTO(state_principal) const struct state_principal *client = NULL;
    struct presented_client presented = {0};
    int64_t revision;
    enum status status = oauth_client_presented(x, params, &presented);
    if (status == UNAUTHENTICATED)
        (void)guard_tells_failure(x, presented.client_id);
    if (status != OK || !guard_admits_check(x, presented.client_id))
        return false;
    if (cors_is_foreign_page(x)) {
        oauth_fail(x, OAUTH_INVALID_REQUEST,
                   "The request comes from a web page: a client secret does not belong in a "
                   "browser");
        return false;
    }
    status = state_principal_load(x->app->state, PRINCIPAL_APP_CLIENT, presented.client_id,
                                  &x->arena, &client, &revision, &x->err);
    if (status == OK || status == NOT_FOUND)
        status = ask_signer(x, &presented,
                            client != NULL && client->is_enabled ? client : x->app->decoy_client);
    if (status == UNAUTHENTICATED || (status == OK && (client == NULL || !client->is_enabled))) {
        if (guard_tells_failure(x, presented.client_id))
            (void)refuse_client(x);
        return false;
    }
    if (status != OK) {
        oauth_fail_status(x, status);
        return false;
    }
    guard_passed(x, presented.client_id);
    *ret_client = client;
    client = NULL;
    return true;
}
