/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"
#include "documents/documents_internal.h"

#include <assert.h>

#define DOCUMENT_COLUMNS "id, metadata, parts, created_at, sequence "

static const char select_document[] = "SELECT " DOCUMENT_COLUMNS "FROM document "
                                      "WHERE corpus = :corpus AND id = :id";
static const char select_page[] = "SELECT " DOCUMENT_COLUMNS "FROM document "
                                  "WHERE corpus = :corpus AND sequence < :before_sequence "
                                  "ORDER BY sequence DESC LIMIT :rows";
static const char select_parts[] = "SELECT text, metadata, context, custom_dimensions FROM part "
                                   "WHERE document = :document ORDER BY position";
static const char select_size[] =
    "SELECT COUNT(*), COALESCE(SUM(parts), 0), COALESCE(SUM(characters), 0), "
    "COALESCE(SUM(metadata_characters), 0) FROM document WHERE corpus = :corpus";

static void read_document(struct sql_stmt *row, struct arena *arena, struct document *ret_document)
{
    *ret_document = (struct document){0};
    ret_document->id = sql_get_text(row, arena);
    ret_document->metadata = sql_get_text(row, arena);
    ret_document->part_count = (size_t)sql_get_int64(row);
    ret_document->created_at = sql_get_int64(row);
    ret_document->sequence = sql_get_int64(row);
}

/* --- Get --- */

static enum status read_parts(struct sql_conn *conn, struct arena *arena, struct document *document,
                              struct err *err)
{
    document->parts = arena_zalloc(arena, document->part_count, sizeof *document->parts);
    if (document->parts == NULL)
        return fail(err, NO_MEMORY, "no memory for a document's parts");
    size_t count = 0;
    struct sql_stmt *row = sql_prepare(conn, select_parts);
    sql_bind_int64(row, ":document", document->sequence);
    while (count < document->part_count && sql_next(row)) {
        struct document_part *part = &document->parts[count++];
        part->text = sql_get_text(row, arena);
        part->metadata = sql_get_text(row, arena);
        part->context = sql_get_text(row, arena);
        part->custom_dimensions = sql_get_text(row, arena);
    }
    enum status status = sql_end(row, err);
    if (status == OK && count < document->part_count)
        return fail(err, CORRUPT, "a document has lost parts");
    return status;
}

enum status documents_get(struct documents *documents, const struct documents_place *place,
                          struct span id, struct arena *arena, struct document *ret_document,
                          struct err *err)
{
    AUTO(documents_reader) struct documents_reader reader = {0};
    int64_t corpus;
    enum status status = documents_read(documents, &reader, err);
    if (status == OK)
        status = documents_number(reader.conn, place, &corpus, err);
    if (status != OK)
        return status;
    struct document document = {0};
    struct sql_stmt *row = sql_prepare(reader.conn, select_document);
    sql_bind_int64(row, ":corpus", corpus);
    sql_bind_text(row, ":id", id);
    bool is_found = sql_next(row);
    if (is_found)
        read_document(row, arena, &document);
    status = sql_end(row, err);
    if (status != OK)
        return status;
    if (!is_found)
        return NOT_FOUND;
    status = read_parts(reader.conn, arena, &document, err);
    if (status == OK)
        *ret_document = document;
    return status;
}

/* --- List --- */

static enum status read_page(struct sql_conn *conn, int64_t corpus,
                             const struct documents_page *page, struct arena *arena,
                             struct documents_list *list, struct err *err)
{
    size_t bytes = 0;
    struct sql_stmt *row = sql_prepare(conn, select_page);
    sql_bind_int64(row, ":corpus", corpus);
    sql_bind_int64(row, ":before_sequence", page->before_sequence);
    sql_bind_int64(row, ":rows", (int64_t)page->limit + 1);
    while (!list->has_more && sql_next(row)) {
        list->has_more = list->count == page->limit || bytes > DOCUMENTS_ANSWER_BYTES_MAX;
        if (list->has_more)
            break;
        struct document *document = &list->items[list->count++];
        read_document(row, arena, document);
        bytes += document->id.len + document->metadata.len;
    }
    return sql_end(row, err);
}

enum status documents_list(struct documents *documents, const struct documents_place *place,
                           const struct documents_page *page, struct arena *arena,
                           struct documents_list *ret_list, struct err *err)
{
    assert(page->limit > 0 && page->limit <= DOCUMENTS_PAGE_MAX);
    struct documents_list list = {.items = arena_zalloc(arena, page->limit, sizeof *list.items)};
    if (list.items == NULL)
        return fail(err, NO_MEMORY, "no memory for a page of %zu documents", page->limit);
    AUTO(documents_reader) struct documents_reader reader = {0};
    int64_t corpus;
    enum status status = documents_read(documents, &reader, err);
    if (status == OK)
        status = documents_number(reader.conn, place, &corpus, err);
    if (status == OK)
        status = read_page(reader.conn, corpus, page, arena, &list, err);
    if (status != OK && status != NOT_FOUND)
        return status;
    *ret_list = list;
    return OK;
}

/* --- Size --- */

enum status documents_measure(struct documents *documents, const struct documents_place *place,
                              struct documents_size *ret_size, struct err *err)
{
    AUTO(documents_reader) struct documents_reader reader = {0};
    int64_t corpus;
    *ret_size = (struct documents_size){0};
    enum status status = documents_read(documents, &reader, err);
    if (status == OK)
        status = documents_number(reader.conn, place, &corpus, err);
    if (status != OK)
        return status == NOT_FOUND ? OK : status;
    struct sql_stmt *row = sql_prepare(reader.conn, select_size);
    sql_bind_int64(row, ":corpus", corpus);
    if (sql_next(row)) {
        ret_size->documents = sql_get_int64(row);
        ret_size->parts = sql_get_int64(row);
        ret_size->characters = sql_get_int64(row);
        ret_size->metadata_characters = sql_get_int64(row);
    }
    return sql_end(row, err);
}
