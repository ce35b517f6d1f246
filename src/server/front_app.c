/* SPDX-License-Identifier: Apache-2.0 */
#include "server/front_app.h"

#include "base/clock.h"
#include "base/random.h"
#include "codec/base64url.h"
#include "crypto/digest.h"
#include "jose/jwk.h"
#include "events/events.h"
#include "http/loop.h"
#include "limit/limits.h"
#include "log/log.h"
#include "metrics/metrics.h"
#include "model/audit_event.h"
#include "oauth/oauth_metadata.h"
#include "server/front_documents.h"
#include "signing/record.h"
#include "signing/signing.h"
#include "state/revoked_tokens.h"
#include "state/state.h"
#include "store/store.h"

#include <string.h>

enum {
    APP_BYTES_MAX = 1 << 20,
    DOCUMENT_BYTES_MAX = 1 << 18,
    CURSOR_KEY_BYTES = 32,
    SIGNER_TIMEOUT_MS = 10000,
    EVENTS_QUEUE_BYTES = 1 << 20,
};

/* Memory of the client table: a million clients take about 450 bytes each. */
static const size_t client_table_bytes_max = (size_t)512 << 20;

void front_app_routes(struct route routes[static OAUTH_ROUTE_COUNT + API_ROUTE_COUNT])
{
    memcpy(routes, oauth_routes, sizeof oauth_routes);
    memcpy(routes + OAUTH_ROUTE_COUNT, api_routes, sizeof api_routes);
}

static struct span random_id(struct arena *arena, const char *prefix)
{
    char random[ID_RANDOM_LEN];
    random_text(random, sizeof random, random_base62);
    return arena_printf(arena, "%s%.*s", prefix, (int)sizeof random, random);
}

/* Writes the principal's record, and has the signer authenticate it. */
static enum status make_mac(struct front_app *front, const struct principal *principal,
                            struct buf *record, struct span *ret_mac, struct err *err)
{
    if (state_record_write(principal, record) != OK)
        return fail(err, NO_MEMORY, "no memory for a record");
    const struct signing_request ask = {.op = SIGNING_RECORD_MAC,
                                        .record_mac = {.record = buf_span(record)}};
    struct signing_reply reply;
    enum status status =
        signing_call(front->lane, &ask, SIGNER_TIMEOUT_MS, &front->arena, &reply, err);
    if (status == OK)
        *ret_mac = reply.record_mac.mac;
    return status;
}

static enum status create_account(struct front_app *front, int64_t now, struct err *err)
{
    struct buf record AUTO(buf);
    struct principal owner = {
        .kind = PRINCIPAL_USER,
        .id = random_id(&front->arena, "usr_"),
        .account_id = random_id(&front->arena, "acc_"),
        .name = SPAN("owner"),
        .is_enabled = true,
        .api_roles = 1u << API_ROLE_OWNER,
        .version = 1,
        .created_at = now,
        .updated_at = now,
    };
    if (owner.account_id.ptr == NULL || owner.id.ptr == NULL)
        return fail(err, NO_MEMORY, "no memory for the first account");
    buf_init(&record, RECORD_LEN_MAX);
    enum status status = make_mac(front, &owner, &record, &owner.record_mac, err);
    if (status != OK)
        return status;
    const struct account_new account = {
        .account_id = owner.account_id, .name = SPAN("default"), .owner = &owner, .now = now};
    const struct audit_event audit = {.account_id = owner.account_id,
                                      .actor_kind = SPAN("system"),
                                      .action = AUDIT_ACCOUNT_CREATE,
                                      .target_id = owner.account_id,
                                      .at = now};
    int64_t revision;
    front->app.account_id = owner.account_id;
    front->is_first_start = true;
    return store_account_create(front->app.store, &account, &audit, &revision, err);
}

/* The account that there is, or at first start a new one with its owner. */
static enum status open_account(struct front_app *front, int64_t now, struct err *err)
{
    struct app *app = &front->app;
    enum status status = store_account_first(app->store, &front->arena, &app->account_id, err);
    if (status != NOT_FOUND)
        return status;
    if (err != NULL)
        *err = (struct err){0};
    return create_account(front, now, err);
}

/* Random, and never kept. */
static enum status make_proof_key(struct front_app *front, struct err *err)
{
    char *key = arena_alloc(&front->arena, CURSOR_KEY_BYTES);
    if (key == NULL)
        return fail(err, NO_MEMORY, "no memory for the key of proofs");
    random_bytes(key, CURSOR_KEY_BYTES);
    front->app.proof_key = span_of(key, CURSOR_KEY_BYTES);
    return OK;
}

static enum status open_cursor_key(struct front_app *front, struct err *err)
{
    struct app *app = &front->app;
    enum status status =
        store_meta_get(app->store, SPAN("cursor_key"), &front->arena, &app->cursor_key, err);
    if (status != NOT_FOUND)
        return status;
    if (err != NULL)
        *err = (struct err){0};
    char *key = arena_alloc(&front->arena, CURSOR_KEY_BYTES);
    if (key == NULL)
        return fail(err, NO_MEMORY, "no memory for the cursor key");
    random_bytes(key, CURSOR_KEY_BYTES);
    app->cursor_key = span_of(key, CURSOR_KEY_BYTES);
    return store_meta_set(app->store, SPAN("cursor_key"), app->cursor_key, err);
}

/* A configured issuer is remembered: tokens and other people's settings name it. */
static enum status open_issuer(struct front_app *front, bool is_configured, struct err *err)
{
    struct app *app = &front->app;
    struct span stored;
    app->issuer = front->config.public_url;
    app->audience = arena_printf(&front->arena, "%.*s/v2", SPAN_FMT(app->issuer));
    if (app->audience.ptr == NULL)
        return fail(err, NO_MEMORY, "no memory for the issuer");
    if (!is_configured)
        return OK;
    enum status status = store_meta_get(app->store, SPAN("issuer"), &front->arena, &stored, err);
    if (status == OK && span_equal(stored, app->issuer))
        return OK;
    if (status == OK)
        log_warn("public_url was %.*s and is now %.*s: tokens issued under the old one are no "
                 "longer accepted",
                 SPAN_FMT(stored), SPAN_FMT(app->issuer));
    else if (status != NOT_FOUND)
        return status;
    if (err != NULL)
        *err = (struct err){0};
    return store_meta_set(app->store, SPAN("issuer"), app->issuer, err);
}

/* A client that nobody has: disabled, its secret thrown away. Unknown client ids are checked
 * against it, so that they cost the same as a wrong secret. */
static enum status make_decoy(struct front_app *front, struct err *err)
{
    char hash[CREDENTIAL_HASH_BYTES];
    struct buf record AUTO(buf);
    random_bytes(hash, sizeof hash);
    hash[0] = 1;
    struct credential credential = {
        .id = random_id(&front->arena, "crd_"),
        .kind = CREDENTIAL_CLIENT_SECRET,
        .hash = span_of(hash, sizeof hash),
    };
    const struct principal client = {
        .kind = PRINCIPAL_APP_CLIENT,
        .id = random_id(&front->arena, "app_"),
        .account_id = random_id(&front->arena, "acc_"),
        .client_id = SPAN("00000000000000000000000000"),
        .version = 1,
        .credentials = &credential,
        .credential_count = 1,
    };
    struct span mac;
    buf_init(&record, RECORD_LEN_MAX);
    enum status status = make_mac(front, &client, &record, &mac, err);
    if (status != OK)
        return status;
    struct state_principal *decoy = arena_zalloc(&front->arena, 1, sizeof *decoy);
    if (decoy == NULL)
        return fail(err, NO_MEMORY, "no memory for the decoy");
    decoy->record = arena_copy(&front->arena, buf_span(&record));
    decoy->record_mac = mac;
    front->app.decoy_client = decoy;
    return decoy->record.ptr == NULL ? fail(err, NO_MEMORY, "no memory for the decoy") : OK;
}

/* A document and its ETag, kept in the front's arena. */
static enum status keep_document(struct front_app *front, const struct buf *text,
                                 struct span *ret_document, struct span *ret_etag, struct err *err)
{
    struct buf etag;
    buf_init_arena(&etag, &front->arena, 64);
    *ret_document = arena_copy(&front->arena, buf_span(text));
    oauth_etag_write(*ret_document, &etag);
    *ret_etag = buf_span(&etag);
    if (!buf_ok(text) || !buf_ok(&etag) || ret_document->ptr == NULL)
        return fail(err, NO_MEMORY, "no memory for the public documents");
    return OK;
}

static enum status make_documents(struct front_app *front, struct err *err)
{
    struct app *app = &front->app;
    struct buf jwks AUTO(buf);
    struct buf metadata AUTO(buf);
    buf_init(&jwks, DOCUMENT_BYTES_MAX);
    buf_init(&metadata, DOCUMENT_BYTES_MAX);
    jwks_write(front->jwks, &jwks);
    oauth_metadata_write(
        &(struct oauth_metadata){
            .issuer = app->issuer,
            .keys = front->jwks,
            .has_authorization_endpoint =
                span_equal(front->config.metadata_authorization_endpoint, SPAN("true")),
        },
        &metadata);
    enum status status = keep_document(front, &jwks, &app->jwks_json, &app->jwks_etag, err);
    if (status == OK)
        status = keep_document(front, &metadata, &app->metadata_json, &app->metadata_etag, err);
    return status;
}

static enum status open_metrics(struct front_app *front, struct err *err)
{
    struct app *app = &front->app;
    struct span names[ARRAY_LEN(front->routes)];
    for (size_t i = 0; i < app->route_count; i++)
        names[i] = app->routes[i].name;
    app->metrics = metrics_new(names, app->route_count);
    if (app->metrics == NULL)
        return fail(err, NO_MEMORY, "no memory for the metrics");
    app->facts[app->fact_count++] =
        (struct app_fact){SPAN("sqlite"), span_cstr(store_library_version())};
    app->facts[app->fact_count++] =
        (struct app_fact){SPAN("openssl"), span_cstr(crypto_library_version())};
    app->facts[app->fact_count++] =
        (struct app_fact){SPAN("libuv"), span_cstr(loop_library_version())};
    metric_set(app->metrics, METRIC_START_TIME, 0, clock_wall_seconds());
    return OK;
}

/* Without its event log the server still serves: it says so, and counts nothing as dropped. */
static void open_events(struct front_app *front, int data_fd)
{
    const struct config *config = &front->config;
    struct err err = {0};
    if (span_equal(config->events, SPAN("off")))
        return;
    const struct events_options options = {
        .sink = span_equal(config->events, SPAN("file")) ? EVENTS_FILE : EVENTS_STDERR,
        .data_fd = data_fd,
        .bytes_max = config->events_bytes_max,
        .seconds_max = config->events_days_max * 86400,
        .queue_bytes = EVENTS_QUEUE_BYTES,
        .metrics = front->app.metrics,
    };
    if (events_open(&options, &front->app.events, &err) != OK)
        log_warn("there is no event log: %s", err.detail);
}

static enum status add_revoked(void *context, struct span jti, int64_t expires_at)
{
    return revoked_tokens_add(context, jti, expires_at, 0);
}

static enum status open_revoked(struct front_app *front, struct err *err)
{
    struct revoked_tokens *tokens = revoked_tokens_new();
    front->app.revoked_tokens = tokens;
    if (tokens == NULL)
        return fail(err, NO_MEMORY, "no memory for the revoked tokens");
    return store_revoked_tokens(front->app.store, add_revoked, tokens, err);
}

static void on_change(void *context, const struct store_change *change)
{
    struct front_app *front = context;
    if (front->app.state != NULL)
        state_apply(front->app.state, change->revision, change->kind, change->id);
}

static enum status open_keys(struct front_app *front, int64_t now, struct err *err)
{
    enum status status = front_keys_open(&front->keys, front->app.store, front->lane,
                                         front->config.token_alg, now, err);
    if (status == OK)
        status = front_keys_public(&front->keys, &front->jwks, err);
    front->app.keys = front->jwks;
    return status;
}

static enum status make_limits(struct front_app *front, struct err *err)
{
    const struct config *config = &front->config;
    const struct limit_options options = {
        .address_failures_per_minute = config->address_failures_per_minute_max,
        .client_failures_per_minute = config->client_failures_per_minute_max,
        .address_requests_per_second = config->address_requests_per_second_max,
        .requests_per_second = config->requests_per_second_max,
        .client_tokens_per_second = config->client_tokens_per_second_max,
    };
    front->app.limits = limits_new(&options);
    return front->app.limits == NULL ? fail(err, NO_MEMORY, "no memory for the limits") : OK;
}

enum status front_app_open(struct front_app *front, const struct front_app_options *options,
                           struct err *err)
{
    struct app *app = &front->app;
    int64_t now = clock_wall_seconds();
    char path[1024];
    arena_init(&front->arena, APP_BYTES_MAX);
    front->lane = options->take_lane;
    app->config = &front->config;
    front_app_routes(front->routes);
    app->routes = front->routes;
    app->route_count = ARRAY_LEN(front->routes);
    if (front->config.data.len >= sizeof path)
        return fail(err, INVALID, "the data directory's path is too long");
    memcpy(path, front->config.data.ptr, front->config.data.len);
    path[front->config.data.len] = '\0';
    enum status status = route_check(app->routes, app->route_count, err);
    if (status == OK)
        status = open_metrics(front, err);
    const struct store_options store_options = {
        .metrics = app->metrics,
        .data_fd = options->data_fd,
        .path = path,
        .now = clock_wall_microseconds(),
        .readers = options->readers,
        .on_change = on_change,
        .change_context = front,
    };
    if (status == OK)
        status = store_open(&store_options, &app->store, err);
    if (status == OK)
        status = open_revoked(front, err);
    if (status == OK)
        status = open_keys(front, now, err);
    if (status == OK)
        status = front_clock_open(&front->clock, app->store, front->lane, err);
    app->clock = &front->clock.clock;
    if (status == OK)
        status = open_cursor_key(front, err);
    if (status == OK)
        status = open_issuer(front, options->is_issuer_configured, err);
    if (status == OK)
        status = make_documents(front, err);
    if (status == OK)
        status = make_decoy(front, err);
    if (status == OK)
        status = make_proof_key(front, err);
    if (status == OK)
        status = make_limits(front, err);
    if (status == OK)
        status =
            open_account(front, now, err); /* last: an account says that first start is complete */
    if (status == OK) {
        app->state = state_new(app->store, client_table_bytes_max);
        if (app->state == NULL)
            status = fail(err, NO_MEMORY, "no memory for the client table");
    }
    const struct documents_options documents_options = {
        .data_fd = options->data_fd, .path = path, .readers = options->readers};
    if (status == OK)
        status = front_documents_open(app, &documents_options, err);
    if (status == OK)
        open_events(front, options->data_fd);
    return status;
}

void front_app_close(struct front_app *front)
{
    events_close(front->app.events);
    documents_close(front->app.documents);
    store_close(front->app.store);
    state_free(front->app.state);
    revoked_tokens_free(front->app.revoked_tokens);
    limits_free(front->app.limits);
    jwks_free(front->jwks);
    front_keys_close(&front->keys);
    signing_lane_free(front->lane);
    metrics_free(front->app.metrics);
    arena_done(&front->arena);
}
