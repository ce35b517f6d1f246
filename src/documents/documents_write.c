/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"
#include "codec/json.h"
#include "codec/utf8.h"
#include "documents/documents_internal.h"

static const char insert_corpus[] =
    "INSERT INTO corpus (number, account_id, id) "
    "VALUES ((SELECT COALESCE(MAX(number), 0) + 1 FROM corpus), :account_id, :id)";
static const char select_sequences[] = "SELECT (SELECT COALESCE(MAX(sequence), 0) FROM document), "
                                       "(SELECT COALESCE(MAX(sequence), 0) FROM part)";
static const char insert_document[] =
    "INSERT INTO document (sequence, corpus, id, metadata, parts, characters, "
    "metadata_characters, created_at) "
    "VALUES (:sequence, :corpus, :id, :metadata, :parts, :characters, "
    ":metadata_characters, :created_at)";
static const char insert_part[] =
    "INSERT INTO part (sequence, document, position, text, metadata, context, custom_dimensions) "
    "VALUES (:sequence, :document, :position, :text, :metadata, :context, :custom_dimensions)";
static const char insert_words[] = "INSERT INTO part_index (rowid, corpus, text) "
                                   "VALUES (:sequence, :corpus, :text)";
static const char select_document[] =
    "SELECT sequence, metadata, metadata_characters, created_at FROM document "
    "WHERE corpus = :corpus AND id = :id";
static const char update_metadata[] =
    "UPDATE document SET metadata = :metadata, metadata_characters = :metadata_characters "
    "WHERE sequence = :sequence";
static const char delete_words[] = "INSERT INTO part_index (part_index, rowid, corpus, text) "
                                   "SELECT 'delete', part.sequence, document.corpus, part.text "
                                   "FROM part JOIN document ON document.sequence = part.document "
                                   "WHERE part.document = :document";
static const char delete_parts[] = "DELETE FROM part WHERE document = :document";
static const char delete_document[] = "DELETE FROM document WHERE sequence = :document";
static const char delete_words_of_all[] =
    "INSERT INTO part_index (part_index, rowid, corpus, text) "
    "SELECT 'delete', part.sequence, document.corpus, part.text "
    "FROM document JOIN part ON part.document = document.sequence "
    "WHERE document.corpus = :corpus";
static const char delete_parts_of_all[] =
    "DELETE FROM part WHERE document IN (SELECT sequence FROM document WHERE corpus = :corpus)";
static const char delete_all[] = "DELETE FROM document WHERE corpus = :corpus";
static const char delete_corpus[] = "DELETE FROM corpus WHERE number = :corpus";

static int64_t characters(struct span text)
{
    return (int64_t)utf8_length(text);
}

/* --- Add --- */

struct addition {
    const struct documents_place *place;
    const struct document *document;
    int64_t corpus;
    int64_t document_sequence;
    int64_t part_sequence; /* the last one taken */
};

static enum status find_or_add_corpus(struct sql_conn *conn, const struct documents_place *place,
                                      int64_t *ret_number, struct err *err)
{
    enum status status = documents_number(conn, place, ret_number, err);
    if (status != NOT_FOUND)
        return status;
    struct sql_stmt *stmt = sql_prepare(conn, insert_corpus);
    sql_bind_text(stmt, ":account_id", place->account_id);
    sql_bind_text(stmt, ":id", place->corpus_id);
    status = sql_run(stmt, NULL, err);
    return status == OK ? documents_number(conn, place, ret_number, err) : status;
}

/* Numbers of the newest rows may come again when those are deleted: a cursor only looks down. */
static enum status take_sequences(struct sql_conn *conn, struct addition *addition, struct err *err)
{
    struct sql_stmt *row = sql_prepare(conn, select_sequences);
    if (sql_next(row)) {
        addition->document_sequence = sql_get_int64(row) + 1;
        addition->part_sequence = sql_get_int64(row);
    }
    return sql_end(row, err);
}

static enum status add_row(struct sql_conn *conn, const struct addition *addition, struct err *err)
{
    const struct document *document = addition->document;
    int64_t text = 0;
    int64_t metadata = characters(document->metadata);
    for (size_t i = 0; i < document->part_count; i++) {
        text += characters(document->parts[i].text);
        metadata += characters(document->parts[i].metadata);
    }
    struct sql_stmt *stmt = sql_prepare(conn, insert_document);
    sql_bind_int64(stmt, ":sequence", addition->document_sequence);
    sql_bind_int64(stmt, ":corpus", addition->corpus);
    sql_bind_text(stmt, ":id", document->id);
    sql_bind_text(stmt, ":metadata", document->metadata);
    sql_bind_int64(stmt, ":parts", (int64_t)document->part_count);
    sql_bind_int64(stmt, ":characters", text);
    sql_bind_int64(stmt, ":metadata_characters", metadata);
    sql_bind_int64(stmt, ":created_at", document->created_at);
    return sql_run(stmt, NULL, err);
}

static enum status add_part(struct sql_conn *conn, struct addition *addition, size_t position,
                            struct err *err)
{
    const struct document_part *part = &addition->document->parts[position];
    struct sql_stmt *stmt = sql_prepare(conn, insert_part);
    sql_bind_int64(stmt, ":sequence", ++addition->part_sequence);
    sql_bind_int64(stmt, ":document", addition->document_sequence);
    sql_bind_int64(stmt, ":position", (int64_t)position);
    sql_bind_text(stmt, ":text", part->text);
    sql_bind_text(stmt, ":metadata", part->metadata);
    sql_bind_text(stmt, ":context", part->context);
    sql_bind_text(stmt, ":custom_dimensions", part->custom_dimensions);
    enum status status = sql_run(stmt, NULL, err);
    if (status != OK)
        return status;
    struct sql_stmt *words = sql_prepare(conn, insert_words);
    sql_bind_int64(words, ":sequence", addition->part_sequence);
    sql_bind_int64(words, ":corpus", addition->corpus);
    sql_bind_text(words, ":text", part->text);
    return sql_run(words, NULL, err);
}

static enum status add(void *context, struct sql_conn *conn, struct err *err)
{
    struct addition *addition = context;
    enum status status = find_or_add_corpus(conn, addition->place, &addition->corpus, err);
    if (status == OK)
        status = take_sequences(conn, addition, err);
    if (status == OK)
        status = add_row(conn, addition, err);
    for (size_t i = 0; status == OK && i < addition->document->part_count; i++)
        status = add_part(conn, addition, i, err);
    return status;
}

enum status documents_add(struct documents *documents, const struct documents_place *place,
                          const struct document *document, struct err *err)
{
    struct addition addition = {.place = place, .document = document};
    const struct sql_write write = {.body = add, .context = &addition};
    return sql_pool_write(documents->pool, &write, err);
}

/* --- Metadata --- */

struct alteration {
    const struct documents_place *place;
    const struct documents_metadata *change;
    struct arena *arena;
    struct document *document;
    int64_t metadata_characters; /* of the document and its parts, as it was */
};

/* documents_number() and the row. NOT_FOUND. */
static enum status find(struct sql_conn *conn, struct alteration *alteration, struct err *err)
{
    struct document *document = alteration->document;
    int64_t corpus;
    enum status status = documents_number(conn, alteration->place, &corpus, err);
    if (status != OK)
        return status;
    struct sql_stmt *row = sql_prepare(conn, select_document);
    sql_bind_int64(row, ":corpus", corpus);
    sql_bind_text(row, ":id", alteration->change->id);
    bool is_found = sql_next(row);
    if (is_found) {
        document->sequence = sql_get_int64(row);
        document->metadata = sql_get_text(row, alteration->arena);
        alteration->metadata_characters = sql_get_int64(row);
        document->created_at = sql_get_int64(row);
        document->id = alteration->change->id;
    }
    status = sql_end(row, err);
    return status == OK && !is_found ? NOT_FOUND : status;
}

/* Both texts were checked when they were taken in: they are bounded by their length alone. */
static const struct json_limits metadata_limits = {.depth_max = JSON_WRITER_DEPTH,
                                                   .members_max = DOCUMENT_METADATA_BYTES_MAX};

static enum status merge(struct span old, struct span change, struct arena *arena,
                         struct span *ret_text, struct err *err)
{
    AUTO(json) json_t *base = NULL;
    AUTO(json) json_t *over = NULL;
    enum status status = json_parse(old, &metadata_limits, &base, err);
    if (status == OK)
        status = json_parse(change, &metadata_limits, &over, err);
    if (status != OK)
        return status;
    if (json_object_update(base, over) != 0)
        return fail(err, NO_MEMORY, "no memory for metadata");
    size_t len = json_dumpb(base, NULL, 0, JSON_COMPACT);
    if (len > DOCUMENT_METADATA_BYTES_MAX)
        return fail(err, INVALID, "must be at most %d bytes with what there is",
                    DOCUMENT_METADATA_BYTES_MAX);
    char *text = arena_alloc(arena, len);
    if (text == NULL || json_dumpb(base, text, len, JSON_COMPACT) != len)
        return fail(err, NO_MEMORY, "no memory for metadata");
    *ret_text = span_of(text, len);
    return OK;
}

static enum status set_metadata(void *context, struct sql_conn *conn, struct err *err)
{
    struct alteration *alteration = context;
    const struct documents_metadata *change = alteration->change;
    struct document *document = alteration->document;
    enum status status = find(conn, alteration, err);
    if (status != OK)
        return status;
    struct span metadata = change->metadata;
    if (change->merges)
        status = merge(document->metadata, change->metadata, alteration->arena, &metadata, err);
    if (status != OK)
        return status;
    int64_t total = alteration->metadata_characters - characters(document->metadata);
    document->metadata = metadata;
    struct sql_stmt *stmt = sql_prepare(conn, update_metadata);
    sql_bind_int64(stmt, ":sequence", document->sequence);
    sql_bind_text(stmt, ":metadata", metadata);
    sql_bind_int64(stmt, ":metadata_characters", total + characters(metadata));
    return sql_run(stmt, NULL, err);
}

enum status documents_set_metadata(struct documents *documents, const struct documents_place *place,
                                   const struct documents_metadata *change, struct arena *arena,
                                   struct document *ret_document, struct err *err)
{
    struct document document = {0};
    struct alteration alteration = {place, change, arena, &document, 0};
    const struct sql_write write = {.body = set_metadata, .context = &alteration};
    enum status status = sql_pool_write(documents->pool, &write, err);
    if (status == OK)
        *ret_document = document;
    return status;
}

/* --- Delete --- */

static enum status run_on(struct sql_conn *conn, const char *text, const char *name, int64_t number,
                          struct err *err)
{
    struct sql_stmt *stmt = sql_prepare(conn, text);
    sql_bind_int64(stmt, name, number);
    return sql_run(stmt, NULL, err);
}

static enum status delete_one(void *context, struct sql_conn *conn, struct err *err)
{
    static const char *const texts[] = {delete_words, delete_parts, delete_document};
    struct alteration *alteration = context;
    enum status status = find(conn, alteration, err);
    for (size_t i = 0; status == OK && i < ARRAY_LEN(texts); i++)
        status = run_on(conn, texts[i], ":document", alteration->document->sequence, err);
    return status;
}

enum status documents_delete(struct documents *documents, const struct documents_place *place,
                             struct span id, struct err *err)
{
    AUTO(arena) struct arena arena;
    arena_init(&arena, (size_t)4 * DOCUMENT_METADATA_BYTES_MAX);
    struct document document;
    const struct documents_metadata named = {.id = id};
    struct alteration deletion = {place, &named, &arena, &document, 0};
    const struct sql_write write = {.body = delete_one, .context = &deletion};
    return sql_pool_write(documents->pool, &write, err);
}

struct clearance {
    const struct documents_place *place;
    bool forgets;
};

static enum status clear(void *context, struct sql_conn *conn, struct err *err)
{
    static const char *const texts[] = {delete_words_of_all, delete_parts_of_all, delete_all};
    const struct clearance *clearance = context;
    int64_t corpus;
    enum status status = documents_number(conn, clearance->place, &corpus, err);
    if (status != OK)
        return status == NOT_FOUND ? OK : status;
    for (size_t i = 0; status == OK && i < ARRAY_LEN(texts); i++)
        status = run_on(conn, texts[i], ":corpus", corpus, err);
    if (status == OK && clearance->forgets)
        status = run_on(conn, delete_corpus, ":corpus", corpus, err);
    return status;
}

enum status documents_reset(struct documents *documents, const struct documents_place *place,
                            struct err *err)
{
    struct clearance clearance = {.place = place};
    const struct sql_write write = {.body = clear, .context = &clearance};
    return sql_pool_write(documents->pool, &write, err);
}

enum status documents_forget(struct documents *documents, const struct documents_place *place,
                             struct err *err)
{
    struct clearance clearance = {.place = place, .forgets = true};
    const struct sql_write write = {.body = clear, .context = &clearance};
    return sql_pool_write(documents->pool, &write, err);
}
