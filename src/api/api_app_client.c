/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_app_client.h"

#include "api/api_app_client_fields.h"
#include "api/api_common.h"
#include "api/api_principal.h"
#include "authz/permission.h"
#include "base/random.h"
#include "store/store.h"
#include "web/app.h"
#include "web/body.h"
#include "web/page.h"
#include "web/reply.h"

enum { UPDATE_TRIES = 4 };

static void write_client(struct json_writer *writer, const struct principal *client,
                         struct span secret)
{
    json_object_open(writer);
    fields_write(app_client_fields, APP_CLIENT_FIELD_COUNT, client, writer);
    if (secret.len > 0)
        json_member_text(writer, SPAN("client_secret"), secret);
    json_object_close(writer);
}

static void reply_client(struct exchange *x, int http_status, const struct principal *client,
                         struct span secret)
{
    struct json_writer writer = reply_json(x, http_status);
    reply_no_store(x);
    write_client(&writer, client, secret);
}

static bool read_body(struct exchange *x, enum field_flag flag, struct principal *client)
{
    return api_principal_read(x, app_client_fields, APP_CLIENT_FIELD_COUNT, flag, client) &&
           api_principal_may_grant(x, client);
}

/* Who may not touch the client gets it without its secret. */
static enum status reveal(struct exchange *x, const struct principal *client,
                          struct span *ret_secret)
{
    *ret_secret = (struct span){0};
    return authz_covers(x->caller, client)
               ? api_principal_reveal(x, client, AUDIT_APP_CLIENT_REVEAL, ret_secret)
               : OK;
}

/* The client of an earlier create with the same Idempotency-Key. */
static void reply_existing(struct exchange *x, struct span id)
{
    struct principal client;
    struct span secret;
    enum status status =
        store_principal_get(x->app->store, PRINCIPAL_APP_CLIENT, x->caller->account_id, id,
                            &x->arena, &client, &x->err);
    if (status == NOT_FOUND) {
        x->err = (struct err){0};
        (void)fail(&x->err, CONFLICT, "What this Idempotency-Key made has been deleted since.");
        status = CONFLICT;
    }
    if (status == OK)
        status = reveal(x, &client, &secret);
    if (status != OK)
        reply_error(x, status);
    else
        reply_client(x, 201, &client, secret);
}

static bool make_client_id(struct exchange *x, struct principal *client)
{
    char *client_id = arena_alloc(&x->arena, CLIENT_ID_LEN);
    if (client_id == NULL) {
        reply_error(x, NO_MEMORY);
        return false;
    }
    random_text(client_id, CLIENT_ID_LEN, "abcdefghijklmnopqrstuvwxyz0123456789");
    client->client_id = span_of(client_id, CLIENT_ID_LEN);
    return true;
}

void api_app_client_create(struct exchange *x)
{
    struct principal client = {.kind = PRINCIPAL_APP_CLIENT, .is_enabled = true};
    struct store_idempotency idempotency;
    if (api_idempotency(x, &idempotency) != OK || !api_principal_begin(x, &client, "app_") ||
        !read_body(x, FIELD_CREATE, &client) || !make_client_id(x, &client))
        return;
    struct span secret;
    struct span existing = {0};
    int64_t revision;
    enum status status = api_principal_add_secret(x, &client, SECRET_CLIENT, &secret);
    if (status == OK)
        status = api_principal_authenticate(x, &client);
    if (status == OK) {
        const struct audit_event audit = api_audit(x, AUDIT_APP_CLIENT_CREATE, client.id);
        status = store_principal_create(x->app->store, &client, &idempotency, &audit, &x->arena,
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
    struct principal *clients;
    size_t count;
    bool has_more;
    enum status status =
        store_principal_list(x->app->store, &(struct store_principal_query){.page = store_page},
                             &x->arena, &clients, &count, &has_more, &x->err);
    if (status != OK) {
        api_list_fail(x, status);
        return;
    }
    struct json_writer writer = api_list_begin(x, SPAN("app_clients"));
    for (size_t i = 0; i < count; i++)
        write_client(&writer, &clients[i], (struct span){0}); /* secrets are never in lists */
    api_list_end(x, &writer, &page, has_more, count == 0 ? 0 : clients[count - 1].sequence);
}

/* The client of the path. False: a reply is made. */
static bool load_client(struct exchange *x, struct principal *client)
{
    enum status status =
        store_principal_get(x->app->store, PRINCIPAL_APP_CLIENT, x->caller->account_id,
                            x->params[0], &x->arena, client, &x->err);
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
    struct principal client;
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
        status = reveal(x, &client, &secret);
    if (status != OK)
        reply_error(x, status);
    else
        reply_client(x, 200, &client, secret);
}

void api_app_client_update(struct exchange *x)
{
    enum status status = CONFLICT;
    struct principal client;
    /* A change by somebody else between reading and writing: read again. */
    for (int tries = 0; status == CONFLICT && tries < UPDATE_TRIES; tries++) {
        int64_t revision;
        x->err = (struct err){0};
        if (!load_client(x, &client) || !api_principal_is_authentic(x, &client) ||
            !api_principal_may_touch(x, &client, "The client has roles above the caller's own.") ||
            !read_body(x, FIELD_UPDATE, &client))
            return;
        client.version++;
        client.updated_at = x->now;
        status = api_principal_authenticate(x, &client);
        if (status == OK) {
            const struct audit_event audit = api_audit(x, AUDIT_APP_CLIENT_UPDATE, client.id);
            status = store_principal_update(x->app->store, &client, &audit, &revision, &x->err);
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
    struct principal client;
    int64_t revision;
    if (!load_client(x, &client) ||
        !api_principal_may_touch(x, &client, "The client has roles above the caller's own."))
        return;
    const struct audit_event audit = api_audit(x, AUDIT_APP_CLIENT_DELETE, client.id);
    enum status status =
        store_principal_delete(x->app->store, PRINCIPAL_APP_CLIENT, client.account_id, client.id,
                               &audit, &revision, &x->err);
    api_reply_deleted(x, status);
}
