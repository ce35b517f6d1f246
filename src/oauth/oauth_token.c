/* SPDX-License-Identifier: Apache-2.0 */
#include "oauth/oauth_token.h"

#include "config/config.h"
#include "crypto/digest.h"
#include "metrics/metrics.h"
#include "oauth/oauth_client_auth.h"
#include "oauth/oauth_error.h"
#include "oauth/oauth_params.h"
#include "signing/signing.h"
#include "state/state.h"
#include "state/use.h"
#include "web/app.h"
#include "web/cors.h"
#include "web/guard.h"
#include "web/reply.h"

/* What the second half needs to know of the first. */
struct token_step {
    struct span client_id;
    struct span credential_id;
    bool is_from_page;   /* of another site, with a secret */
    const char *refusal; /* what is wrong beside the client's authentication; NULL: nothing */
    enum oauth_error refusal_error;
    bool is_unproven; /* the signer was not asked yet about this state of the client's record */
};

static void keep_refusal(struct token_step *step, enum oauth_error error, const char *why)
{
    if (step->refusal != NULL)
        return;
    step->refusal_error = error;
    step->refusal = why;
}

static void check_grant_type(struct span grant_type, bool is_json, struct token_step *step)
{
    /* The contract's asynchronous Python client posts JSON without a grant_type. */
    if (grant_type.len == 0 && !is_json)
        keep_refusal(step, OAUTH_INVALID_REQUEST, "grant_type is missing");
    else if (grant_type.len > 0 && !span_equal(grant_type, SPAN("client_credentials")))
        keep_refusal(step, OAUTH_UNSUPPORTED_GRANT_TYPE,
                     "This server knows grant_type client_credentials");
}

/* RFC 8707 §2: every resource (and the older audience) must be an API that is known here. */
static void check_targets(const struct exchange *x, const struct form *form,
                          struct token_step *step)
{
    for (size_t i = 0; i < form->count; i++) {
        const struct form_field *field = &form->fields[i];
        bool is_target =
            span_equal(field->name, SPAN("resource")) || span_equal(field->name, SPAN("audience"));
        if (is_target && field->value.len > 0 && !span_equal(field->value, x->app->audience))
            keep_refusal(step, OAUTH_INVALID_TARGET, "This server knows no API of that identifier");
    }
}

/* The checks that come after authentication (standards 38.1, steps 8 to 11), done before it because
 * they cost nothing, and told after it. False: a reply is made. */
static bool check_request(struct exchange *x, const struct oauth_params *params,
                          struct token_step *step)
{
    struct span grant_type;
    struct span scope;
    if (oauth_param(x, params, SPAN("grant_type"), &grant_type) != OK ||
        oauth_param(x, params, SPAN("scope"), &scope) != OK)
        return false;
    bool is_empty_member = params->is_json && grant_type.len == 0;
    for (size_t i = 0; is_empty_member && i < params->form.count; i++) {
        if (span_equal(params->form.fields[i].name, SPAN("grant_type")))
            keep_refusal(step, OAUTH_INVALID_REQUEST, "grant_type is empty");
    }
    if (cors_is_foreign_page(x)) {
        step->is_from_page = true;
        keep_refusal(
            step, OAUTH_INVALID_REQUEST,
            "The request comes from a web page: a client secret does not belong in a browser. "
            "Ask from your back end, and give the client a new secret: delete it and make another");
    }
    check_grant_type(grant_type, params->is_json, step);
    check_targets(x, &params->form, step);
    if (span_trim(scope).len > 0)
        keep_refusal(step, OAUTH_INVALID_SCOPE,
                     "The client holds no such scope; its roles are always in the token");
    return true;
}

/* An unknown client gets the work and the answer of a wrong secret (T17). */
static bool ask_signer(struct exchange *x, const struct presented_client *presented,
                       const struct state_principal *client, int64_t revision)
{
    struct signing_request *ask = arena_zalloc(&x->arena, 1, sizeof *ask);
    struct span record = arena_copy(&x->arena, client->record);
    struct span mac = arena_copy(&x->arena, client->record_mac);
    if (ask == NULL || record.ptr == NULL || mac.ptr == NULL) {
        oauth_fail_status(x, NO_MEMORY);
        return false;
    }
    *ask = (struct signing_request){.op = SIGNING_TOKEN,
                                    .token = {.record = record,
                                              .record_mac = mac,
                                              .credential_id = presented->credential_id,
                                              .secret = presented->secret,
                                              .audience = x->app->audience,
                                              .ttl_seconds = client->token_ttl_seconds_max,
                                              .revision = revision}};
    x->ask = ask;
    x->next = NEXT_SIGNER;
    return true;
}

/* Presented ids go into the event log when they look like ours: others may be anything, such as the
 * secret in the wrong place. */
static void tell_client(struct exchange *x, const struct presented_client *presented)
{
    if (presented->client_id.len == CLIENT_ID_LEN &&
        span_only(presented->client_id, "abcdefghijklmnopqrstuvwxyz0123456789"))
        x->event->client_id = presented->client_id;
    x->event->credential_id = presented->credential_id;
}

/* Who is over the budget of failures learns so before anything is looked up. What cannot be a
 * secret is a failure like a wrong one. False: a reply is made. */
static bool read_client(struct exchange *x, const struct oauth_params *params,
                        struct presented_client *ret_client)
{
    enum status status = oauth_client_presented(x, params, ret_client);
    tell_client(x, ret_client);
    if (status == UNAUTHENTICATED && !x->may_block)
        (void)guard_tells_failure(x, ret_client->client_id);
    return status == OK && (x->may_block || guard_admits_check(x, ret_client->client_id));
}

void oauth_token(struct exchange *x)
{
    struct oauth_params params;
    struct presented_client presented = {0};
    struct token_step *step = arena_zalloc(&x->arena, 1, sizeof *step);
    x->step = step;
    x->event = arena_zalloc(&x->arena, 1, sizeof *x->event);
    if (step == NULL || x->event == NULL) {
        oauth_fail_status(x, NO_MEMORY);
        return;
    }
    if (oauth_params_read(x, &params) != OK || !read_client(x, &params, &presented) ||
        !check_request(x, &params, step))
        return;
    step->client_id = presented.client_id;
    step->credential_id = presented.credential_id;

    AUTO(state_principal) const struct state_principal *client = NULL;
    int64_t revision = 0;
    enum status status;
    if (x->may_block)
        status = state_principal_load(x->app->state, PRINCIPAL_APP_CLIENT, presented.client_id,
                                      &x->arena, &client, &revision, &x->err);
    else
        status = state_principal_find(x->app->state, PRINCIPAL_APP_CLIENT, presented.client_id,
                                      &client, &revision);
    if (!x->may_block)
        metric_add_at(x->app->metrics, METRIC_CLIENT_LOOKUPS,
                      status == OK ? METRIC_RESULT_HIT : METRIC_RESULT_MISS, 0, 1);
    if (status == NOT_FOUND && !x->may_block) {
        x->next = NEXT_WORKER;
        return;
    }
    if (status != OK && status != NOT_FOUND) {
        oauth_fail_status(x, status);
        return;
    }
    if (status == OK)
        x->event->app_client_id = arena_copy(&x->arena, client->id);
    if (status == OK && !guard_admits_token(x, presented.client_id))
        return;
    /* The record does not know of its account's state. */
    bool is_on = status == OK && client->is_enabled;
    step->is_unproven = is_on && !state_principal_is_proven(client, NULL);
    (void)ask_signer(x, &presented, is_on ? client : x->app->decoy_client, revision);
}

/* The signer has checked this record: /v2 need not ask again, also while the signer is gone. */
static void keep_proof(const struct exchange *x, const struct token_step *step)
{
    AUTO(state_principal) const struct state_principal *client = NULL;
    int64_t revision;
    if (step->is_unproven &&
        state_principal_find(x->app->state, PRINCIPAL_APP_CLIENT, step->client_id, &client,
                             &revision) == OK &&
        span_equal(client->record, x->ask->token.record) &&
        ct_equal(client->record_mac, x->ask->token.record_mac))
        state_principal_prove(client, NULL);
}

void oauth_token_resume(struct exchange *x, const struct signing_reply *reply)
{
    const struct token_step *step = x->step;
    if (reply->status == UNAUTHENTICATED) {
        if (guard_tells_failure(x, step->client_id))
            oauth_fail(x, OAUTH_INVALID_CLIENT, "Client authentication failed");
        return;
    }
    if (reply->status != OK) {
        oauth_fail_status(x, reply->status);
        return;
    }
    keep_proof(x, step);
    guard_passed(x, step->client_id);
    if (step->is_from_page && x->uses != NULL) /* the right secret: it is in a browser */
        use_table_add_page(x->uses, step->credential_id, x->peer.address, x->now);
    if (step->refusal != NULL) {
        oauth_fail(x, step->refusal_error, step->refusal);
        return;
    }
    x->event->token_id = arena_copy(&x->arena, reply->token.token_id);
    x->event->audience = x->app->audience;
    guard_token_made(x, step->client_id);
    struct json_writer writer = reply_json(x, 200);
    reply_no_store(x);
    json_object_open(&writer);
    json_member_text(&writer, SPAN("access_token"), reply->token.token);
    json_member_text(&writer, SPAN("token_type"), SPAN("Bearer"));
    json_member_int(&writer, SPAN("expires_in"), reply->token.expires_in);
    json_object_close(&writer);
    if (x->uses != NULL)
        use_table_add(x->uses, step->credential_id, x->peer.address, x->now);
}
