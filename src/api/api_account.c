/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_account.h"

#include "api/api_common.h"
#include "authz/permission.h"
#include "model/field.h"
#include "web/app.h"
#include "web/body.h"
#include "web/reply.h"

#include <stddef.h>

static const struct field account_fields[] = {
    {.name = SPAN_INIT("id"),
     .type = FIELD_TEXT,
     .flags = FIELD_OUT,
     .offset = offsetof(struct account, id)},
    {.name = SPAN_INIT("name"),
     .type = FIELD_TEXT,
     .flags = FIELD_OUT | FIELD_UPDATE,
     .offset = offsetof(struct account, name),
     .len_max = NAME_LEN_MAX},
    {.name = SPAN_INIT("token_ttl_seconds"),
     .type = FIELD_INT,
     .flags = FIELD_OUT | FIELD_UPDATE,
     .offset = offsetof(struct account, token_ttl_seconds),
     .number_max = TOKEN_TTL_SECONDS_MAX},
};

static void reply_account(struct exchange *x, const struct account *account)
{
    struct json_writer writer = reply_json(x, 200);
    reply_header(x, SPAN("Cache-Control"), SPAN("no-store"));
    json_object_open(&writer);
    fields_write(account_fields, ARRAY_LEN(account_fields), account, &writer);
    json_object_close(&writer);
}

void api_account_get(struct exchange *x)
{
    struct account account;
    enum status status =
        store_account_get(x->app->store, x->caller->account_id, &x->arena, &account, &x->err);
    if (status == OK)
        reply_account(x, &account);
    else
        reply_error(x, status);
}

void api_account_update(struct exchange *x)
{
    AUTO(json) json_t *body = NULL;
    struct account account;
    struct problems problems = {.arena = &x->arena};
    uint32_t seen;
    int64_t revision;
    if (body_json_object(x, &body) != OK)
        return;
    enum status status =
        store_account_get(x->app->store, x->caller->account_id, &x->arena, &account, &x->err);
    if (status == OK)
        status = fields_read(account_fields, ARRAY_LEN(account_fields), FIELD_UPDATE, body,
                             &x->arena, &account, &seen, &problems);
    if (status == INVALID) {
        reply_bad_request(x, &problems);
        return;
    }
    const struct audit_event audit = api_audit(x, AUDIT_ACCOUNT_UPDATE, account.id);
    if (status == OK)
        status = store_account_update(x->app->store, &account, &audit, &revision, &x->err);
    if (status == OK)
        reply_account(x, &account);
    else
        reply_error(x, status);
}
