/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_app_client.h"

#include "api/api_app_client_fields.h"
#include "api/api_app_client_secret.h"
#include "api/api_common.h"
#include "authz/permission.h"
#include "base/random.h"
#include "state/state.h"
#include "store/store.h"
#include "web/app.h"
#include "web/body.h"
#include "web/page.h"
#include "web/reply.h"

enum { UPDATE_TRIES = 4 };

static void write_client(struct json_writer *writer, const struct app_client *client,
                         struct span secret)
{
    json_object_open(writer);
    fields_write(app_client_fields, APP_CLIENT_FIELD_COUNT, client, writer);
    if (secret.len > 0)
        json_member_text(writer, SPAN("client_secret"), secret);
    json_object_close(writer);
}

static void reply_client(struct exchange *x, int http_status, const struct app_client *client,
                         struct span secret)
{
    struct json_writer writer = reply_json(x, http_status);
    reply_no_store(x);
    write_client(&writer, client, secret);
}

/* Binds new grants to the ids of the corpora that they name. False: a reply is made. */
static bool resolve_corpora(struct exchange *x, struct app_client *client)
{
    for (size_t i = 0; i < client->corpus_grant_count; i++) {
        struct corpus_grant *grant = &client->corpus_grants[i];
        struct corpus corpus;
        if (grant->corpus_id.len > 0)
            continue; /* stored: bound already, and its key may be another corpus's by now */
        enum status status = store_corpus_get(x->app->store, client->account_id, grant->corpus_key,
                                              &x->arena, &corpus, &x->err);
        if (status == NOT_FOUND) {
            struct span path = arena_printf(&x->arena, "corpus_roles[%zu]", i);
            reply_bad_field(x, path, "names a corpus that does not exist");
            return false;
        }
        if (status != OK) {
            reply_error(x, status);
            return false;
        }
        grant->corpus_id = corpus.id;
    }
    return true;
}

/* Rule R7: nobody hands on, reads back or changes more than it holds. False: a reply is made. */
static bool may_touch(struct exchange *x, const struct app_client *client, const char *why)
{
    if (authz_covers(x->caller, client))
        return true;
    (void)fail(&x->err, FORBIDDEN, "%s", why);
    reply_error(x, FORBIDDEN);
    return false;
}

/* Reads the body into client by the rows with flag. False: a reply is made. */
static bool read_body(struct exchange *x, enum field_flag flag, struct app_client *client)
{
    AUTO(json) json_t *body = NULL;
    uint32_t seen;
    struct problems problems = {.arena = &x->arena};
    if (body_json_object(x, &body) != OK)
        return false;
    enum status status = fields_read(app_client_fields, APP_CLIENT_FIELD_COUNT, flag, body,
                                     &x->arena, client, &seen, &problems);
    if (status == OK)
        return resolve_corpora(x, client) &&
               may_touch(x, client, "The roles to be granted are above the caller's own.");
    if (status == INVALID)
        reply_bad_request(x, &problems);
    else
        reply_error(x, status);
    return false;
}

/* The client of an earlier create with the same Idempotency-Key. */
static void reply_existing(struct exchange *x, struct span id)
{
    struct app_client client;
    struct span secret;
    enum status status =
        store_app_client_get(x->app->store, x->caller->account_id, id, &x->arena, &client, &x->err);
    if (status == NOT_FOUND) {
        x->err = (struct err){0};
        (void)fail(&x->err, CONFLICT, "What this Idempotency-Key made has been deleted since.");
        status = CONFLICT;
    }
    if (status == OK)
        status = app_client_reveal(x, &client, &secret);
    if (status != OK)
        reply_error(x, status);
    else
        reply_client(x, 201, &client, secret);
}

static bool make_ids(struct exchange *x, struct app_client *client)
{
    char *client_id = arena_alloc(&x->arena, CLIENT_ID_LEN);
    client->id = api_id_make(x, "app_");
    if (client_id == NULL || client->id.ptr == NULL) {
        reply_error(x, NO_MEMORY);
        return false;
    }
    random_text(client_id, CLIENT_ID_LEN, "abcdefghijklmnopqrstuvwxyz0123456789");
    client->client_id = span_of(client_id, CLIENT_ID_LEN);
    return true;
}

void api_app_client_create(struct exchange *x)
{
    struct app_client client = {
        .account_id = x->caller->account_id,
        .is_enabled = true,
        .version = 1,
        .created_at = x->now,
        .updated_at = x->now,
    };
    struct store_idempotency idempotency;
    if (api_idempotency(x, &idempotency) != OK || !read_body(x, FIELD_CREATE, &client) ||
        !make_ids(x, &client))
        return;
    struct span secret;
    struct span existing = {0};
    int64_t revision;
    enum status status = app_client_add_secret(x, &client, &secret);
    if (status == OK)
        status = app_client_authenticate(x, &client);
    if (status == OK) {
        const struct audit_event audit = api_audit(x, AUDIT_APP_CLIENT_CREATE, client.id);
        status = store_app_client_create(x->app->store, &client, &idempotency, &audit, &x->arena,
                                         &existing, &revision, &x->err);
    }
    if (status != OK)
        reply_error(x, status);
    else if (existing.len > 0)
        reply_existing(x, existing);
    else
        reply_client(x, 201, &client, secret);
}

void api_app_client_list(struct exchange *x)
{
    struct form query;
    struct page page;
    AUTO(pattern) struct pattern *pattern = NULL;
    if (query_parse(x, &query) != OK || page_read(x, &query, &page) != OK ||
        api_filter(x, page.filter, &pattern) != OK)
        return;
    const struct store_page store_page = api_store_page(x, &page, pattern);
    struct app_client *clients;
    size_t count;
    bool has_more;
    enum status status = store_app_client_list(x->app->store, &store_page, &x->arena, &clients,
                                               &count, &has_more, &x->err);
    if (status != OK) {
        reply_error(x, status);
        return;
    }
    struct json_writer writer = reply_json(x, 200);
    reply_header(x, SPAN("Cache-Control"), SPAN("no-store"));
    json_object_open(&writer);
    json_name(&writer, SPAN("app_clients"));
    json_array_open(&writer);
    for (size_t i = 0; i < count; i++)
        write_client(&writer, &clients[i], (struct span){0}); /* secrets are never in lists */
    json_array_close(&writer);
    api_list_end(x, &writer, &page, has_more, count == 0 ? 0 : clients[count - 1].sequence);
}

/* The client of the path. False: a reply is made. */
static bool load_client(struct exchange *x, struct app_client *client)
{
    enum status status = store_app_client_get(x->app->store, x->caller->account_id, x->params[0],
                                              &x->arena, client, &x->err);
    if (status == OK)
        return true;
    if (status == NOT_FOUND)
        reply_not_found(x, x->params[0]);
    else
        reply_error(x, status);
    return false;
}

void api_app_client_get(struct exchange *x)
{
    struct app_client client;
    struct span secret = {0};
    struct span omitted = {0};
    struct form query;
    if (query_parse(x, &query) != OK || !load_client(x, &client))
        return;
    /* Beyond the contract: who does not want the secret need not read it back. */
    enum status status = form_get(&query, SPAN("omit"), &omitted);
    if (status == NOT_FOUND)
        status = OK;
    if (status == OK && !span_equal(omitted, SPAN("client_secret")))
        status = app_client_reveal(x, &client, &secret);
    if (status != OK)
        reply_error(x, status);
    else
        reply_client(x, 200, &client, secret);
}

void api_app_client_update(struct exchange *x)
{
    enum status status = CONFLICT;
    struct app_client client;
    /* A change by somebody else between reading and writing: read again. */
    for (int tries = 0; status == CONFLICT && tries < UPDATE_TRIES; tries++) {
        int64_t revision;
        x->err = (struct err){0};
        if (!load_client(x, &client) ||
            !may_touch(x, &client, "The client has roles above the caller's own.") ||
            !read_body(x, FIELD_UPDATE, &client))
            return;
        client.version++;
        client.updated_at = x->now;
        status = app_client_authenticate(x, &client);
        if (status == OK) {
            const struct audit_event audit = api_audit(x, AUDIT_APP_CLIENT_UPDATE, client.id);
            status = store_app_client_update(x->app->store, &client, &audit, &revision, &x->err);
        }
    }
    if (status == NOT_FOUND)
        reply_not_found(x, x->params[0]);
    else if (status != OK)
        reply_error(x, status);
    else
        reply_client(x, 200, &client, (struct span){0});
}

void api_app_client_delete(struct exchange *x)
{
    struct app_client client;
    struct span client_id;
    int64_t revision;
    if (!load_client(x, &client) ||
        !may_touch(x, &client, "The client has roles above the caller's own."))
        return;
    const struct audit_event audit = api_audit(x, AUDIT_APP_CLIENT_DELETE, client.id);
    enum status status = store_app_client_delete(x->app->store, client.account_id, client.id,
                                                 &audit, &x->arena, &client_id, &revision, &x->err);
    if (status == NOT_FOUND)
        reply_not_found(x, x->params[0]);
    else if (status != OK)
        reply_error(x, status);
    else
        reply_empty(x, 204);
}
