/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_document.h"

#include "api/api_common.h"
#include "api/api_corpus.h"
#include "api/api_document_fields.h"
#include "documents/documents.h"
#include "model/corpus.h"
#include "web/app.h"
#include "web/body.h"
#include "web/page.h"
#include "web/reply.h"

struct documents *api_document_store(struct exchange *x)
{
    struct documents *documents = x->app->documents;
    if (documents == NULL) {
        (void)fail(&x->err, NOT_FOUND, "Documents are switched off on this server.");
        reply_error(x, NOT_FOUND);
    }
    return documents;
}

bool api_document_admits(struct exchange *x, const struct corpus *corpus)
{
    if (!corpus->is_enabled) {
        (void)fail(&x->err, FORBIDDEN,
                   "The corpus %.*s is disabled: it takes no documents and no queries.",
                   SPAN_FMT(corpus->key));
        reply_error(x, FORBIDDEN);
    }
    return corpus->is_enabled;
}

struct documents_place api_document_place(const struct corpus *corpus)
{
    return (struct documents_place){corpus->account_id, corpus->id};
}

/* The documents and the corpus of the path. NULL: a reply is made. */
static struct documents *open_corpus(struct exchange *x, struct corpus *corpus)
{
    struct documents *documents = api_document_store(x);
    return documents != NULL && api_corpus_load(x, x->params[0], corpus) ? documents : NULL;
}

static void fail_document(struct exchange *x, enum status status)
{
    if (status == NOT_FOUND)
        reply_not_found(x, x->params[1]);
    else if (status == INVALID)
        reply_bad_field(x, SPAN("metadata"), x->err.detail);
    else
        reply_error(x, status);
}

/* --- Index --- */

static void reply_created(struct exchange *x, const struct document *document)
{
    size_t text_bytes = 0;
    size_t metadata_bytes = document->metadata.len;
    for (size_t i = 0; i < document->part_count; i++) {
        text_bytes += document->parts[i].text.len;
        metadata_bytes += document->parts[i].metadata.len;
    }
    struct json_writer writer = reply_json(x, 201);
    reply_header(x, SPAN("Cache-Control"), SPAN("no-store"));
    json_object_open(&writer);
    json_member_text(&writer, SPAN("id"), document->id);
    json_name(&writer, SPAN("metadata"));
    json_write_raw(&writer, document->metadata);
    json_name(&writer, SPAN("storage_usage"));
    json_object_open(&writer);
    json_member_int(&writer, SPAN("bytes_used"), (int64_t)text_bytes);
    json_member_int(&writer, SPAN("metadata_bytes_used"), (int64_t)metadata_bytes);
    json_object_close(&writer);
    json_name(&writer, SPAN("extraction_usage"));
    json_object_open(&writer);
    json_member_bool(&writer, SPAN("table_extraction_used"), false);
    json_object_close(&writer);
    json_object_close(&writer);
}

/* A corpus that is deleted meanwhile leaves the document behind, of a corpus that nobody can name
 * any more: ids never come back. The next start sweeps it away. */
void api_document_create(struct exchange *x)
{
    static const struct json_limits limits = {.depth_max = JSON_WRITER_DEPTH,
                                              .members_max = DOCUMENT_BODY_MEMBERS_MAX};
    AUTO(json) json_t *body = NULL;
    struct corpus corpus;
    struct document document;
    struct problems problems = {.arena = &x->arena};
    struct documents *documents = open_corpus(x, &corpus);
    if (documents == NULL || !api_document_admits(x, &corpus) ||
        body_json_object_within(x, &limits, &body) != OK)
        return;
    enum status status = api_document_read(body, &x->arena, &document, &problems);
    if (status == INVALID) {
        reply_bad_request(x, &problems);
        return;
    }
    document.created_at = x->now;
    const struct documents_place place = api_document_place(&corpus);
    if (status == OK)
        status = documents_add(documents, &place, &document, &x->err);
    if (status == OK)
        reply_created(x, &document);
    else
        reply_error(x, status);
}

/* --- Read --- */

static void write_head(struct json_writer *writer, const struct document *document)
{
    json_member_text(writer, SPAN("id"), document->id);
    json_name(writer, SPAN("metadata"));
    json_write_raw(writer, document->metadata);
}

/* The limit and page_key of a list. A key is of one corpus: its id stands where a filter would.
 * False: a reply is made. */
static bool read_page(struct exchange *x, const struct form *query, const struct corpus *corpus,
                      struct documents_page *page)
{
    struct span text;
    int64_t limit = PAGE_LIMIT_DEFAULT;
    enum status status = form_get(query, SPAN("limit"), &text);
    if (status != NOT_FOUND &&
        (status != OK || !span_to_int64(text, &limit) || limit < 1 || limit > DOCUMENTS_PAGE_MAX)) {
        reply_bad_field(x, SPAN("limit"), "must be a number from 1 to 1000, once");
        return false;
    }
    *page = (struct documents_page){.before_sequence = INT64_MAX, .limit = (size_t)limit};
    if (form_get(query, SPAN("metadata_filter"), &text) != NOT_FOUND) {
        reply_bad_field(x, SPAN("metadata_filter"),
                        "is not supported by this server: it has no filter language");
        return false;
    }
    status = form_get(query, SPAN("page_key"), &text);
    if (status == OK)
        status = page_key_read(x, corpus->id, text, &page->before_sequence);
    if (status == INVALID)
        reply_bad_field(x, SPAN("page_key"),
                        "is not one that this list gave out; start again without it");
    else if (status == NO_MEMORY)
        reply_error(x, status);
    return status == OK || status == NOT_FOUND;
}

void api_document_list(struct exchange *x)
{
    struct form query;
    struct corpus corpus;
    struct documents_page asked;
    struct documents_list list;
    struct documents *documents = open_corpus(x, &corpus);
    if (documents == NULL || query_parse(x, &query) != OK || !read_page(x, &query, &corpus, &asked))
        return;
    const struct documents_place place = api_document_place(&corpus);
    enum status status = documents_list(documents, &place, &asked, &x->arena, &list, &x->err);
    if (status != OK) {
        reply_error(x, status);
        return;
    }
    struct json_writer writer = api_list_begin(x, SPAN("documents"));
    for (size_t i = 0; i < list.count; i++) {
        json_object_open(&writer);
        write_head(&writer, &list.items[i]);
        json_object_close(&writer);
    }
    const struct page page = {.filter = corpus.id};
    api_list_end(x, &writer, &page, list.has_more,
                 list.count == 0 ? 0 : list.items[list.count - 1].sequence);
}

static void write_part(struct json_writer *writer, const struct document_part *part)
{
    json_object_open(writer);
    json_member_text(writer, SPAN("text"), part->text);
    json_name(writer, SPAN("metadata"));
    json_write_raw(writer, part->metadata);
    if (part->context.len > 0)
        json_member_text(writer, SPAN("context"), part->context);
    json_name(writer, SPAN("custom_dimensions"));
    json_write_raw(writer, part->custom_dimensions);
    json_object_close(writer);
}

void api_document_get(struct exchange *x)
{
    struct corpus corpus;
    struct document document;
    struct documents *documents = open_corpus(x, &corpus);
    if (documents == NULL)
        return;
    const struct documents_place place = api_document_place(&corpus);
    enum status status =
        documents_get(documents, &place, x->params[1], &x->arena, &document, &x->err);
    if (status != OK) {
        fail_document(x, status);
        return;
    }
    struct json_writer writer = reply_json(x, 200);
    reply_header(x, SPAN("Cache-Control"), SPAN("no-store"));
    json_object_open(&writer);
    write_head(&writer, &document);
    json_name(&writer, SPAN("parts"));
    json_array_open(&writer);
    for (size_t i = 0; i < document.part_count; i++)
        write_part(&writer, &document.parts[i]);
    json_array_close(&writer);
    json_object_close(&writer);
}

/* --- Change --- */

static void set_metadata(struct exchange *x, bool merges)
{
    AUTO(json) json_t *body = NULL;
    struct corpus corpus;
    struct document document;
    struct problems problems = {.arena = &x->arena};
    struct documents *documents = open_corpus(x, &corpus);
    if (documents == NULL || body_json_object(x, &body) != OK)
        return;
    const struct documents_metadata change = {
        .id = x->params[1],
        .metadata = api_document_read_metadata(body, &x->arena, &problems),
        .merges = merges,
    };
    if (problems.count > 0) {
        reply_bad_request(x, &problems);
        return;
    }
    const struct documents_place place = api_document_place(&corpus);
    enum status status =
        documents_set_metadata(documents, &place, &change, &x->arena, &document, &x->err);
    if (status != OK) {
        fail_document(x, status);
        return;
    }
    struct json_writer writer = reply_json(x, 200);
    reply_header(x, SPAN("Cache-Control"), SPAN("no-store"));
    json_object_open(&writer);
    write_head(&writer, &document);
    json_object_close(&writer);
}

void api_document_merge_metadata(struct exchange *x)
{
    set_metadata(x, true);
}

void api_document_replace_metadata(struct exchange *x)
{
    set_metadata(x, false);
}

void api_document_delete(struct exchange *x)
{
    struct corpus corpus;
    struct documents *documents = open_corpus(x, &corpus);
    if (documents == NULL)
        return;
    const struct documents_place place = api_document_place(&corpus);
    enum status status = documents_delete(documents, &place, x->params[1], &x->err);
    if (status != OK)
        fail_document(x, status);
    else
        reply_empty(x, 204);
}
