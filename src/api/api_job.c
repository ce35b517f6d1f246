/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_job.h"

#include "api/api_common.h"
#include "authz/permission.h"
#include "codec/rfc3339.h"
#include "model/job.h"
#include "store/store.h"
#include "web/app.h"
#include "web/body.h"
#include "web/page.h"
#include "web/reply.h"

static void write_job(struct json_writer *writer, const struct job *job)
{
    json_object_open(writer);
    json_member_text(writer, SPAN("id"), job->id);
    json_member_text(writer, SPAN("type"), job->type);
    json_name(writer, SPAN("corpus_keys"));
    json_array_open(writer);
    json_write_text(writer, job->corpus_key);
    json_array_close(writer);
    json_member_text(writer, SPAN("state"), job->state);
    json_member_time(writer, SPAN("created_at"), job->created_at);
    json_member_time(writer, SPAN("started_at"), job->created_at);
    json_member_time(writer, SPAN("completed_at"), job->completed_at);
    json_member_text(writer, SPAN("created_by_username"), job->created_by);
    json_object_close(writer);
}

/* Which jobs a list shows. */
struct choice {
    const struct exchange *x;
    const struct span *corpus_ids; /* of the keys that were asked for */
    size_t corpus_count;
    bool is_by_corpus;
    unsigned states; /* bits of job_states; 0: all */
};

static enum status is_chosen(void *context, struct span corpus_id, struct span state,
                             bool *ret_matches, struct err *err)
{
    const struct choice *choice = context;
    bool is_asked = !choice->is_by_corpus;
    bool is_in_state = choice->states == 0;
    (void)err;
    for (size_t i = 0; i < choice->corpus_count; i++)
        is_asked |= span_equal(corpus_id, choice->corpus_ids[i]);
    for (unsigned i = 0; i < JOB_STATE_COUNT; i++)
        is_in_state |= (choice->states >> i & 1) != 0 && span_equal(state, job_states[i]);
    *ret_matches = is_asked && is_in_state &&
                   authz_has_on_corpus(choice->x->caller, PERMISSION_CORPUS_READ, corpus_id);
    return OK;
}

static bool add_state(struct exchange *x, struct span state, struct choice *choice)
{
    for (unsigned i = 0; i < JOB_STATE_COUNT; i++) {
        if (span_equal(state, job_states[i])) {
            choice->states |= 1u << i;
            return true;
        }
    }
    reply_bad_field(x, SPAN("state"), "is not a state of a job");
    return false;
}

/* A key that there is not has no jobs that can be asked for. */
static bool add_corpus(struct exchange *x, struct span key, struct span *ids, struct choice *choice)
{
    struct corpus corpus;
    enum status status =
        store_corpus_get(x->app->store, x->caller->account_id, key, &x->arena, &corpus, &x->err);
    choice->is_by_corpus = true;
    if (status == OK)
        ids[choice->corpus_count++] = corpus.id;
    if (status != OK && status != NOT_FOUND)
        reply_error(x, status);
    return status == OK || status == NOT_FOUND;
}

/* False: a reply is made. */
static bool read_choice(struct exchange *x, const struct form *query, struct choice *choice,
                        int64_t *ret_after)
{
    struct span *ids = arena_zalloc(&x->arena, query->count + 1, sizeof *ids);
    bool is_good = ids != NULL;
    if (ids == NULL)
        reply_error(x, NO_MEMORY);
    choice->corpus_ids = ids;
    *ret_after = INT64_MIN;
    for (size_t i = 0; is_good && i < query->count; i++) {
        struct span name = query->fields[i].name;
        struct span value = query->fields[i].value;
        if (span_equal(name, SPAN("state"))) {
            is_good = add_state(x, value, choice);
        } else if (span_equal(name, SPAN("corpus_key"))) {
            is_good = add_corpus(x, value, ids, choice);
        } else if (span_equal(name, SPAN("after")) && !rfc3339_read(value, ret_after)) {
            reply_bad_field(x, name, "must be a time such as 2025-06-17T15:10:00Z");
            is_good = false;
        }
    }
    return is_good;
}

void api_job_list(struct exchange *x)
{
    struct form query;
    struct page page;
    struct choice choice = {.x = x};
    int64_t after;
    if (query_parse(x, &query) != OK || page_read(x, &query, &page) != OK ||
        !read_choice(x, &query, &choice, &after))
        return;
    struct store_page store_page = api_store_page(x, &page, NULL);
    store_page.filter = is_chosen;
    store_page.filter_context = &choice;
    struct job *jobs;
    size_t count;
    bool has_more;
    enum status status = store_job_list(x->app->store, &store_page, after, &x->arena, &jobs, &count,
                                        &has_more, &x->err);
    if (status != OK) {
        api_list_fail(x, status);
        return;
    }
    struct json_writer writer = api_list_begin(x, SPAN("jobs"));
    for (size_t i = 0; i < count; i++)
        write_job(&writer, &jobs[i]);
    api_list_end(x, &writer, &page, has_more, count == 0 ? 0 : jobs[count - 1].sequence);
}

void api_job_get(struct exchange *x)
{
    struct job job;
    enum status status =
        store_job_get(x->app->store, x->caller->account_id, x->params[0], &x->arena, &job, &x->err);
    if (status != OK && status != NOT_FOUND) {
        reply_error(x, status);
        return;
    }
    bool is_allowed = status == OK
                          ? authz_has_on_corpus(x->caller, PERMISSION_CORPUS_READ, job.corpus_id)
                          : authz_has(x->caller, PERMISSION_CORPUS_READ);
    if (!is_allowed) {
        x->err = (struct err){0};
        reply_error(x, FORBIDDEN);
    } else if (status == NOT_FOUND) {
        reply_not_found(x, x->params[0]);
    } else {
        struct json_writer writer = reply_json(x, 200);
        reply_header(x, SPAN("Cache-Control"), SPAN("no-store"));
        write_job(&writer, &job);
    }
}
