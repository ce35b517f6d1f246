/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_corpus.h"

#include "api/api_common.h"
#include "api/api_corpus_fields.h"
#include "authz/permission.h"
#include "base/random.h"
#include "documents/documents.h"
#include "model/corpus.h"
#include "model/job.h"
#include "store/store.h"
#include "web/app.h"
#include "web/body.h"
#include "web/page.h"
#include "web/reply.h"
#include "web/route.h"

enum { UPDATE_TRIES = 8 };

static void write_corpus(struct json_writer *writer, const struct corpus *corpus)
{
    json_object_open(writer);
    fields_write(corpus_fields, CORPUS_FIELD_COUNT, corpus, writer);
    json_object_close(writer);
}

static void reply_corpus(struct exchange *x, int http_status, const struct corpus *corpus)
{
    struct json_writer writer = reply_json(x, http_status);
    reply_header(x, SPAN("Cache-Control"), SPAN("no-store"));
    write_corpus(&writer, corpus);
}

/* What an earlier create with the same Idempotency-Key made; corpora are found by key, and the
 * body's digest was the same, so the key is too. */
static void reply_existing(struct exchange *x, struct span key, struct span id)
{
    struct corpus corpus;
    enum status status =
        store_corpus_get(x->app->store, x->caller->account_id, key, &x->arena, &corpus, &x->err);
    if (status == NOT_FOUND || (status == OK && !span_equal(corpus.id, id))) {
        x->err = (struct err){0};
        status = fail(&x->err, CONFLICT, "What this Idempotency-Key made has been deleted since.");
    }
    if (status != OK)
        reply_error(x, status);
    else
        reply_corpus(x, 201, &corpus);
}

void api_corpus_create(struct exchange *x)
{
    struct corpus corpus = {
        .id = arena_printf(&x->arena, "crp_%lld", (long long)random_int63()),
        .account_id = x->caller->account_id,
        .is_enabled = true,
        .encoder_name = SPAN("boomerang-2023-q3"),
        .filter_attributes = SPAN("[]"),
        .custom_dimensions = SPAN("[]"),
        .version = 1,
        .created_at = x->now,
        .updated_at = x->now,
    };
    struct store_idempotency idempotency;
    if (api_idempotency(x, &idempotency) != OK ||
        !api_read_fields(x, corpus_fields, CORPUS_FIELD_COUNT, FIELD_CREATE, &corpus))
        return;
    if (corpus.name.len == 0)
        corpus.name = corpus.key;
    if (corpus.id.ptr == NULL) {
        reply_error(x, NO_MEMORY);
        return;
    }
    struct span existing = {0};
    int64_t revision;
    const struct audit_event audit = api_audit(x, AUDIT_CORPUS_CREATE, corpus.id);
    enum status status = store_corpus_create(x->app->store, &corpus, &idempotency, &audit,
                                             &x->arena, &existing, &revision, &x->err);
    if (status != OK)
        reply_error(x, status);
    else if (existing.len > 0)
        reply_existing(x, corpus.key, existing);
    else
        reply_corpus(x, 201, &corpus);
}

/* Which corpora the list may show: those asked for by corpus_id, and of them those that the caller
 * may read. False: a reply is made. */
static bool choose_corpora(struct exchange *x, const struct form *query,
                           struct store_corpus_query *chosen)
{
    const struct caller *caller = x->caller;
    bool reads_all = authz_has(caller, PERMISSION_CORPUS_READ);
    struct span *ids =
        arena_zalloc(&x->arena, query->count + caller->corpus_grant_count, sizeof *ids);
    if (ids == NULL) {
        reply_error(x, NO_MEMORY);
        return false;
    }
    bool is_asked = false;
    for (size_t i = 0; i < query->count; i++) {
        if (!span_equal(query->fields[i].name, SPAN("corpus_id")))
            continue;
        struct span id = query->fields[i].value;
        int64_t number;
        if (!span_starts(id, SPAN("crp_")) || !span_to_int64(span_from(id, 4), &number)) {
            reply_bad_field(x, SPAN("corpus_id"), "must be crp_ and a number");
            return false;
        }
        is_asked = true;
        if (authz_has_on_corpus(caller, PERMISSION_CORPUS_READ, id))
            ids[chosen->id_count++] = id;
    }
    for (size_t i = 0; !is_asked && !reads_all && i < caller->corpus_grant_count; i++)
        ids[chosen->id_count++] = caller->corpus_grants[i].corpus_id;
    chosen->ids = ids;
    chosen->is_restricted = is_asked || !reads_all;
    return true;
}

void api_corpus_list(struct exchange *x)
{
    struct form query;
    struct page page;
    AUTO(pattern) struct pattern *pattern = NULL;
    struct store_corpus_query chosen = {0};
    if (query_parse(x, &query) != OK || page_read(x, &query, &page) != OK ||
        api_filter(x, page.filter, &pattern) != OK || !choose_corpora(x, &query, &chosen))
        return;
    chosen.page = api_store_page(x, &page, pattern);
    struct corpus *corpora;
    size_t count;
    bool has_more;
    enum status status =
        store_corpus_list(x->app->store, &chosen, &x->arena, &corpora, &count, &has_more, &x->err);
    if (status != OK) {
        api_list_fail(x, status);
        return;
    }
    struct json_writer writer = api_list_begin(x, SPAN("corpora"));
    for (size_t i = 0; i < count; i++)
        write_corpus(&writer, &corpora[i]);
    api_list_end(x, &writer, &page, has_more, count == 0 ? 0 : corpora[count - 1].sequence);
}

bool api_corpus_load(struct exchange *x, struct span key, struct corpus *corpus)
{
    enum permission permission = x->route->permission;
    enum status status =
        store_corpus_get(x->app->store, x->caller->account_id, key, &x->arena, corpus, &x->err);
    if (status != OK && status != NOT_FOUND) {
        reply_error(x, status);
        return false;
    }
    bool is_allowed = status == OK ? authz_has_on_corpus(x->caller, permission, corpus->id)
                                   : authz_has(x->caller, permission);
    if (!is_allowed) {
        x->err = (struct err){0};
        reply_error(x, FORBIDDEN);
    } else if (status == NOT_FOUND) {
        reply_not_found(x, key);
    }
    return is_allowed && status == OK;
}

void api_corpus_get(struct exchange *x)
{
    struct corpus corpus;
    if (api_corpus_load(x, x->params[0], &corpus))
        reply_corpus(x, 200, &corpus);
}

/* Reads, changes and writes the corpus of the path; again when somebody else changed it between.
 * OK, or a reply is made. */
static enum status change_corpus(struct exchange *x, enum audit_action action,
                                 bool (*change)(struct exchange *x, struct corpus *corpus),
                                 struct job *job, struct corpus *corpus)
{
    enum status status = CONFLICT;
    for (int tries = 0; status == CONFLICT && tries < UPDATE_TRIES; tries++) {
        int64_t revision;
        x->err = (struct err){0};
        if (!api_corpus_load(x, x->params[0], corpus) || !change(x, corpus))
            return INVALID;
        corpus->version++;
        corpus->updated_at = x->now;
        if (job != NULL) {
            job->corpus_id = corpus->id;
            job->corpus_key = corpus->key;
        }
        const struct audit_event audit = api_audit(x, action, corpus->id);
        status = store_corpus_update(x->app->store, corpus, job, &audit, &revision, &x->err);
    }
    if (status == NOT_FOUND)
        reply_not_found(x, x->params[0]);
    else if (status != OK)
        reply_error(x, status);
    return status;
}

static bool read_update(struct exchange *x, struct corpus *corpus)
{
    return api_read_fields(x, corpus_fields, CORPUS_FIELD_COUNT, FIELD_UPDATE, corpus);
}

void api_corpus_update(struct exchange *x)
{
    struct corpus corpus;
    if (change_corpus(x, AUDIT_CORPUS_UPDATE, read_update, NULL, &corpus) == OK)
        reply_corpus(x, 200, &corpus);
}

static bool read_filter_attributes(struct exchange *x, struct corpus *corpus)
{
    return api_read_fields(x, corpus_filter_fields, CORPUS_FILTER_FIELD_COUNT, FIELD_CREATE,
                           corpus);
}

/* What the contract calls created_by_username: a user's name, else the caller's id. */
static struct span caller_name(struct exchange *x)
{
    struct principal user;
    int64_t snapshot;
    if (x->caller->kind == CALLER_USER &&
        store_principal_find(x->app->store, PRINCIPAL_USER, x->caller->id, &x->arena, &user,
                             &snapshot, &x->err) == OK)
        return user.name;
    return x->caller->id;
}

/* Nothing is indexed by them: they are in force at once, and the job is finished. */
void api_corpus_replace_filter_attributes(struct exchange *x)
{
    struct corpus corpus;
    struct job job = {
        .id = api_id_make(x, "job_"),
        .account_id = x->caller->account_id,
        .type = SPAN("replace_filter_attributes"),
        .state = SPAN("completed"),
        .created_by = caller_name(x),
        .created_at = x->now,
        .completed_at = x->now,
    };
    if (job.id.ptr == NULL) {
        reply_error(x, NO_MEMORY);
        return;
    }
    if (change_corpus(x, AUDIT_CORPUS_REPLACE_FILTER_ATTRIBUTES, read_filter_attributes, &job,
                      &corpus) != OK)
        return;
    struct json_writer writer = reply_json(x, 200);
    reply_header(x, SPAN("Cache-Control"), SPAN("no-store"));
    json_object_open(&writer);
    json_member_text(&writer, SPAN("job_id"), job.id);
    json_object_close(&writer);
}

/* After the corpus: nobody can name what a failure here leaves behind, and the next start sweeps it
 * away. */
static void drop_documents(struct exchange *x, const struct corpus *corpus)
{
    const struct documents_place place = {corpus->account_id, corpus->id};
    if (x->app->documents != NULL && documents_forget(x->app->documents, &place, &x->err) != OK)
        x->err = (struct err){0}; /* the corpus is gone all the same */
    reply_empty(x, 204);
}

void api_corpus_delete(struct exchange *x)
{
    struct corpus corpus;
    int64_t revision;
    if (!api_corpus_load(x, x->params[0], &corpus))
        return;
    const struct audit_event audit = api_audit(x, AUDIT_CORPUS_DELETE, corpus.id);
    enum status status = store_corpus_delete(x->app->store, corpus.account_id, corpus.key, &audit,
                                             &revision, &x->err);
    if (status == NOT_FOUND)
        reply_not_found(x, x->params[0]);
    else if (status != OK)
        reply_error(x, status);
    else
        drop_documents(x, &corpus);
}
