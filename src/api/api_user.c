/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_user.h"

#include "api/api_common.h"
#include "api/api_one_time_code.h"
#include "api/api_principal.h"
#include "authz/permission.h"
#include "store/store.h"
#include "web/app.h"
#include "web/body.h"
#include "web/page.h"
#include "web/reply.h"

#include <stddef.h>

#define AT(member) offsetof(struct principal, member)

enum { UPDATE_TRIES = 4 };

static const char above[] = "The user has roles above the caller's own.";

static const struct field user_fields[] = {
    {.name = SPAN_INIT("id"), .type = FIELD_TEXT, .flags = FIELD_OUT, .offset = AT(id)},
    {.name = SPAN_INIT("email"),
     .type = FIELD_TEXT,
     .flags = FIELD_OUT | FIELD_CREATE | FIELD_REQUIRED,
     .offset = AT(email),
     .len_max = EMAIL_LEN_MAX},
    {.name = SPAN_INIT("username"),
     .type = FIELD_TEXT,
     .flags = FIELD_OUT | FIELD_CREATE,
     .offset = AT(name),
     .len_max = USERNAME_LEN_MAX},
    {.name = SPAN_INIT("enabled"),
     .type = FIELD_BOOL,
     .flags = FIELD_OUT | FIELD_UPDATE,
     .offset = AT(is_enabled)},
    {.name = SPAN_INIT("description"),
     .type = FIELD_LONG_TEXT,
     .flags = FIELD_OUT_FILLED | FIELD_CREATE | FIELD_UPDATE,
     .offset = AT(description),
     .presence_offset = AT(has_description),
     .len_max = USER_DESCRIPTION_LEN_MAX},
    {.name = SPAN_INIT("api_roles"),
     .type = FIELD_API_ROLES,
     .flags = FIELD_OUT | FIELD_CREATE | FIELD_UPDATE,
     .offset = AT(api_roles)},
    {.name = SPAN_INIT("corpus_roles"),
     .type = FIELD_CORPUS_ROLES,
     .flags = FIELD_OUT | FIELD_CREATE | FIELD_UPDATE,
     .offset = AT(corpus_grants),
     .presence_offset = AT(corpus_grant_count)},
    {.name = SPAN_INIT("agent_roles"),
     .type = FIELD_AGENT_ROLES,
     .flags = FIELD_OUT | FIELD_CREATE | FIELD_UPDATE,
     .offset = AT(agent_grants),
     .presence_offset = AT(agent_grant_count)},
    {.name = SPAN_INIT("created_at"),
     .type = FIELD_TIME,
     .flags = FIELD_OUT,
     .offset = AT(created_at)},
    {.name = SPAN_INIT("updated_at"),
     .type = FIELD_TIME,
     .flags = FIELD_OUT,
     .offset = AT(updated_at)},
};

static void write_user(struct json_writer *writer, const struct principal *user, struct span code)
{
    json_object_open(writer);
    fields_write(user_fields, ARRAY_LEN(user_fields), user, writer);
    if (code.len > 0)
        json_member_text(writer, SPAN("one_time_code"), code);
    json_object_close(writer);
}

static void reply_user(struct exchange *x, int http_status, const struct principal *user,
                       struct span code)
{
    struct json_writer writer = reply_json(x, http_status);
    reply_header(x, SPAN("Cache-Control"), SPAN("no-store"));
    write_user(&writer, user, code);
}

/* What an earlier create with the same Idempotency-Key made. */
static void reply_existing(struct exchange *x, struct span username, struct span id)
{
    struct principal user;
    enum status status = store_principal_get(x->app->store, PRINCIPAL_USER, x->caller->account_id,
                                             username, &x->arena, &user, &x->err);
    if (status == NOT_FOUND || (status == OK && !span_equal(user.id, id))) {
        x->err = (struct err){0};
        status = fail(&x->err, CONFLICT, "What this Idempotency-Key made has been deleted since.");
    }
    if (status != OK)
        reply_error(x, status);
    else
        reply_user(x, 201, &user, (struct span){0}); /* its code is not kept */
}

/* An address has a local part and a domain; whether mail arrives there nobody here finds out. */
static bool is_email(struct span text)
{
    size_t at = span_find(text, '@');
    return at > 0 && at + 1 < text.len && span_find(text, ' ') == text.len;
}

/* False: a reply is made. */
static bool read_create(struct exchange *x, struct principal *user)
{
    if (!api_principal_begin(x, user, "usr_") ||
        !api_principal_read(x, user_fields, ARRAY_LEN(user_fields), FIELD_CREATE, user))
        return false;
    if (user->name.len == 0)
        user->name = user->email;
    if (!is_email(user->email)) {
        reply_bad_field(x, SPAN("email"), "must be an e-mail address");
        return false;
    }
    if (user->name.len > USERNAME_LEN_MAX) {
        reply_bad_field(x, SPAN("username"), "is required: the e-mail address is too long for it");
        return false;
    }
    return api_principal_may_grant(x, user);
}

void api_user_create(struct exchange *x)
{
    struct principal user = {.kind = PRINCIPAL_USER};
    struct store_idempotency idempotency;
    struct span existing = {0};
    int64_t revision;
    if (api_idempotency(x, &idempotency) != OK || !read_create(x, &user))
        return;
    const struct made_code code = api_one_time_code_make(x);
    user.invitation_hash = code.hash;
    user.expires_at = x->now + INVITATION_SECONDS;
    enum status status = code.text.ptr == NULL ? NO_MEMORY : api_principal_authenticate(x, &user);
    if (status == OK) {
        const struct audit_event audit = api_audit(x, AUDIT_USER_CREATE, user.id);
        status = store_principal_create(x->app->store, &user, &idempotency, &audit, &x->arena,
                                        &existing, &revision, &x->err);
    }
    if (status != OK)
        reply_error(x, status);
    else if (existing.len > 0)
        reply_existing(x, user.name, existing);
    else
        reply_user(x, 201, &user, code.text);
}

void api_user_list(struct exchange *x)
{
    struct form query;
    struct page page;
    AUTO(pattern) struct pattern *pattern = NULL;
    struct store_principal_query wanted = {.kind = PRINCIPAL_USER};
    if (query_parse(x, &query) != OK || page_read(x, &query, &page) != OK ||
        api_filter(x, page.filter, &pattern) != OK ||
        api_corpus_filter(x, &query, &wanted.corpus_id) != OK)
        return;
    wanted.page = api_store_page(x, &page, pattern);
    struct principal *users;
    size_t count;
    bool has_more;
    enum status status =
        store_principal_list(x->app->store, &wanted, &x->arena, &users, &count, &has_more, &x->err);
    if (status != OK) {
        api_list_fail(x, status);
        return;
    }
    struct json_writer writer = api_list_begin(x, SPAN("users"));
    for (size_t i = 0; i < count; i++)
        write_user(&writer, &users[i], (struct span){0});
    api_list_end(x, &writer, &page, has_more, count == 0 ? 0 : users[count - 1].sequence);
}

static enum status load(struct exchange *x, struct principal *user)
{
    return store_principal_get(x->app->store, PRINCIPAL_USER, x->caller->account_id, x->params[0],
                               &x->arena, user, &x->err);
}

/* The user of the path. False: a reply is made. */
static bool load_user(struct exchange *x, struct principal *user)
{
    enum status status = load(x, user);
    if (status == NOT_FOUND)
        reply_not_found(x, x->params[0]);
    else if (status != OK)
        reply_error(x, status);
    return status == OK;
}

void api_user_get(struct exchange *x)
{
    struct principal user;
    enum status status = load(x, &user);
    bool is_self = status == OK && span_equal(user.id, x->caller->id);
    if (status != OK && status != NOT_FOUND) {
        reply_error(x, status);
    } else if (!is_self && !authz_has(x->caller, PERMISSION_USER_READ)) {
        x->err = (struct err){0};
        reply_error(x, FORBIDDEN);
    } else if (status == NOT_FOUND) {
        reply_not_found(x, x->params[0]);
    } else {
        reply_user(x, 200, &user, (struct span){0});
    }
}

/* The user of the path as the body wants it: both as it is and as it shall be within the caller's
 * rights. False: a reply is made. */
static bool read_update(struct exchange *x, struct principal *user)
{
    x->err = (struct err){0};
    if (!load_user(x, user) || !api_principal_may_touch(x, user, above) ||
        !api_principal_is_authentic(x, user))
        return false;
    return api_principal_read(x, user_fields, ARRAY_LEN(user_fields), FIELD_UPDATE, user) &&
           api_principal_may_grant(x, user);
}

void api_user_update(struct exchange *x)
{
    enum status status = CONFLICT;
    struct principal user;
    for (int tries = 0; status == CONFLICT && tries < UPDATE_TRIES; tries++) {
        int64_t revision;
        if (!read_update(x, &user))
            return;
        user.version++;
        user.updated_at = x->now;
        status = api_principal_authenticate(x, &user);
        if (status == OK) {
            const struct audit_event audit = api_audit(x, AUDIT_USER_UPDATE, user.id);
            status = store_principal_update(x->app->store, &user, &audit, &revision, &x->err);
        }
    }
    if (status == NOT_FOUND)
        reply_not_found(x, x->params[0]);
    else if (status != OK)
        reply_error(x, status);
    else
        reply_user(x, 200, &user, (struct span){0});
}

void api_user_delete(struct exchange *x)
{
    struct principal user;
    int64_t revision;
    if (!load_user(x, &user) || !api_principal_may_touch(x, &user, above))
        return;
    const struct audit_event audit = api_audit(x, AUDIT_USER_DELETE, user.id);
    enum status status = store_principal_delete(x->app->store, PRINCIPAL_USER, user.account_id,
                                                user.id, &audit, &revision, &x->err);
    api_reply_deleted(x, status);
}
