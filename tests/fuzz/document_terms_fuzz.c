/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a query: the expression is quoted words joined by OR, and a real index takes it
 * without an error and finds nothing of another corpus. */
#include "base/buf.h"
#include "documents/documents_terms.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_BYTES_MAX = 20000, EXPRESSION_BYTES_MAX = 64 << 10 };

static const char schema[] =
    "CREATE VIRTUAL TABLE part_index USING fts5 ("
    "corpus, text, content='', tokenize=\"unicode61 remove_diacritics 2\");"
    "INSERT INTO part_index (rowid, corpus, text) VALUES (1, 1, 'alpha beta or not near');"
    "INSERT INTO part_index (rowid, corpus, text) VALUES (2, 2, 'alpha 1 corpus text');";

static void check_shape(struct span expression, size_t count)
{
    size_t words = 0;
    while (expression.len > 0) {
        struct span word;
        assert(words == 0 || span_starts(expression, SPAN(" OR ")));
        expression = span_from(expression, words == 0 ? 0 : 4);
        assert(span_starts(expression, SPAN("\"")));
        expression = span_from(expression, 1);
        bool is_closed = span_cut(&expression, '"', &word);
        assert(is_closed && word.len > 0 && span_find(word, ' ') == word.len);
        words++;
    }
    assert(words == count);
}

static void search(struct span words)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    AUTO(buf) struct buf expression = {0};
    buf_init(&expression, EXPRESSION_BYTES_MAX);
    buf_printf(&expression, "(corpus : (\"1\") AND text : (");
    buf_put(&expression, words);
    buf_put(&expression, SPAN("))"));
    assert(buf_ok(&expression));
    int code = sqlite3_open(":memory:", &db);
    if (code == SQLITE_OK)
        code = sqlite3_exec(db, schema, NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(db, "SELECT rowid FROM part_index WHERE part_index MATCH ?1", -1,
                                  &stmt, NULL);
    assert(code == SQLITE_OK);
    (void)sqlite3_bind_text(stmt, 1, expression.data, (int)expression.len, SQLITE_STATIC);
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW)
        assert(sqlite3_column_int64(stmt, 0) == 1);
    assert(code == SQLITE_DONE);
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(db);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(buf) struct buf words = {0};
    if (size > INPUT_BYTES_MAX)
        return 0;
    buf_init(&words, EXPRESSION_BYTES_MAX);
    size_t count = documents_terms_write(span_of(data, size), &words);
    assert(buf_ok(&words) && count <= DOCUMENTS_TERMS_MAX);
    check_shape(buf_span(&words), count);
    if (count > 0)
        search(buf_span(&words));
    return 0;
}
