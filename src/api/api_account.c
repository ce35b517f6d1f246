/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_account.h"

#include "api/api_common.h"
#include "api/api_principal.h"
#include "authz/permission.h"
#include "model/field.h"
#include "web/app.h"
#include "web/body.h"
#include "web/reply.h"

#include <stddef.h>

enum { UPDATE_TRIES = 8 };

static const struct field account_fields[] = {
    {.name = SPAN_INIT("id"),
     .type = FIELD_TEXT,
     .flags = FIELD_OUT,
     .offset = offsetof(struct account, id)},
    {.name = SPAN_INIT("name"),
     .type = FIELD_TEXT,
     .flags = FIELD_OUT | FIELD_CREATE | FIELD_REQUIRED | FIELD_UPDATE,
     .offset = offsetof(struct account, name),
     .len_max = NAME_LEN_MAX},
    {.name = SPAN_INIT("token_ttl_seconds"),
     .type = FIELD_INT,
     .flags = FIELD_OUT | FIELD_UPDATE,
     .offset = offsetof(struct account, token_ttl_seconds),
     .number_max = TOKEN_TTL_SECONDS_MAX},
    {.name = SPAN_INIT("enabled"),
     .type = FIELD_BOOL,
     .flags = FIELD_OUT | FIELD_UPDATE,
     .offset = offsetof(struct account, is_enabled)},
    {.name = SPAN_INIT("created_at"),
     .type = FIELD_TIME,
     .flags = FIELD_OUT,
     .offset = offsetof(struct account, created_at)},
};

static void write_account(struct json_writer *writer, const struct account *account)
{
    json_object_open(writer);
    fields_write(account_fields, ARRAY_LEN(account_fields), account, writer);
    json_object_close(writer);
}

static void reply_account(struct exchange *x, int http_status, const struct account *account)
{
    struct json_writer writer = reply_json(x, http_status);
    reply_header(x, SPAN("Cache-Control"), SPAN("no-store"));
    write_account(&writer, account);
}

void api_account_list(struct exchange *x)
{
    struct account *accounts;
    size_t count;
    enum status status = store_account_list(x->app->store, &x->arena, &accounts, &count, &x->err);
    if (status != OK) {
        reply_error(x, status);
        return;
    }
    struct json_writer writer = reply_json(x, 200);
    reply_header(x, SPAN("Cache-Control"), SPAN("no-store"));
    json_object_open(&writer);
    json_name(&writer, SPAN("accounts"));
    json_array_open(&writer);
    for (size_t i = 0; i < count; i++)
        write_account(&writer, &accounts[i]);
    json_array_close(&writer);
    json_object_close(&writer);
}

/* False: a reply is made. */
static bool read_body(struct exchange *x, enum field_flag flag, struct account *account)
{
    return api_read_fields(x, account_fields, ARRAY_LEN(account_fields), flag, account);
}

/* An account begins like the first one: with an enabled user "owner". */
void api_account_create(struct exchange *x)
{
    struct account account = {
        .id = api_id_make(x, "acc_"), .is_enabled = true, .created_at = x->now};
    struct principal owner = {.kind = PRINCIPAL_USER,
                              .name = SPAN("owner"),
                              .is_enabled = true,
                              .api_roles = 1u << API_ROLE_OWNER};
    int64_t revision;
    if (!read_body(x, FIELD_CREATE, &account) || !api_principal_begin(x, &owner, "usr_"))
        return;
    owner.account_id = account.id;
    enum status status = account.id.ptr == NULL ? NO_MEMORY : api_principal_authenticate(x, &owner);
    if (status == OK) {
        const struct account_new made = {
            .account_id = account.id, .name = account.name, .owner = &owner, .now = x->now};
        struct audit_event audit = api_audit(x, AUDIT_ACCOUNT_CREATE, account.id);
        audit.account_id = account.id;
        status = store_account_create(x->app->store, &made, &audit, &revision, &x->err);
    }
    if (status == OK)
        reply_account(x, 201, &account);
    else
        reply_error(x, status);
}

void api_account_get(struct exchange *x)
{
    struct account account;
    enum status status =
        store_account_get(x->app->store, x->caller->account_id, &x->arena, &account, &x->err);
    if (status == OK)
        reply_account(x, 200, &account);
    else
        reply_error(x, status);
}

void api_account_update(struct exchange *x)
{
    struct account account;
    enum status status = CONFLICT;
    for (int tries = 0; status == CONFLICT && tries < UPDATE_TRIES; tries++) {
        int64_t revision;
        x->err = (struct err){0};
        status =
            store_account_get(x->app->store, x->caller->account_id, &x->arena, &account, &x->err);
        if (status != OK)
            break;
        if (!read_body(x, FIELD_UPDATE, &account))
            return;
        account.version++;
        const struct audit_event audit = api_audit(x, AUDIT_ACCOUNT_UPDATE, account.id);
        status = store_account_update(x->app->store, &account, &audit, &revision, &x->err);
    }
    if (status == OK)
        reply_account(x, 200, &account);
    else
        reply_error(x, status);
}
