/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_api_key.h"

#include "api/api_api_key_fields.h"
#include "api/api_common.h"
#include "api/api_principal.h"
#include "authz/permission.h"
#include "store/store.h"
#include "web/app.h"
#include "web/body.h"
#include "web/page.h"
#include "web/reply.h"

enum { UPDATE_TRIES = 4 };

static const char above[] = "The key's rights are above the caller's own.";

static void write_key(struct json_writer *writer, const struct principal *key, struct span secret)
{
    const struct api_key_body body = {.key = *key};
    json_object_open(writer);
    fields_write(api_key_fields, API_KEY_FIELD_COUNT, &body, writer);
    if (key->api_key_role != API_KEY_ROLE_NONE)
        json_member_text(writer, SPAN("api_key_role"), principal_api_key_roles[key->api_key_role]);
    if (secret.len > 0)
        json_member_text(writer, SPAN("secret_key"), secret);
    json_object_close(writer);
}

void api_api_key_reply(struct exchange *x, int http_status, const struct principal *key,
                       struct span secret)
{
    struct json_writer writer = reply_json(x, http_status);
    reply_no_store(x);
    write_key(&writer, key, secret);
}

/* Who may not touch the key gets it without its text. */
static enum status reveal(struct exchange *x, const struct principal *key, struct span *ret_secret)
{
    *ret_secret = (struct span){0};
    enum status status = api_principal_check(x, key, above);
    if (status == FORBIDDEN) {
        x->err = (struct err){0};
        return OK;
    }
    return status == OK ? api_principal_reveal(x, key, AUDIT_API_KEY_REVEAL, ret_secret) : status;
}

static bool refuse(struct exchange *x, const char *why)
{
    (void)fail(&x->err, FORBIDDEN, "%s", why);
    reply_error(x, FORBIDDEN);
    return false;
}

/* --- Create --- */

static bool bad_field(struct exchange *x, struct span field, const char *text)
{
    reply_bad_field(x, field, text);
    return false;
}

/* Whose personal key: the caller's own, or, made by an owner, another user's. */
static bool choose_user(struct exchange *x, struct api_key_body *body)
{
    struct principal user;
    if (body->corpus_keys != NULL)
        return bad_field(x, SPAN("corpus_keys"), "cannot stand with a personal key");
    if (x->caller->kind == CALLER_APP_CLIENT)
        return refuse(x, "An app client cannot make personal API keys.");
    if (body->username.len == 0) {
        body->key.user_id = x->caller->id;
        return x->caller->kind == CALLER_USER ||
               bad_field(x, SPAN("username"), "is required: whose personal key?");
    }
    enum status status = store_principal_get(x->app->store, PRINCIPAL_USER, x->caller->account_id,
                                             body->username, &x->arena, &user, &x->err);
    bool is_self = status == OK && span_equal(user.id, x->caller->id);
    if (!is_self && (x->caller->api_roles & 1u << API_ROLE_OWNER) == 0)
        return refuse(x, "Only an owner makes personal API keys for others.");
    if (status == NOT_FOUND)
        return bad_field(x, SPAN("username"), "names a user who does not exist");
    if (status != OK)
        reply_error(x, status);
    body->key.user_id = user.id;
    return status == OK;
}

/* The older form: query, or query and index, on some corpora. */
static bool choose_corpora(struct exchange *x, struct api_key_body *body)
{
    struct principal *key = &body->key;
    if (body->corpus_key_count == 0)
        return bad_field(x, SPAN("corpus_keys"), "must name the corpora that the key is for");
    key->corpus_grants =
        arena_zalloc(&x->arena, body->corpus_key_count, sizeof(struct corpus_grant));
    if (key->corpus_grants == NULL) {
        reply_error(x, NO_MEMORY);
        return false;
    }
    key->corpus_grant_count = body->corpus_key_count;
    for (size_t i = 0; i < body->corpus_key_count; i++)
        key->corpus_grants[i] = (struct corpus_grant){
            .corpus_key = body->corpus_keys[i],
            .role = key->api_key_role == API_KEY_ROLE_SERVING ? CORPUS_ROLE_VIEWER
                                                              : CORPUS_ROLE_EDITOR};
    return true;
}

/* Turns what the body asks for into rights. False: a reply is made. */
static bool choose_rights(struct exchange *x, struct api_key_body *body)
{
    struct principal *key = &body->key;
    bool has_roles =
        key->api_roles != 0 || key->corpus_grant_count > 0 || key->agent_grant_count > 0;
    size_t role = API_KEY_ROLE_NONE;
    if (body->api_key_role.len > 0 &&
        !role_find(principal_api_key_roles, API_KEY_ROLE_COUNT, body->api_key_role, &role))
        return bad_field(x, SPAN("api_key_role"),
                         "must be serving, serving_and_indexing or personal");
    key->api_key_role = (enum api_key_role)role;
    if (role != API_KEY_ROLE_NONE && has_roles)
        return bad_field(x, SPAN("api_key_role"),
                         "cannot stand with api_roles, corpus_roles or agent_roles");
    if (role != API_KEY_ROLE_PERSONAL && body->username.len > 0)
        return bad_field(x, SPAN("username"), "is for personal keys");
    if (role == API_KEY_ROLE_PERSONAL)
        return choose_user(x, body);
    if (role != API_KEY_ROLE_NONE)
        return choose_corpora(x, body) && api_principal_resolve_corpora(x, key, "corpus_keys");
    return body->corpus_keys == NULL || bad_field(x, SPAN("corpus_keys"), "needs api_key_role");
}

/* The kind that shows in the key's text. */
static enum secret_kind kind_of(const struct principal *key)
{
    const api_role_set viewers = 1u << API_ROLE_VIEWER | 1u << API_ROLE_CORPUS_VIEWER |
                                 1u << API_ROLE_AGENT_VIEWER | 1u << API_ROLE_AGENT_USER |
                                 1u << API_ROLE_PIPELINE_VIEWER;
    bool only_views = (key->api_roles & ~viewers) == 0;
    if (key->api_key_role == API_KEY_ROLE_PERSONAL)
        return SECRET_PERSONAL;
    for (size_t i = 0; i < key->corpus_grant_count; i++)
        only_views &= key->corpus_grants[i].role == CORPUS_ROLE_VIEWER;
    return only_views ? SECRET_QUERY : SECRET_INDEX;
}

static void reply_existing(struct exchange *x, struct span id)
{
    struct principal key;
    struct span secret;
    enum status status = store_principal_get(x->app->store, PRINCIPAL_API_KEY,
                                             x->caller->account_id, id, &x->arena, &key, &x->err);
    if (status == NOT_FOUND) {
        x->err = (struct err){0};
        status = fail(&x->err, CONFLICT, "What this Idempotency-Key made has been deleted since.");
    }
    if (status == OK)
        status = reveal(x, &key, &secret);
    if (status != OK)
        reply_error(x, status);
    else
        api_api_key_reply(x, 201, &key, secret);
}

/* False: a reply is made. */
static bool read_create(struct exchange *x, struct api_key_body *body)
{
    struct principal *key = &body->key;
    if (x->caller->kind == CALLER_API_KEY)
        return refuse(x, "An API key makes no API keys, unless it is a personal one.");
    if (!api_principal_begin(x, key, "aky_") ||
        !api_principal_read(x, api_key_fields, API_KEY_FIELD_COUNT, FIELD_CREATE, key) ||
        !choose_rights(x, body) || !api_principal_may_grant(x, key))
        return false;
    if (x->caller->kind != CALLER_CONTROL) {
        key->owner_id = x->caller->id;
        key->owner_credential_id = x->caller->credential_id;
    }
    if (body->expires_in_seconds > 0)
        key->expires_at = x->token_now + body->expires_in_seconds;
    return true;
}

void api_api_key_create(struct exchange *x)
{
    struct api_key_body body = {.key = {.kind = PRINCIPAL_API_KEY, .is_enabled = true}};
    struct principal *key = &body.key;
    struct store_idempotency idempotency;
    struct span secret;
    struct span existing = {0};
    int64_t revision;
    if (api_idempotency(x, &idempotency) != OK || !read_create(x, &body))
        return;
    enum status status = api_principal_add_secret(x, key, kind_of(key), &secret);
    if (status == OK)
        status = api_principal_authenticate(x, key);
    if (status == OK) {
        const struct audit_event audit = api_audit(x, AUDIT_API_KEY_CREATE, key->id);
        status = store_principal_create(x->app->store, key, &idempotency, &audit, &x->arena,
                                        &existing, &revision, &x->err);
    }
    if (status != OK)
        reply_error(x, status);
    else if (existing.len > 0)
        reply_existing(x, existing);
    else
        api_api_key_reply(x, 201, key, secret);
}

/* --- List --- */

static enum status read_filter(struct exchange *x, const struct form *query,
                               struct store_principal_query *wanted)
{
    struct span text;
    size_t role = 0;
    enum status status = form_get(query, SPAN("api_key_role"), &text);
    bool is_role = status == OK && text.len > 0 &&
                   role_find(principal_api_key_roles, API_KEY_ROLE_COUNT, text, &role);
    if (status != NOT_FOUND && !is_role) {
        reply_bad_field(x, SPAN("api_key_role"),
                        "must be serving, serving_and_indexing or personal, once");
        return INVALID;
    }
    wanted->api_key_role = (enum api_key_role)role;
    if (!authz_has(x->caller, PERMISSION_API_KEY_MANAGE))
        wanted->owner_id = x->caller->id;
    return api_corpus_filter(x, query, &wanted->corpus_id);
}

void api_api_key_list(struct exchange *x)
{
    struct form query;
    struct page page;
    AUTO(pattern) struct pattern *pattern = NULL;
    struct store_principal_query wanted = {.kind = PRINCIPAL_API_KEY};
    if (query_parse(x, &query) != OK || page_read(x, &query, &page) != OK ||
        api_filter(x, page.filter, &pattern) != OK || read_filter(x, &query, &wanted) != OK)
        return;
    wanted.page = api_store_page(x, &page, pattern);
    struct principal *keys;
    size_t count;
    bool has_more;
    enum status status =
        store_principal_list(x->app->store, &wanted, &x->arena, &keys, &count, &has_more, &x->err);
    if (status != OK) {
        api_list_fail(x, status);
        return;
    }
    struct json_writer writer = api_list_begin(x, SPAN("api_keys"));
    for (size_t i = 0; i < count; i++)
        write_key(&writer, &keys[i], (struct span){0}); /* secrets are never in lists */
    api_list_end(x, &writer, &page, has_more, count == 0 ? 0 : keys[count - 1].sequence);
}

/* --- One key --- */

static bool is_own(const struct exchange *x, const struct principal *key)
{
    struct span id = x->caller->id;
    return x->caller->kind != CALLER_CONTROL &&
           (span_equal(key->owner_id, id) || span_equal(key->user_id, id));
}

/* The key of the path; another's is not there for who may not manage it. False: a reply is made. */
static bool load_key(struct exchange *x, struct principal *key)
{
    enum status status =
        store_principal_get(x->app->store, PRINCIPAL_API_KEY, x->caller->account_id, x->params[0],
                            &x->arena, key, &x->err);
    if (status == OK && !is_own(x, key) && !authz_has(x->caller, PERMISSION_API_KEY_MANAGE))
        status = NOT_FOUND;
    if (status == NOT_FOUND)
        reply_not_found(x, x->params[0]);
    else if (status != OK)
        reply_error(x, status);
    return status == OK;
}

void api_api_key_get(struct exchange *x)
{
    struct principal key;
    struct span secret = {0};
    struct span omitted = {0};
    struct form query;
    if (query_parse(x, &query) != OK || !load_key(x, &key))
        return;
    /* Beyond the contract: who does not want the text need not read it back. */
    enum status status = form_get(&query, SPAN("omit"), &omitted);
    if (status == NOT_FOUND)
        status = OK;
    if (status == OK && !span_equal(omitted, SPAN("secret_key")))
        status = reveal(x, &key, &secret);
    if (status != OK)
        reply_error(x, status);
    else
        api_api_key_reply(x, 200, &key, secret);
}

/* Reads the key of the path, to be changed: its record is one of ours. False: a reply is made. */
static bool begin_change(struct exchange *x, struct principal *key)
{
    x->err = (struct err){0};
    return load_key(x, key) && api_principal_is_authentic(x, key);
}

static void reply_change(struct exchange *x, enum status status, const struct principal *key,
                         struct span secret)
{
    if (status == NOT_FOUND)
        reply_not_found(x, x->params[0]);
    else if (status != OK)
        reply_error(x, status);
    else
        api_api_key_reply(x, 200, key, secret);
}

/* Taking one's own key out of use needs no right; everything else those that the key has. */
static bool may_update(struct exchange *x, const struct principal *key)
{
    if (!key->is_enabled)
        return is_own(x, key) || api_principal_may_retire(x, key, above);
    return api_principal_may_touch(x, key, above);
}

void api_api_key_update(struct exchange *x)
{
    enum status status = CONFLICT;
    struct principal key;
    for (int tries = 0; status == CONFLICT && tries < UPDATE_TRIES; tries++) {
        int64_t revision;
        if (!begin_change(x, &key) ||
            !api_principal_read(x, api_key_fields, API_KEY_FIELD_COUNT, FIELD_UPDATE, &key) ||
            !may_update(x, &key))
            return;
        key.version++;
        key.updated_at = x->now;
        status = api_principal_authenticate(x, &key);
        if (status == OK) {
            const struct audit_event audit = api_audit(x, AUDIT_API_KEY_UPDATE, key.id);
            status = store_principal_update(x->app->store, &key, &audit, &revision, &x->err);
        }
    }
    reply_change(x, status, &key, (struct span){0});
}

void api_api_key_regenerate(struct exchange *x)
{
    enum status status = CONFLICT;
    struct principal key;
    struct span secret = {0};
    for (int tries = 0; status == CONFLICT && tries < UPDATE_TRIES; tries++) {
        int64_t revision;
        if (!begin_change(x, &key) || !api_principal_may_touch(x, &key, above))
            return;
        key.version++;
        key.updated_at = x->now;
        key.credential_count = 0; /* the old text ends with this; the expiry stays */
        status = api_principal_add_secret(x, &key, kind_of(&key), &secret);
        if (status == OK)
            status = api_principal_authenticate(x, &key);
        if (status == OK) {
            const struct audit_event audit = api_audit(x, AUDIT_API_KEY_REGENERATE, key.id);
            status =
                store_principal_update_credentials(x->app->store, &key, &audit, &revision, &x->err);
        }
    }
    reply_change(x, status, &key, secret);
}

void api_api_key_delete(struct exchange *x)
{
    struct principal key;
    int64_t revision;
    if (!load_key(x, &key) || (!is_own(x, &key) && !api_principal_may_retire(x, &key, above)))
        return;
    const struct audit_event audit = api_audit(x, AUDIT_API_KEY_DELETE, key.id);
    enum status status = store_principal_delete(x->app->store, PRINCIPAL_API_KEY, key.account_id,
                                                key.id, &audit, &revision, &x->err);
    api_reply_deleted(x, status);
}
