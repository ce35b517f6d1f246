/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies that index a document: what is taken is within the stated limits, in whole characters, and
 * JSON where it says so. The same bytes are read as the body of a query. */
#include "api/api_document_fields.h"
#include "api/api_query_fields.h"
#include "base/arena.h"
#include "codec/json.h"
#include "codec/utf8.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_BYTES = 16 << 20, INPUT_BYTES_MAX = 1 << 16 };

static const struct json_limits limits = {.depth_max = JSON_WRITER_DEPTH,
                                          .members_max = DOCUMENT_BODY_MEMBERS_MAX};
static const struct json_limits kept_limits = {.depth_max = JSON_WRITER_DEPTH,
                                               .members_max = DOCUMENT_METADATA_BYTES_MAX};

static void check_object(struct span text)
{
    AUTO(json) json_t *object = NULL;
    enum status status = json_parse(text, &kept_limits, &object, NULL);
    assert(status == OK && json_is_object(object));
}

static void check_document(const struct document *document)
{
    size_t bytes = 0;
    assert(document->id.len > 0 && document->id.len <= DOCUMENT_ID_LEN_MAX);
    assert(utf8_is_plain(document->id));
    assert(document->metadata.len <= DOCUMENT_METADATA_BYTES_MAX);
    assert(document->part_count > 0 && document->part_count <= DOCUMENT_PARTS_MAX);
    check_object(document->metadata);
    for (size_t i = 0; i < document->part_count; i++) {
        const struct document_part *part = &document->parts[i];
        assert(part->text.len > 0 && part->text.len <= DOCUMENT_PART_TEXT_BYTES_MAX);
        assert(utf8_is_valid(part->text) && utf8_is_valid(part->context));
        check_object(part->metadata);
        check_object(part->custom_dimensions);
        bytes += part->text.len + part->context.len;
    }
    assert(bytes <= DOCUMENT_TEXT_BYTES_MAX);
}

static void read_query(const json_t *body, enum api_query_corpora corpora, struct arena *arena)
{
    struct api_query query;
    struct problems problems = {.arena = arena};
    enum status status = api_query_read(body, corpora, arena, &query, &problems);
    assert(status == OK || (status == INVALID && problems.count > 0));
    if (status != OK)
        return;
    assert(query.limit >= 1 && query.limit <= DOCUMENTS_HITS_MAX);
    assert(query.offset >= 0 && query.offset <= DOCUMENTS_OFFSET_MAX);
    assert(query.corpus_count >= 1 && query.corpus_count <= DOCUMENTS_CORPORA_MAX);
    for (size_t i = 0; i < query.corpus_count; i++)
        assert(query.corpora[i].text.len > 0 &&
               utf8_length(query.corpora[i].text) <= QUERY_CHARACTERS_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(json) json_t *body = NULL;
    AUTO(arena) struct arena arena;
    arena_init(&arena, ARENA_BYTES);
    struct document document;
    struct problems problems = {.arena = &arena};
    if (size > INPUT_BYTES_MAX || json_parse(span_of(data, size), &limits, &body, NULL) != OK ||
        !json_is_object(body))
        return 0;
    enum status status = api_document_read(body, &arena, &document, &problems);
    assert(status == OK || (status == INVALID && problems.count > 0));
    if (status == OK)
        check_document(&document);
    read_query(body, API_QUERY_ONE, &arena);
    read_query(body, API_QUERY_MANY, &arena);
    return 0;
}
