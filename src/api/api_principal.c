/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_principal.h"

#include "api/api_common.h"
#include "authz/permission.h"
#include "base/random.h"
#include "config/config.h"
#include "crypto/digest.h"
#include "metrics/metrics.h"
#include "signing/record.h"
#include "signing/signing.h"
#include "state/state.h"
#include "store/store.h"
#include "web/app.h"
#include "web/body.h"
#include "web/reply.h"

enum { SIGNER_TIMEOUT_MS = 5000 };

bool api_principal_begin(struct exchange *x, struct principal *principal, const char *prefix)
{
    principal->id = api_id_make(x, prefix);
    principal->account_id = x->caller->account_id;
    principal->version = 1;
    principal->created_at = x->now;
    principal->updated_at = x->now;
    if (principal->id.ptr == NULL)
        reply_error(x, NO_MEMORY);
    return principal->id.ptr != NULL;
}

enum status api_principal_add_secret(struct exchange *x, struct principal *principal,
                                     enum secret_kind kind, struct span *ret_secret)
{
    if (principal->credential_count == CREDENTIALS_MAX)
        return fail(&x->err, CONFLICT, "There are as many secrets as there may be.");
    struct credential *credentials =
        arena_zalloc(&x->arena, principal->credential_count + 1, sizeof *credentials);
    struct span id = api_id_make(x, "crd_");
    char *text = arena_alloc(&x->arena, SECRET_TEXT_LEN_MAX);
    if (credentials == NULL || id.ptr == NULL || text == NULL)
        return NO_MEMORY;
    size_t len =
        secret_make(x->app->config->secret_base, kind, span_from(id, SPAN("crd_").len), text);
    struct span secret = span_of(text, len);
    const struct signing_request protect = {
        .op = SIGNING_PROTECT,
        .protect = {.account_id = principal->account_id,
                    .owner_id = principal->id,
                    .credential_id = id,
                    .secret = secret,
                    .keep_sealed = x->app->config->secret_readback_seconds > 0}};
    struct signing_reply reply;
    enum status status =
        signing_call(x->lane, &protect, SIGNER_TIMEOUT_MS, &x->arena, &reply, &x->err);
    if (status != OK)
        return status;
    for (size_t i = 0; i < principal->credential_count; i++)
        credentials[i] = principal->credentials[i];
    credentials[principal->credential_count] = (struct credential){
        .id = id,
        .kind = kind == SECRET_CLIENT ? CREDENTIAL_CLIENT_SECRET : CREDENTIAL_API_KEY,
        .hash = reply.protect.hash,
        .sealed = reply.protect.sealed,
        .hint = span_from(secret, secret.len - SECRET_HINT_LEN),
        .created_at = x->now,
        .expires_at = principal->expires_at,
    };
    principal->credentials = credentials;
    principal->credential_count++;
    *ret_secret = secret;
    return OK;
}

static enum status make_mac(struct exchange *x, const struct principal *principal,
                            struct span *ret_mac)
{
    struct buf record;
    buf_init_arena(&record, &x->arena, RECORD_LEN_MAX);
    enum status status = state_record_write(principal, &record);
    if (status != OK)
        return status;
    const struct signing_request ask = {.op = SIGNING_RECORD_MAC,
                                        .record_mac = {.record = buf_span(&record)}};
    struct signing_reply reply;
    status = signing_call(x->lane, &ask, SIGNER_TIMEOUT_MS, &x->arena, &reply, &x->err);
    if (status == OK)
        *ret_mac = reply.record_mac.mac;
    return status;
}

enum status api_principal_authenticate(struct exchange *x, struct principal *principal)
{
    return make_mac(x, principal, &principal->record_mac);
}

enum status api_principal_verify(struct exchange *x, const struct principal *principal)
{
    struct span mac;
    enum status status = make_mac(x, principal, &mac);
    if (status == OK && !ct_equal(mac, principal->record_mac))
        return fail(&x->err, CORRUPT, "%.*s does not match its authentication code",
                    SPAN_FMT(principal->id));
    return status;
}

bool api_principal_is_authentic(struct exchange *x, const struct principal *principal)
{
    enum status status = api_principal_verify(x, principal);
    if (status != OK)
        reply_error(x, status);
    return status == OK;
}

static const struct credential *newest_secret(const struct principal *principal)
{
    const struct credential *newest = NULL;
    for (size_t i = 0; i < principal->credential_count; i++) {
        const struct credential *credential = &principal->credentials[i];
        if (credential->retired_at == 0 &&
            (newest == NULL || credential->created_at >= newest->created_at))
            newest = credential;
    }
    return newest;
}

enum status api_principal_reveal(struct exchange *x, const struct principal *principal,
                                 enum audit_action action, struct span *ret_secret)
{
    *ret_secret = (struct span){0};
    const struct credential *credential = newest_secret(principal);
    if (credential == NULL || credential->sealed.len == 0 ||
        x->now - credential->created_at >= x->app->config->secret_readback_seconds)
        return OK;
    const struct signing_request unseal = {.op = SIGNING_UNSEAL,
                                           .unseal = {.account_id = principal->account_id,
                                                      .owner_id = principal->id,
                                                      .credential_id = credential->id,
                                                      .sealed = credential->sealed}};
    struct signing_reply reply;
    enum status status = api_principal_verify(x, principal);
    if (status != OK)
        return status;
    /* The trail first: a reading that could not be recorded does not happen. */
    const struct audit_event audit = api_audit(x, action, principal->id);
    status = store_audit_add(x->app->store, &audit, &x->err);
    if (status == OK)
        status = signing_call(x->lane, &unseal, SIGNER_TIMEOUT_MS, &x->arena, &reply, &x->err);
    if (status == OK) {
        *ret_secret = reply.unseal.secret;
        metric_add(x->app->metrics, METRIC_UNSEALS, 1);
    }
    return status;
}

/* A user's rights may grow while its personal keys stay: for everybody but the user itself such a
 * key is worth all that there is. */
static bool is_anothers_personal(const struct caller *caller, const struct principal *principal)
{
    return principal->user_id.len > 0 &&
           (caller->kind != CALLER_USER || !span_equal(principal->user_id, caller->id));
}

enum status api_principal_check(struct exchange *x, const struct principal *principal,
                                const char *why)
{
    struct principal rights = *principal;
    if (is_anothers_personal(x->caller, principal))
        rights.api_roles = 1u << API_ROLE_OWNER;
    return authz_covers(x->caller, &rights) ? OK : fail(&x->err, FORBIDDEN, "%s", why);
}

bool api_principal_may_retire(struct exchange *x, const struct principal *principal,
                              const char *why)
{
    struct principal rights = *principal;
    int64_t snapshot;
    enum status status = OK;
    if (principal->user_id.len > 0)
        status = store_principal_find(x->app->store, PRINCIPAL_USER, principal->user_id, &x->arena,
                                      &rights, &snapshot, &x->err);
    if (status == NOT_FOUND) { /* nobody's: it has no rights */
        rights = (struct principal){0};
        status = OK;
    }
    if (status == OK && !authz_covers(x->caller, &rights))
        status = fail(&x->err, FORBIDDEN, "%s", why);
    if (status != OK)
        reply_error(x, status);
    return status == OK;
}

bool api_principal_may_touch(struct exchange *x, const struct principal *principal, const char *why)
{
    enum status status = api_principal_check(x, principal, why);
    if (status != OK)
        reply_error(x, status);
    return status == OK;
}

bool api_principal_may_grant(struct exchange *x, const struct principal *principal)
{
    return api_principal_may_touch(x, principal,
                                   "The roles to be granted are above the caller's own.");
}

/* Whoever may read every corpus learns that one does not exist; to others it is one they hold no
 * role on. */
static void refuse_corpus(struct exchange *x, const char *field, size_t index)
{
    x->err = (struct err){0};
    if (authz_has(x->caller, PERMISSION_CORPUS_READ)) {
        struct span path = arena_printf(&x->arena, "%s[%zu]", field, index);
        reply_bad_field(x, path, "names a corpus that does not exist");
        return;
    }
    (void)fail(&x->err, FORBIDDEN, "The roles to be granted are above the caller's own.");
    reply_error(x, FORBIDDEN);
}

/* The same role on the same corpus twice is one. */
static void drop_repeats(struct principal *principal)
{
    struct corpus_grant *grants = principal->corpus_grants;
    size_t kept = 0;
    for (size_t i = 0; i < principal->corpus_grant_count; i++) {
        size_t at = 0;
        while (at < kept && !(grants[at].role == grants[i].role &&
                              span_equal(grants[at].corpus_id, grants[i].corpus_id)))
            at++;
        if (at == kept)
            grants[kept++] = grants[i];
    }
    principal->corpus_grant_count = kept;
}

bool api_principal_resolve_corpora(struct exchange *x, struct principal *principal,
                                   const char *field)
{
    for (size_t i = 0; i < principal->corpus_grant_count; i++) {
        struct corpus_grant *grant = &principal->corpus_grants[i];
        struct corpus corpus;
        if (grant->corpus_id.len > 0)
            continue; /* stored: bound already, and its key may be another corpus's by now */
        enum status status = store_corpus_get(x->app->store, principal->account_id,
                                              grant->corpus_key, &x->arena, &corpus, &x->err);
        if (status != OK) {
            if (status == NOT_FOUND)
                refuse_corpus(x, field, i);
            else
                reply_error(x, status);
            return false;
        }
        grant->corpus_id = corpus.id;
    }
    drop_repeats(principal);
    return true;
}

bool api_principal_read(struct exchange *x, const struct field *fields, size_t count,
                        enum field_flag flag, struct principal *principal)
{
    return api_read_fields(x, fields, count, flag, principal) &&
           api_principal_resolve_corpora(x, principal, "corpus_roles");
}
