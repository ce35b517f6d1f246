/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "documents/documents_internal.h"
#include "documents/documents_terms.h"

#include <assert.h>

enum { EXPRESSION_BYTES_MAX = 512 << 10, SEARCH_NS_MAX = 500000000 };

/* Which parts, first: what goes through the sorter is two numbers each. The corpus is no part of
 * the score. */
static const char select_hits[] =
    "SELECT rowid FROM part_index WHERE part_index MATCH :expression "
    "ORDER BY bm25(part_index, 0.0, 1.0), rowid LIMIT :rows OFFSET :offset";
static const char select_part[] =
    "SELECT corpus.id, document.id, document.metadata, part.text, part.metadata FROM part "
    "JOIN document ON document.sequence = part.document "
    "JOIN corpus ON corpus.number = document.corpus "
    "WHERE part.sequence = :sequence AND corpus.account_id = :account_id";

/* BM25 counts words over all accounts, and one that told its values would tell how often others use
 * a word: what is told is the reciprocal of the rank. */
struct found {
    int64_t sequence;
    double score;
};

/* --- The expression: (corpus : ("3" OR "7") AND text : ("one" OR "two")) OR (...) --- */

struct expression {
    const struct documents_search *search;
    struct sql_conn *conn;
    struct buf out;
    size_t group_count;
};

/* The numbers of those corpora that share the text of scope first. False: none has documents. */
static enum status write_corpora(struct expression *expression, size_t first, bool *ret_has_any,
                                 struct err *err)
{
    const struct documents_search *search = expression->search;
    const char *separator = "(corpus : (";
    *ret_has_any = false;
    for (size_t i = first; i < search->scope_count; i++) {
        if (!span_equal(search->scopes[i].text, search->scopes[first].text))
            continue;
        const struct documents_place place = {search->account_id, search->scopes[i].corpus_id};
        int64_t number;
        enum status status = documents_number(expression->conn, &place, &number, err);
        if (status == NOT_FOUND)
            continue;
        if (status != OK)
            return status;
        if (!*ret_has_any && expression->group_count > 0)
            buf_put(&expression->out, SPAN(" OR "));
        buf_printf(&expression->out, "%s\"%lld\"", separator, (long long)number);
        separator = " OR ";
        *ret_has_any = true;
    }
    return OK;
}

static bool is_first_of_text(const struct documents_search *search, size_t at)
{
    size_t earlier = 0;
    while (!span_equal(search->scopes[earlier].text, search->scopes[at].text))
        earlier++;
    return earlier == at;
}

static enum status write_group(struct expression *expression, size_t first, struct err *err)
{
    AUTO(buf) struct buf words = {0};
    bool has_corpora = false;
    buf_init(&words, EXPRESSION_BYTES_MAX);
    if (!is_first_of_text(expression->search, first) ||
        documents_terms_write(expression->search->scopes[first].text, &words) == 0)
        return OK;
    enum status status = write_corpora(expression, first, &has_corpora, err);
    if (status != OK || !has_corpora)
        return status;
    buf_put(&expression->out, SPAN(") AND text : ("));
    buf_put(&expression->out, buf_span(&words));
    buf_put(&expression->out, SPAN("))"));
    expression->group_count++;
    return buf_ok(&words) ? OK : fail(err, NO_MEMORY, "no memory for a search");
}

static enum status write_expression(struct expression *expression, struct err *err)
{
    enum status status = OK;
    for (size_t i = 0; status == OK && i < expression->search->scope_count; i++)
        status = write_group(expression, i, err);
    if (status == OK && !buf_ok(&expression->out))
        status = fail(err, NO_MEMORY, "no memory for a search");
    return status;
}

/* --- What it finds --- */

/* The one place that a caller's words make expensive. */
static enum status find(struct expression *expression, struct found *found, size_t *ret_count,
                        struct err *err)
{
    size_t count = 0;
    struct sql_stmt *row = sql_prepare(expression->conn, select_hits);
    sql_bind_text(row, ":expression", buf_span(&expression->out));
    sql_bind_int64(row, ":rows", expression->search->limit);
    sql_bind_int64(row, ":offset", expression->search->offset);
    while (count < DOCUMENTS_HITS_MAX && sql_next(row)) {
        found[count].sequence = sql_get_int64(row);
        found[count].score = 1.0 / (double)(expression->search->offset + (int64_t)count + 1);
        count++;
    }
    *ret_count = count;
    enum status status = sql_end(row, err);
    if (status == TOO_LARGE)
        return fail(err, INVALID,
                    "The query matches too much to be ranked in time: use rarer words.");
    return status;
}

/* The first scope of this corpus, or scope_count. */
static size_t scope_of(const struct documents_search *search, struct span corpus_id)
{
    size_t at = 0;
    while (at < search->scope_count && !span_equal(search->scopes[at].corpus_id, corpus_id))
        at++;
    return at;
}

/* The account and the corpora are looked at again, whatever the index says. */
static enum status read_hit(const struct expression *expression, const struct found *found,
                            struct arena *arena, struct documents_hit *ret_hit, struct err *err)
{
    const struct documents_search *search = expression->search;
    struct sql_stmt *row = sql_prepare(expression->conn, select_part);
    sql_bind_int64(row, ":sequence", found->sequence);
    sql_bind_text(row, ":account_id", search->account_id);
    bool is_found = sql_next(row);
    if (is_found) {
        ret_hit->scope = scope_of(search, sql_get_text(row, arena));
        ret_hit->document_id = sql_get_text(row, arena);
        ret_hit->document_metadata = sql_get_text(row, arena);
        ret_hit->text = sql_get_text(row, arena);
        ret_hit->part_metadata = sql_get_text(row, arena);
        ret_hit->score = found->score;
    }
    enum status status = sql_end(row, err);
    if (status == OK && (!is_found || ret_hit->scope == search->scope_count))
        return fail(err, CORRUPT, "the search index names a part that is not there");
    return status;
}

static enum status read_hits(const struct expression *expression, const struct found *found,
                             size_t found_count, struct arena *arena,
                             struct documents_hit **ret_hits, size_t *ret_count, struct err *err)
{
    size_t bytes = 0;
    size_t count = 0;
    struct documents_hit *hits = arena_zalloc(arena, found_count + 1, sizeof *hits);
    if (hits == NULL)
        return fail(err, NO_MEMORY, "no memory for what was found");
    while (count < found_count && bytes <= DOCUMENTS_ANSWER_BYTES_MAX) {
        struct documents_hit *hit = &hits[count];
        enum status status = read_hit(expression, &found[count], arena, hit, err);
        if (status != OK)
            return status;
        bytes += hit->text.len + hit->part_metadata.len + hit->document_metadata.len;
        count++;
    }
    *ret_hits = hits;
    *ret_count = count;
    return OK;
}

static enum status run_search(struct documents *documents, const struct documents_search *search,
                              struct arena *arena, struct documents_hit **ret_hits,
                              size_t *ret_count, struct err *err)
{
    AUTO(documents_reader) struct documents_reader reader = {0};
    enum status status = documents_read(documents, &reader, err);
    if (status != OK)
        return status;
    struct found found[DOCUMENTS_HITS_MAX];
    size_t found_count = 0;
    struct expression expression = {.search = search, .conn = reader.conn};
    buf_init_arena(&expression.out, arena, EXPRESSION_BYTES_MAX);
    status = write_expression(&expression, err);
    if (status == OK && expression.group_count > 0) {
        sql_deadline(reader.conn, clock_boot_ns() + SEARCH_NS_MAX);
        status = find(&expression, found, &found_count, err);
        sql_deadline(reader.conn, 0);
    }
    return status == OK
               ? read_hits(&expression, found, found_count, arena, ret_hits, ret_count, err)
               : status;
}

enum status documents_search(struct documents *documents, const struct documents_search *search,
                             struct arena *arena, struct documents_hit **ret_hits,
                             size_t *ret_count, struct err *err)
{
    assert(search->scope_count <= DOCUMENTS_CORPORA_MAX && search->limit <= DOCUMENTS_HITS_MAX);
    enum status status = UNAVAILABLE;
    if (atomic_fetch_add(&documents->searches, 1) < documents->searches_max)
        status = run_search(documents, search, arena, ret_hits, ret_count, err);
    else
        (void)fail(err, UNAVAILABLE, "As many queries run as may at once; try again.");
    (void)atomic_fetch_sub(&documents->searches, 1);
    return status;
}
