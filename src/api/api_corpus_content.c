/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_corpus_content.h"

#include "api/api_common.h"
#include "api/api_corpus.h"
#include "api/api_document.h"
#include "documents/documents.h"
#include "model/corpus.h"
#include "store/store.h"
#include "web/app.h"
#include "web/reply.h"

void api_corpus_reset(struct exchange *x)
{
    struct corpus corpus;
    struct documents *documents = api_document_store(x);
    if (documents == NULL || !api_corpus_load(x, x->params[0], &corpus))
        return;
    const struct documents_place place = api_document_place(&corpus);
    const struct audit_event audit = api_audit(x, AUDIT_CORPUS_RESET, corpus.id);
    enum status status = store_audit_add(x->app->store, &audit, &x->err);
    if (status == OK)
        status = documents_reset(documents, &place, &x->err);
    if (status != OK)
        reply_error(x, status);
    else
        reply_empty(x, 204);
}

void api_corpus_compute_size(struct exchange *x)
{
    struct corpus corpus;
    struct documents_size size;
    struct documents *documents = api_document_store(x);
    if (documents == NULL || !api_corpus_load(x, x->params[0], &corpus))
        return;
    const struct documents_place place = api_document_place(&corpus);
    enum status status = documents_measure(documents, &place, &size, &x->err);
    if (status != OK) {
        reply_error(x, status);
        return;
    }
    struct json_writer writer = reply_json(x, 200);
    reply_header(x, SPAN("Cache-Control"), SPAN("no-store"));
    json_object_open(&writer);
    json_member_int(&writer, SPAN("used_docs"), size.documents);
    json_member_int(&writer, SPAN("used_parts"), size.parts);
    json_member_int(&writer, SPAN("used_characters"), size.characters);
    json_member_int(&writer, SPAN("used_metadata_characters"), size.metadata_characters);
    json_object_close(&writer);
}

/* A path that did not exist would read as a corpus that does not; clients repeat a 501. */
void api_corpus_upload_file(struct exchange *x)
{
    struct corpus corpus;
    if (api_document_store(x) == NULL || !api_corpus_load(x, x->params[0], &corpus))
        return;
    (void)fail(&x->err, UNSUPPORTED,
               "This server takes no files: send the text itself to the corpus's documents.");
    reply_error(x, UNSUPPORTED);
}
