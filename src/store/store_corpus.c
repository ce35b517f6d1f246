/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_internal.h"

#include "base/arena.h"

#include <stdlib.h>

/* name and description first: the page filter reads them. */
#define CORPUS_COLUMNS                                                                             \
    "name, description, id, key, account_id, is_enabled, save_history, queries_are_answers, "      \
    "documents_are_questions, encoder_id, encoder_name, filter_attributes, custom_dimensions, "    \
    "version, sequence, created_at, updated_at "

static const char insert_corpus[] =
    "INSERT INTO corpus (" CORPUS_COLUMNS ") "
    "VALUES (:name, :description, :id, :key, :account_id, :is_enabled, :save_history, "
    ":queries_are_answers, :documents_are_questions, :encoder_id, :encoder_name, "
    ":filter_attributes, :custom_dimensions, :version, :sequence, :created_at, :updated_at)";
static const char get_corpus[] = "SELECT " CORPUS_COLUMNS "FROM corpus "
                                 "WHERE account_id = :account_id AND key = :key";
static const char get_corpus_at[] = "SELECT " CORPUS_COLUMNS "FROM corpus "
                                    "WHERE account_id = :account_id AND sequence = :sequence";
static const char list_corpora[] = "SELECT " CORPUS_COLUMNS "FROM corpus "
                                   "WHERE account_id = :account_id AND sequence < :before_sequence "
                                   "ORDER BY sequence DESC LIMIT :rows";
static const char find_place[] =
    "SELECT sequence FROM corpus "
    "WHERE account_id = :account_id AND id = :id AND sequence < :before_sequence";
static const char find_id[] = "SELECT id FROM corpus "
                              "WHERE account_id = :account_id AND key = :key";
static const char update_corpus[] =
    "UPDATE corpus SET name = :name, description = :description, is_enabled = :is_enabled, "
    "save_history = :save_history, filter_attributes = :filter_attributes, version = :version, "
    "updated_at = :updated_at "
    "WHERE account_id = :account_id AND id = :id AND version = :version - 1";
static const char delete_corpus[] = "DELETE FROM corpus "
                                    "WHERE account_id = :account_id AND key = :key";

/* --- Create --- */

struct creation {
    const struct corpus *corpus;
    const struct store_idempotency *idempotency;
    const struct audit_event *audit;
    struct arena *arena;
    struct span existing_id;
};

static enum status insert(struct store_tx *tx, const struct corpus *corpus, struct err *err)
{
    struct sql_stmt *stmt = sql_prepare(tx->conn, insert_corpus);
    sql_bind_text(stmt, ":name", corpus->name);
    if (corpus->has_description)
        sql_bind_text(stmt, ":description", corpus->description);
    else
        sql_bind_null(stmt, ":description");
    sql_bind_text(stmt, ":id", corpus->id);
    sql_bind_text(stmt, ":key", corpus->key);
    sql_bind_text(stmt, ":account_id", corpus->account_id);
    sql_bind_bool(stmt, ":is_enabled", corpus->is_enabled);
    sql_bind_bool(stmt, ":save_history", corpus->save_history);
    sql_bind_bool(stmt, ":queries_are_answers", corpus->queries_are_answers);
    sql_bind_bool(stmt, ":documents_are_questions", corpus->documents_are_questions);
    sql_bind_text(stmt, ":encoder_id", corpus->encoder_id);
    sql_bind_text(stmt, ":encoder_name", corpus->encoder_name);
    sql_bind_text(stmt, ":filter_attributes", corpus->filter_attributes);
    sql_bind_text(stmt, ":custom_dimensions", corpus->custom_dimensions);
    sql_bind_int64(stmt, ":version", corpus->version);
    sql_bind_int64(stmt, ":sequence", tx->change.revision);
    sql_bind_int64(stmt, ":created_at", corpus->created_at);
    sql_bind_int64(stmt, ":updated_at", corpus->updated_at);
    return sql_run(stmt, NULL, err);
}

static enum status create(struct store_tx *tx, void *context, struct err *err)
{
    struct creation *creation = context;
    const struct corpus *corpus = creation->corpus;
    struct store_made made = {corpus->account_id, SPAN("corpus"), corpus->id, corpus->created_at};
    enum status status =
        store_idempotency_find(tx, made.account_id, made.kind, creation->idempotency,
                               creation->arena, &creation->existing_id, err);
    if (status != OK || creation->existing_id.len > 0)
        return status;
    const struct store_change change = {
        .account_id = made.account_id, .kind = made.kind, .id = made.id};
    status = store_change_add(tx, &change, creation->audit, err);
    if (status == OK)
        status = insert(tx, corpus, err);
    return status == OK ? store_idempotency_add(tx, creation->idempotency, &made, err) : status;
}

enum status store_corpus_create(struct store *store, const struct corpus *corpus,
                                const struct store_idempotency *idempotency,
                                const struct audit_event *audit, struct arena *arena,
                                struct span *ret_existing_id, int64_t *ret_revision,
                                struct err *err)
{
    struct creation creation = {corpus, idempotency, audit, arena, {0}};
    enum status status = store_write(store, create, &creation, ret_revision, err);
    if (status == OK)
        *ret_existing_id = creation.existing_id;
    return status;
}

/* --- Read --- */

static void read_corpus(struct sql_stmt *row, struct arena *arena, struct corpus *ret_corpus)
{
    *ret_corpus = (struct corpus){0};
    ret_corpus->name = sql_get_text(row, arena);
    ret_corpus->has_description = sql_get_text_or_null(row, arena, &ret_corpus->description);
    ret_corpus->id = sql_get_text(row, arena);
    ret_corpus->key = sql_get_text(row, arena);
    ret_corpus->account_id = sql_get_text(row, arena);
    ret_corpus->is_enabled = sql_get_bool(row);
    ret_corpus->save_history = sql_get_bool(row);
    ret_corpus->queries_are_answers = sql_get_bool(row);
    ret_corpus->documents_are_questions = sql_get_bool(row);
    ret_corpus->encoder_id = sql_get_text(row, arena);
    ret_corpus->encoder_name = sql_get_text(row, arena);
    ret_corpus->filter_attributes = sql_get_text(row, arena);
    ret_corpus->custom_dimensions = sql_get_text(row, arena);
    ret_corpus->version = sql_get_int64(row);
    ret_corpus->sequence = sql_get_int64(row);
    ret_corpus->created_at = sql_get_int64(row);
    ret_corpus->updated_at = sql_get_int64(row);
}

enum status store_corpus_get(struct store *store, struct span account_id, struct span key,
                             struct arena *arena, struct corpus *ret_corpus, struct err *err)
{
    AUTO(store_reader) struct store_reader reader = {0};
    enum status status = store_reader_take(store, &reader, err);
    if (status != OK)
        return status;
    struct sql_stmt *row = sql_prepare(reader.conn, get_corpus);
    sql_bind_text(row, ":account_id", account_id);
    sql_bind_text(row, ":key", key);
    struct corpus corpus;
    bool is_found = sql_next(row);
    if (is_found)
        read_corpus(row, arena, &corpus);
    status = sql_end(row, err);
    if (status != OK)
        return status;
    if (!is_found)
        return NOT_FOUND;
    *ret_corpus = corpus;
    return OK;
}

/* --- List --- */

struct page_of_corpora {
    const struct store_page *page;
    struct arena *arena;
    struct corpus *corpora;
    size_t count;
    bool has_more;
};

/* Adds the row that stmt is on when it matches. */
static enum status take_row(struct page_of_corpora *found, struct sql_stmt *row, struct err *err)
{
    bool is_match;
    enum status status = store_page_matches(found->page, row, &is_match, err);
    if (status != OK || !is_match)
        return status;
    found->has_more = found->count == found->page->limit;
    if (!found->has_more)
        read_corpus(row, found->arena, &found->corpora[found->count++]);
    return OK;
}

static enum status list_all(struct sql_conn *conn, struct page_of_corpora *found, struct err *err)
{
    struct sql_stmt *row = sql_prepare(conn, list_corpora);
    sql_bind_text(row, ":account_id", found->page->account_id);
    sql_bind_int64(row, ":before_sequence", found->page->before_sequence);
    sql_bind_int64(row, ":rows", store_page_rows(found->page));
    enum status status = OK;
    while (status == OK && !found->has_more && sql_next(row))
        status = take_row(found, row, err);
    enum status end = sql_end(row, err);
    return status == OK ? end : status;
}

static int compare_descending(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;
    return (left < right) - (left > right);
}

/* The places of those ids that exist and lie on this page or below, newest first. */
static enum status find_places(struct sql_conn *conn, const struct store_corpus_query *query,
                               int64_t *places, size_t *ret_count, struct err *err)
{
    size_t count = 0;
    for (size_t i = 0; i < query->id_count; i++) {
        struct sql_stmt *row = sql_prepare(conn, find_place);
        sql_bind_text(row, ":account_id", query->page.account_id);
        sql_bind_text(row, ":id", query->ids[i]);
        sql_bind_int64(row, ":before_sequence", query->page.before_sequence);
        if (sql_next(row))
            places[count++] = sql_get_int64(row);
        enum status status = sql_end(row, err);
        if (status != OK)
            return status;
    }
    if (count > 0)
        qsort(places, count, sizeof *places, compare_descending);
    *ret_count = count;
    return OK;
}

static enum status take_place(struct sql_conn *conn, struct page_of_corpora *found, int64_t place,
                              struct err *err)
{
    struct sql_stmt *row = sql_prepare(conn, get_corpus_at);
    sql_bind_text(row, ":account_id", found->page->account_id);
    sql_bind_int64(row, ":sequence", place);
    enum status status = sql_next(row) ? take_row(found, row, err) : OK;
    enum status end = sql_end(row, err);
    return status == OK ? end : status;
}

/* A caller sees few corpora among many: look-ups by id instead of a walk over all. */
static enum status list_restricted(struct sql_conn *conn, const struct store_corpus_query *query,
                                   struct page_of_corpora *found, struct err *err)
{
    int64_t *places = arena_zalloc(found->arena, query->id_count, sizeof *places);
    if (places == NULL)
        return fail(err, NO_MEMORY, "no memory for %zu corpus ids", query->id_count);
    size_t count = 0;
    enum status status = find_places(conn, query, places, &count, err);
    for (size_t i = 0; status == OK && !found->has_more && i < count; i++) {
        if (i == 0 || places[i] != places[i - 1]) /* an id may be named twice */
            status = take_place(conn, found, places[i], err);
    }
    return status;
}

enum status store_corpus_list(struct store *store, const struct store_corpus_query *query,
                              struct arena *arena, struct corpus **ret_corpora, size_t *ret_count,
                              bool *ret_has_more, struct err *err)
{
    struct page_of_corpora found = {.page = &query->page, .arena = arena};
    found.corpora = arena_zalloc(arena, query->page.limit, sizeof *found.corpora);
    if (found.corpora == NULL)
        return fail(err, NO_MEMORY, "no memory for a page of %zu corpora", query->page.limit);
    AUTO(store_reader) struct store_reader reader = {0};
    enum status status = store_reader_take(store, &reader, err);
    if (status != OK)
        return status;
    status = query->is_restricted || query->id_count > 0
                 ? list_restricted(reader.conn, query, &found, err)
                 : list_all(reader.conn, &found, err);
    if (status != OK)
        return status;
    *ret_corpora = found.corpora;
    *ret_count = found.count;
    *ret_has_more = found.has_more;
    return OK;
}

/* --- Update --- */

struct alteration {
    const struct corpus *corpus;
    const struct job *job;
    const struct audit_event *audit;
};

static enum status exists(struct store_tx *tx, const struct corpus *corpus, struct err *err)
{
    struct sql_stmt *row = sql_prepare(tx->conn, find_id);
    sql_bind_text(row, ":account_id", corpus->account_id);
    sql_bind_text(row, ":key", corpus->key);
    bool is_found = sql_next(row) && span_equal(sql_get_text(row, NULL), corpus->id);
    enum status status = sql_end(row, err);
    return status == OK && !is_found ? NOT_FOUND : status;
}

static enum status update(struct store_tx *tx, void *context, struct err *err)
{
    const struct alteration *alteration = context;
    const struct corpus *corpus = alteration->corpus;
    enum status status = exists(tx, corpus, err);
    if (status != OK)
        return status;
    const struct store_change change = {
        .account_id = corpus->account_id, .kind = SPAN("corpus"), .id = corpus->id};
    status = store_change_add(tx, &change, alteration->audit, err);
    if (status != OK)
        return status;
    int64_t changed = 0;
    struct sql_stmt *stmt = sql_prepare(tx->conn, update_corpus);
    sql_bind_text(stmt, ":name", corpus->name);
    if (corpus->has_description)
        sql_bind_text(stmt, ":description", corpus->description);
    else
        sql_bind_null(stmt, ":description");
    sql_bind_bool(stmt, ":is_enabled", corpus->is_enabled);
    sql_bind_bool(stmt, ":save_history", corpus->save_history);
    sql_bind_text(stmt, ":filter_attributes", corpus->filter_attributes);
    sql_bind_int64(stmt, ":version", corpus->version);
    sql_bind_int64(stmt, ":updated_at", corpus->updated_at);
    sql_bind_text(stmt, ":account_id", corpus->account_id);
    sql_bind_text(stmt, ":id", corpus->id);
    status = sql_run(stmt, &changed, err);
    if (status == OK && changed == 0)
        return CONFLICT;
    return status == OK && alteration->job != NULL ? store_job_insert(tx, alteration->job, err)
                                                   : status;
}

enum status store_corpus_update(struct store *store, const struct corpus *corpus,
                                const struct job *job, const struct audit_event *audit,
                                int64_t *ret_revision, struct err *err)
{
    struct alteration alteration = {corpus, job, audit};
    return store_write(store, update, &alteration, ret_revision, err);
}

/* --- Delete --- */

struct deletion {
    struct span account_id;
    struct span key;
    const struct audit_event *audit;
    struct span id; /* as it is stored; in memory */
    struct arena memory;
};

static enum status look_up(struct store_tx *tx, struct deletion *deletion, struct err *err)
{
    struct sql_stmt *row = sql_prepare(tx->conn, find_id);
    sql_bind_text(row, ":account_id", deletion->account_id);
    sql_bind_text(row, ":key", deletion->key);
    bool is_found = sql_next(row);
    if (is_found)
        deletion->id = sql_get_text(row, &deletion->memory);
    enum status status = sql_end(row, err);
    return status == OK && !is_found ? NOT_FOUND : status;
}

static enum status delete_row(struct store_tx *tx, void *context, struct err *err)
{
    struct deletion *deletion = context;
    enum status status = look_up(tx, deletion, err);
    if (status != OK)
        return status;
    const struct store_change change = {
        .account_id = deletion->account_id, .kind = SPAN("corpus"), .id = deletion->id};
    status = store_change_add(tx, &change, deletion->audit, err);
    if (status != OK)
        return status;
    struct sql_stmt *stmt = sql_prepare(tx->conn, delete_corpus);
    sql_bind_text(stmt, ":account_id", deletion->account_id);
    sql_bind_text(stmt, ":key", deletion->key);
    return sql_run(stmt, NULL, err);
}

enum status store_corpus_delete(struct store *store, struct span account_id, struct span key,
                                const struct audit_event *audit, int64_t *ret_revision,
                                struct err *err)
{
    struct deletion deletion = {.account_id = account_id, .key = key, .audit = audit};
    arena_init(&deletion.memory, 4096);
    enum status status = store_write(store, delete_row, &deletion, ret_revision, err);
    arena_done(&deletion.memory);
    return status;
}
