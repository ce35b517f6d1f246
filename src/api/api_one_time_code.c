/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_one_time_code.h"

#include "api/api_api_key.h"
#include "api/api_common.h"
#include "api/api_principal.h"
#include "authz/permission.h"
#include "base/random.h"
#include "config/config.h"
#include "crypto/digest.h"
#include "store/store.h"
#include "web/app.h"
#include "web/body.h"
#include "web/guard.h"
#include "web/reply.h"

struct made_code api_one_time_code_make(struct exchange *x)
{
    char id[SECRET_ID_LEN];
    struct made_code code = {0};
    char *text = arena_alloc(&x->arena, SECRET_TEXT_LEN_MAX);
    unsigned char *hash = arena_alloc(&x->arena, SHA256_BYTES);
    if (text == NULL || hash == NULL)
        return code;
    random_text(id, sizeof id, random_base62);
    size_t len =
        secret_make(x->app->config->secret_base, SECRET_ONE_TIME, span_of(id, sizeof id), text);
    code.text = span_of(text, len);
    sha256(code.text, hash);
    code.hash = span_of(hash, SHA256_BYTES);
    return code;
}

void api_user_reset_password(struct exchange *x)
{
    struct principal user;
    struct made_code made = api_one_time_code_make(x);
    enum status status =
        made.text.ptr == NULL
            ? NO_MEMORY
            : store_principal_get(x->app->store, PRINCIPAL_USER, x->caller->account_id,
                                  x->params[0], &x->arena, &user, &x->err);
    if (status == OK)
        status = api_principal_check(x, &user, "The user has roles above the caller's own.");
    if (status == OK)
        status = api_principal_verify(x, &user);
    if (status == OK) {
        const struct one_time_code code = {.hash = made.hash,
                                           .account_id = user.account_id,
                                           .user_id = user.id,
                                           .expires_at = x->now + RESET_SECONDS};
        const struct audit_event audit = api_audit(x, AUDIT_USER_RESET_PASSWORD, user.id);
        status = store_one_time_code_add(x->app->store, &code, &audit, &x->err);
    }
    if (status == NOT_FOUND) {
        reply_not_found(x, x->params[0]);
    } else if (status != OK) {
        reply_error(x, status);
    } else {
        struct json_writer writer = reply_json(x, 200);
        reply_no_store(x);
        json_object_open(&writer);
        json_member_text(&writer, SPAN("one_time_code"), made.text);
        json_object_close(&writer);
    }
}

/* --- Redeeming --- */

struct redemption {
    struct span text;
    unsigned char hash[SHA256_BYTES];
    struct principal user;
    struct principal key;
    struct span secret;
};

static bool refuse(struct exchange *x)
{
    x->err = (struct err){0};
    if (guard_tells_failure(x, (struct span){0}))
        reply_bad_field(x, SPAN("one_time_code"), "is none, was used already, or has expired");
    return false;
}

/* The body's code, which has the form of one. False: a reply is made. */
static bool read_code(struct exchange *x, struct redemption *redemption)
{
    static const struct field fields[] = {
        {.name = SPAN_INIT("one_time_code"),
         .type = FIELD_TEXT,
         .flags = FIELD_CREATE | FIELD_REQUIRED,
         .len_max = NAME_LEN_MAX},
    };
    struct secret_parts parts;
    if (!api_read_fields(x, fields, ARRAY_LEN(fields), FIELD_CREATE, &redemption->text))
        return false;
    if (secret_parse(redemption->text, &parts) != OK || parts.kind != SECRET_ONE_TIME)
        return refuse(x);
    sha256(redemption->text, redemption->hash);
    return true;
}

/* Whose code it is: from here on the user is the caller. False: a reply is made. */
static bool load_user(struct exchange *x, struct redemption *redemption)
{
    struct principal *user = &redemption->user;
    struct one_time_code code;
    int64_t snapshot;
    enum status status = store_one_time_code_find(
        x->app->store, span_of(redemption->hash, SHA256_BYTES), x->now, &x->arena, &code, &x->err);
    if (status == OK)
        status = store_principal_find(x->app->store, PRINCIPAL_USER, code.user_id, &x->arena, user,
                                      &snapshot, &x->err);
    bool is_usable =
        status == OK && user->is_account_enabled && (user->is_enabled || code.is_invitation);
    if (status == NOT_FOUND || (status == OK && !is_usable))
        return refuse(x);
    if (status == OK)
        status = api_principal_verify(x, user);
    struct caller *caller = arena_zalloc(&x->arena, 1, sizeof *caller);
    if (status == OK && caller == NULL)
        status = NO_MEMORY;
    if (status != OK) {
        reply_error(x, status);
        return false;
    }
    *caller = (struct caller){.kind = CALLER_USER, .account_id = user->account_id, .id = user->id};
    x->caller = caller;
    user->is_enabled = true;
    user->version++;
    user->updated_at = x->now;
    return true;
}

static enum status make_key(struct exchange *x, struct redemption *redemption)
{
    struct principal *key = &redemption->key;
    *key = (struct principal){
        .kind = PRINCIPAL_API_KEY,
        .id = api_id_make(x, "aky_"),
        .account_id = redemption->user.account_id,
        .user_id = redemption->user.id,
        .owner_id = redemption->user.id,
        .api_key_role = API_KEY_ROLE_PERSONAL,
        .name = arena_printf(&x->arena, "Personal key of %.*s", SPAN_FMT(redemption->user.name)),
        .is_enabled = true,
        .version = 1,
        .created_at = x->now,
        .updated_at = x->now,
    };
    if (key->id.ptr == NULL || key->name.ptr == NULL)
        return NO_MEMORY;
    enum status status = api_principal_add_secret(x, key, SECRET_PERSONAL, &redemption->secret);
    if (status == OK)
        status = api_principal_authenticate(x, key);
    return status == OK ? api_principal_authenticate(x, &redemption->user) : status;
}

void api_one_time_code_redeem(struct exchange *x)
{
    struct redemption redemption;
    if (!guard_admits_check(x, (struct span){0}) || !read_code(x, &redemption) ||
        !load_user(x, &redemption))
        return;
    enum status status = make_key(x, &redemption);
    if (status == OK) {
        const struct audit_event audit = api_audit(x, AUDIT_USER_REDEEM, redemption.user.id);
        const struct store_redemption write = {
            .hash = span_of(redemption.hash, SHA256_BYTES),
            .now = x->now,
            .user = &redemption.user,
            .key = &redemption.key,
            .audit = &audit,
        };
        status = store_one_time_code_redeem(x->app->store, &write, &x->err);
    }
    if (status == NOT_FOUND) {
        (void)refuse(x);
    } else if (status != OK) {
        reply_error(x, status);
    } else {
        guard_passed(x, (struct span){0});
        api_api_key_reply(x, 201, &redemption.key, redemption.secret);
    }
}
