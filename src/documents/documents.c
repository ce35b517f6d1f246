/* SPDX-License-Identifier: Apache-2.0 */
#include "documents/documents.h"

#include "documents/documents_internal.h"
#include "sql/sql_migrate.h"

#include <stdlib.h>

/* A corpus is a number here, so that it can be one word of the search index. The index keeps no
 * text of its own: what it is told to forget it must be told again, word by word. */
static const struct span steps[] = {
    SPAN_INIT("CREATE TABLE corpus ("
              "number {int64} NOT NULL PRIMARY KEY, "
              "account_id {text} NOT NULL, "
              "id {text} NOT NULL UNIQUE) {strict};"
              "CREATE TABLE document ("
              "sequence {int64} NOT NULL PRIMARY KEY, "
              "corpus {int64} NOT NULL REFERENCES corpus (number), "
              "id {text} NOT NULL, "
              "metadata {text} NOT NULL, "
              "parts {int64} NOT NULL, "
              "characters {int64} NOT NULL, "
              "metadata_characters {int64} NOT NULL, "
              "created_at {int64} NOT NULL, "
              "UNIQUE (corpus, id)) {strict};"
              "CREATE UNIQUE INDEX document_page ON document (corpus, sequence);"
              "CREATE TABLE part ("
              "sequence {int64} NOT NULL PRIMARY KEY, "
              "document {int64} NOT NULL REFERENCES document (sequence), "
              "position {int64} NOT NULL, "
              "text {text} NOT NULL, "
              "metadata {text} NOT NULL, "
              "context {text} NOT NULL, "
              "custom_dimensions {text} NOT NULL, "
              "UNIQUE (document, position)) {strict};"
              "CREATE VIRTUAL TABLE part_index USING fts5 ("
              "corpus, text, content='', tokenize=\"unicode61 remove_diacritics 2\");"),
};

static const char select_number[] = "SELECT number FROM corpus "
                                    "WHERE id = :id AND account_id = :account_id";
static const char select_next_corpus[] = "SELECT number, account_id, id FROM corpus "
                                         "WHERE number > :number ORDER BY number LIMIT 1";

/* The version is looked at first: a database that is too new stays as it is. */
static enum status prepare_writer(void *context, struct sql_conn *conn, struct err *err)
{
    (void)context;
    enum status status = sql_migrate(conn, steps, ARRAY_LEN(steps), err);
    return status == OK ? sql_settle(conn, err) : status;
}

enum status documents_open(const struct documents_options *options,
                           struct documents **ret_documents, struct err *err)
{
    struct documents *documents = calloc(1, sizeof *documents);
    if (documents == NULL)
        return fail(err, NO_MEMORY, "no memory for the documents");
    const struct sql_pool_options pool_options = {
        .place = {.data_fd = options->data_fd, .path = options->path, .file = "documents.db"},
        .readers = options->readers,
        .prepare = prepare_writer,
    };
    atomic_init(&documents->searches, 0);
    documents->searches_max = options->readers < 4 ? 1 : (options->readers - 1) / 2;
    enum status status = sql_pool_open(&pool_options, &documents->pool, err);
    if (status != OK) {
        free(documents);
        return status;
    }
    *ret_documents = documents;
    return OK;
}

void documents_close(struct documents *documents)
{
    if (documents == NULL)
        return;
    sql_pool_close(documents->pool);
    free(documents);
}

void documents_retire(struct documents *documents)
{
    if (documents != NULL)
        sql_pool_retire(documents->pool);
}

enum status documents_read(struct documents *documents, struct documents_reader *ret_reader,
                           struct err *err)
{
    struct sql_conn *conn;
    enum status status = sql_pool_take(documents->pool, &conn, err);
    if (status == OK)
        *ret_reader = (struct documents_reader){.documents = documents, .conn = conn};
    return status;
}

void auto_documents_reader(struct documents_reader *reader)
{
    if (reader->documents != NULL)
        sql_pool_give(reader->documents->pool, reader->conn);
    *reader = (struct documents_reader){0};
}

enum status documents_number(struct sql_conn *conn, const struct documents_place *place,
                             int64_t *ret_number, struct err *err)
{
    struct sql_stmt *row = sql_prepare(conn, select_number);
    sql_bind_text(row, ":id", place->corpus_id);
    sql_bind_text(row, ":account_id", place->account_id);
    bool is_found = sql_next(row);
    int64_t number = is_found ? sql_get_int64(row) : 0;
    enum status status = sql_end(row, err);
    if (status != OK)
        return status;
    *ret_number = number;
    return is_found ? OK : NOT_FOUND;
}

enum status documents_next_corpus(struct documents *documents, int64_t number, struct arena *arena,
                                  struct documents_place *ret_place, int64_t *ret_number,
                                  struct err *err)
{
    AUTO(documents_reader) struct documents_reader reader = {0};
    enum status status = documents_read(documents, &reader, err);
    if (status != OK)
        return status;
    struct sql_stmt *row = sql_prepare(reader.conn, select_next_corpus);
    sql_bind_int64(row, ":number", number);
    bool is_found = sql_next(row);
    if (is_found) {
        *ret_number = sql_get_int64(row);
        ret_place->account_id = sql_get_text(row, arena);
        ret_place->corpus_id = sql_get_text(row, arena);
    }
    status = sql_end(row, err);
    return status == OK && !is_found ? NOT_FOUND : status;
}
