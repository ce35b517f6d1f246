/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_common.h"

#include "authz/permission.h"
#include "base/random.h"
#include "codec/json.h"
#include "codec/utf8.h"
#include "crypto/digest.h"
#include "web/app.h"
#include "web/body.h"
#include "web/page.h"
#include "web/reply.h"

enum { IDEMPOTENCY_KEY_LEN_MAX = 255 };

struct audit_event api_audit(const struct exchange *x, enum audit_action action,
                             struct span target_id)
{
    static const struct span kinds[] = {
        [CALLER_CONTROL] = SPAN_INIT("control"),
        [CALLER_APP_CLIENT] = SPAN_INIT("app_client"),
        [CALLER_API_KEY] = SPAN_INIT("api_key"),
        [CALLER_USER] = SPAN_INIT("app_user"),
    };
    const struct caller *caller = x->caller;
    return (struct audit_event){
        .account_id = caller->account_id,
        .actor_kind = kinds[caller->kind],
        .actor_id = caller->id,
        .credential_id = caller->credential_id,
        .address = x->peer.address,
        .request_id = span_of(x->request_id, REQUEST_ID_LEN),
        .action = action,
        .target_id = target_id,
        .at = x->now,
    };
}

struct span api_id_make(struct exchange *x, const char *prefix)
{
    char random[ID_RANDOM_LEN];
    random_text(random, sizeof random, random_base62);
    return arena_printf(&x->arena, "%s%.*s", prefix, (int)sizeof random, random);
}

enum status api_idempotency(struct exchange *x, struct store_idempotency *ret_idempotency)
{
    *ret_idempotency = (struct store_idempotency){0};
    struct span key;
    enum status status = exchange_header(x, SPAN("idempotency-key"), &key);
    if (status == NOT_FOUND)
        return OK;
    if (status != OK || key.len == 0 || key.len > IDEMPOTENCY_KEY_LEN_MAX || !utf8_is_plain(key)) {
        (void)fail(&x->err, INVALID,
                   "Idempotency-Key must stand once, with 1 to 255 plain characters.");
        reply_error(x, INVALID);
        return INVALID;
    }
    unsigned char *digest = arena_alloc(&x->arena, SHA256_BYTES);
    if (digest == NULL) {
        reply_error(x, NO_MEMORY);
        return NO_MEMORY;
    }
    sha256(x->body, digest);
    /* Each caller's keys are its own: another's answer is not for it. */
    const struct caller *caller = x->caller;
    struct span owner = caller->kind == CALLER_CONTROL ? SPAN("control") : caller->id;
    key = arena_printf(&x->arena, "%.*s %.*s", SPAN_FMT(owner), SPAN_FMT(key));
    if (key.ptr == NULL) {
        reply_error(x, NO_MEMORY);
        return NO_MEMORY;
    }
    *ret_idempotency =
        (struct store_idempotency){.key = key, .request = span_of(digest, SHA256_BYTES)};
    return OK;
}

enum status api_filter(struct exchange *x, struct span filter, struct pattern **ret_pattern)
{
    *ret_pattern = NULL;
    if (filter.len == 0)
        return OK;
    struct err err = {0}; /* the field's own: without its name it says little */
    enum status status = pattern_compile(filter, ret_pattern, &err);
    if (status == INVALID)
        reply_bad_field(x, SPAN("filter"), err.detail);
    else if (status != OK)
        reply_error(x, status);
    return status;
}

enum status api_corpus_filter(struct exchange *x, const struct form *query,
                              struct span *ret_corpus_id)
{
    struct span key;
    struct corpus corpus;
    enum status status = form_get(query, SPAN("corpus_key"), &key);
    if (status == NOT_FOUND)
        return OK;
    if (status != OK) {
        reply_bad_field(x, SPAN("corpus_key"), "must be the key of a corpus, once");
        return INVALID;
    }
    status =
        store_corpus_get(x->app->store, x->caller->account_id, key, &x->arena, &corpus, &x->err);
    if (status != OK && status != NOT_FOUND)
        reply_error(x, status);
    *ret_corpus_id = status == OK ? corpus.id : SPAN("none");
    return status == NOT_FOUND ? OK : status;
}

static enum status filter_row(void *context, struct span name, struct span description,
                              bool *ret_matches, struct err *err)
{
    struct pattern *pattern = context;
    enum status status = pattern_matches(pattern, name, ret_matches, err);
    if (status == OK && !*ret_matches && description.len > 0)
        status = pattern_matches(pattern, description, ret_matches, err);
    return status;
}

struct store_page api_store_page(const struct exchange *x, const struct page *page,
                                 struct pattern *pattern)
{
    return (struct store_page){
        .account_id = x->caller->account_id,
        .before_sequence = page->before_sequence,
        .limit = page->limit,
        .filter = pattern == NULL ? NULL : filter_row,
        .filter_context = pattern,
    };
}

void api_list_fail(struct exchange *x, enum status status)
{
    if (status == INVALID)
        reply_bad_field(x, SPAN("filter"), x->err.detail);
    else
        reply_error(x, status);
}

bool api_read_fields(struct exchange *x, const struct field *fields, size_t count,
                     enum field_flag flag, void *object)
{
    AUTO(json) json_t *body = NULL;
    uint32_t seen;
    struct problems problems = {.arena = &x->arena};
    if (body_json_object(x, &body) != OK)
        return false;
    enum status status =
        fields_read(fields, count, flag, body, &x->arena, object, &seen, &problems);
    if (status == INVALID)
        reply_bad_request(x, &problems);
    else if (status != OK)
        reply_error(x, status);
    return status == OK;
}

struct json_writer api_list_begin(struct exchange *x, struct span plural)
{
    struct json_writer writer = reply_json(x, 200);
    reply_header(x, SPAN("Cache-Control"), SPAN("no-store"));
    json_object_open(&writer);
    json_name(&writer, plural);
    json_array_open(&writer);
    return writer;
}

void api_reply_deleted(struct exchange *x, enum status status)
{
    if (status == NOT_FOUND)
        reply_not_found(x, x->params[0]);
    else if (status != OK)
        reply_error(x, status);
    else
        reply_empty(x, 204);
}

void api_list_end(struct exchange *x, struct json_writer *writer, const struct page *page,
                  bool has_more, int64_t last_sequence)
{
    json_array_close(writer);
    json_name(writer, SPAN("metadata"));
    json_object_open(writer);
    if (has_more) { /* absent at the end, never "": one published client would loop for ever */
        struct span key = page_key_make(x, page->filter, last_sequence);
        if (key.len == 0)
            writer->out->has_failed = true;
        json_member_text(writer, SPAN("page_key"), key);
    }
    json_object_close(writer);
    json_object_close(writer);
}
