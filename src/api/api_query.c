/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_query.h"

#include "api/api_corpus.h"
#include "api/api_document.h"
#include "api/api_query_fields.h"
#include "authz/permission.h"
#include "documents/documents.h"
#include "model/corpus.h"
#include "web/body.h"
#include "web/reply.h"

/* What is searched, by corpora that were loaded. */
struct scopes {
    struct documents_scope items[DOCUMENTS_CORPORA_MAX];
    struct span keys[DOCUMENTS_CORPORA_MAX];
    size_t count;
};

/* False: a reply is made; one corpus that may not be searched fails the whole query. */
static bool add_scope(struct exchange *x, struct scopes *scopes, struct span key, struct span text)
{
    struct corpus corpus;
    if (!api_corpus_load(x, key, &corpus) || !api_document_admits(x, &corpus))
        return false;
    scopes->items[scopes->count] = (struct documents_scope){corpus.id, text};
    scopes->keys[scopes->count] = corpus.key;
    scopes->count++;
    return true;
}

static void write_score(struct json_writer *writer, struct arena *arena, double score)
{
    struct span text = arena_printf(arena, "%.9f", score);
    json_name(writer, SPAN("score"));
    json_write_raw(writer, text.ptr == NULL ? SPAN("0") : text);
}

static void write_hit(struct exchange *x, struct json_writer *writer, const struct scopes *scopes,
                      const struct documents_hit *hit)
{
    json_object_open(writer);
    json_member_text(writer, SPAN("result_type"), SPAN("text"));
    json_member_text(writer, SPAN("text"), hit->text);
    write_score(writer, &x->arena, hit->score);
    json_name(writer, SPAN("part_metadata"));
    json_write_raw(writer, hit->part_metadata);
    json_name(writer, SPAN("document_metadata"));
    json_write_raw(writer, hit->document_metadata);
    json_member_text(writer, SPAN("document_id"), hit->document_id);
    json_member_text(writer, SPAN("corpus_key"), scopes->keys[hit->scope]);
    json_member_int(writer, SPAN("request_corpora_index"), (int64_t)hit->scope);
    json_object_close(writer);
}

static void search(struct exchange *x, struct documents *documents, const struct scopes *scopes,
                   const struct api_query *query)
{
    const struct documents_search asked = {
        .account_id = x->caller->account_id,
        .scopes = scopes->items,
        .scope_count = scopes->count,
        .limit = query->limit,
        .offset = query->offset,
    };
    struct documents_hit *hits;
    size_t count;
    enum status status = documents_search(documents, &asked, &x->arena, &hits, &count, &x->err);
    if (status == INVALID)
        reply_bad_field(x, SPAN("query"), x->err.detail);
    else if (status != OK)
        reply_error(x, status);
    if (status != OK)
        return;
    struct json_writer writer = reply_json(x, 200);
    reply_header(x, SPAN("Cache-Control"), SPAN("no-store"));
    json_object_open(&writer);
    json_name(&writer, SPAN("search_results"));
    json_array_open(&writer);
    for (size_t i = 0; i < count; i++)
        write_hit(x, &writer, scopes, &hits[i]);
    json_array_close(&writer);
    json_object_close(&writer);
}

/* The keys stand in the body: one that does not read is 400 before any corpus is looked for. */
void api_query_corpora(struct exchange *x)
{
    AUTO(json) json_t *body = NULL;
    struct problems problems = {.arena = &x->arena};
    struct api_query query;
    struct scopes scopes = {.count = 0};
    struct documents *documents = api_document_store(x);
    if (documents == NULL || body_json_object(x, &body) != OK)
        return;
    if (api_query_read(body, API_QUERY_MANY, &x->arena, &query, &problems) != OK) {
        reply_bad_request(x, &problems);
        return;
    }
    for (size_t i = 0; i < query.corpus_count; i++) {
        if (!add_scope(x, &scopes, query.corpora[i].key, query.corpora[i].text))
            return;
    }
    search(x, documents, &scopes, &query);
}

void api_query_corpus(struct exchange *x)
{
    AUTO(json) json_t *body = NULL;
    struct problems problems = {.arena = &x->arena};
    struct api_query query;
    struct scopes scopes = {.count = 0};
    struct documents *documents = api_document_store(x);
    if (documents == NULL || !add_scope(x, &scopes, x->params[0], (struct span){0}) ||
        body_json_object(x, &body) != OK)
        return;
    if (api_query_read(body, API_QUERY_ONE, &x->arena, &query, &problems) != OK) {
        reply_bad_request(x, &problems);
        return;
    }
    scopes.items[0].text = query.corpora[0].text;
    search(x, documents, &scopes, &query);
}

void api_query_corpus_simple(struct exchange *x)
{
    struct form form;
    struct problems problems = {.arena = &x->arena};
    struct api_query query;
    struct scopes scopes = {.count = 0};
    struct documents *documents = api_document_store(x);
    if (documents == NULL || !add_scope(x, &scopes, x->params[0], (struct span){0}) ||
        query_parse(x, &form) != OK)
        return;
    if (api_query_read_form(&form, &query, &problems) != OK) {
        reply_bad_request(x, &problems);
        return;
    }
    scopes.items[0].text = query.corpora[0].text;
    search(x, documents, &scopes, &query);
}
