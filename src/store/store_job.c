/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_internal.h"

#include "base/arena.h"

/* corpus_id and state first: the page filter reads them. */
#define JOB_COLUMNS                                                                                \
    "corpus_id, state, id, account_id, type, corpus_key, created_by, sequence, created_at, "       \
    "completed_at "

static const char insert_job[] =
    "INSERT INTO job (" JOB_COLUMNS ") "
    "VALUES (:corpus_id, :state, :id, :account_id, :type, :corpus_key, :created_by, :sequence, "
    ":created_at, :completed_at)";
static const char get_job[] = "SELECT " JOB_COLUMNS "FROM job "
                              "WHERE account_id = :account_id AND id = :id";
static const char list_jobs[] = "SELECT " JOB_COLUMNS "FROM job "
                                "WHERE account_id = :account_id AND sequence < :before_sequence "
                                "AND created_at > :after ORDER BY sequence DESC LIMIT :rows";

enum status store_job_insert(struct store_tx *tx, const struct job *job, struct err *err)
{
    struct sql_stmt *insert = sql_prepare(tx->conn, insert_job);
    sql_bind_text(insert, ":corpus_id", job->corpus_id);
    sql_bind_text(insert, ":state", job->state);
    sql_bind_text(insert, ":id", job->id);
    sql_bind_text(insert, ":account_id", job->account_id);
    sql_bind_text(insert, ":type", job->type);
    sql_bind_text(insert, ":corpus_key", job->corpus_key);
    sql_bind_text(insert, ":created_by", job->created_by);
    sql_bind_int64(insert, ":sequence", tx->change.revision);
    sql_bind_int64(insert, ":created_at", job->created_at);
    sql_bind_int64(insert, ":completed_at", job->completed_at);
    return sql_run(insert, NULL, err);
}

static void read_job(struct sql_stmt *row, struct arena *arena, struct job *ret_job)
{
    *ret_job = (struct job){0};
    ret_job->corpus_id = sql_get_text(row, arena);
    ret_job->state = sql_get_text(row, arena);
    ret_job->id = sql_get_text(row, arena);
    ret_job->account_id = sql_get_text(row, arena);
    ret_job->type = sql_get_text(row, arena);
    ret_job->corpus_key = sql_get_text(row, arena);
    ret_job->created_by = sql_get_text(row, arena);
    ret_job->sequence = sql_get_int64(row);
    ret_job->created_at = sql_get_int64(row);
    ret_job->completed_at = sql_get_int64(row);
}

enum status store_job_get(struct store *store, struct span account_id, struct span id,
                          struct arena *arena, struct job *ret_job, struct err *err)
{
    AUTO(store_reader) struct store_reader reader = {0};
    enum status status = store_reader_take(store, &reader, err);
    if (status != OK)
        return status;
    struct sql_stmt *row = sql_prepare(reader.conn, get_job);
    sql_bind_text(row, ":account_id", account_id);
    sql_bind_text(row, ":id", id);
    bool is_found = sql_next(row);
    if (is_found)
        read_job(row, arena, ret_job);
    status = sql_end(row, err);
    return status == OK && !is_found ? NOT_FOUND : status;
}

enum status store_job_list(struct store *store, const struct store_page *page, int64_t after,
                           struct arena *arena, struct job **ret_jobs, size_t *ret_count,
                           bool *ret_has_more, struct err *err)
{
    struct job *jobs = arena_zalloc(arena, page->limit, sizeof *jobs);
    AUTO(store_reader) struct store_reader reader = {0};
    if (jobs == NULL)
        return fail(err, NO_MEMORY, "no memory for a page of %zu jobs", page->limit);
    enum status status = store_reader_take(store, &reader, err);
    if (status != OK)
        return status;
    struct sql_stmt *row = sql_prepare(reader.conn, list_jobs);
    sql_bind_text(row, ":account_id", page->account_id);
    sql_bind_int64(row, ":before_sequence", page->before_sequence);
    sql_bind_int64(row, ":after", after);
    sql_bind_int64(row, ":rows", store_page_rows(page));
    size_t count = 0;
    bool has_more = false;
    while (status == OK && !has_more && sql_next(row)) {
        bool is_match;
        status = store_page_matches(page, row, &is_match, err);
        if (status != OK || !is_match)
            continue;
        has_more = count == page->limit;
        if (!has_more)
            read_job(row, arena, &jobs[count++]);
    }
    enum status end = sql_end(row, err);
    if (status == OK)
        status = end;
    *ret_jobs = jobs;
    *ret_count = count;
    *ret_has_more = has_more;
    return status;
}
