/* SPDX-License-Identifier: Apache-2.0 */
#include "server/front_documents.h"

#include "base/arena.h"
#include "config/config.h"
#include "log/log.h"
#include "store/store.h"
#include "web/app.h"

enum { SWEEP_BYTES_MAX = 1 << 18 };

static enum status corpus_exists(struct store *store, const struct documents_place *place,
                                 struct arena *arena, bool *ret_exists, struct err *err)
{
    const struct store_corpus_query query = {
        .page = {.account_id = place->account_id, .before_sequence = INT64_MAX, .limit = 1},
        .ids = &place->corpus_id,
        .id_count = 1,
        .is_restricted = true,
    };
    struct corpus *corpora;
    size_t count = 0;
    bool has_more;
    enum status status = store_corpus_list(store, &query, arena, &corpora, &count, &has_more, err);
    *ret_exists = count > 0;
    return status;
}

/* Left behind by a deletion that was cut short, or by one beside which something was indexed. An
 * account that this store does not have says that the two databases do not belong together: nothing
 * of it is touched. */
static enum status sweep(struct app *app, struct err *err)
{
    AUTO(arena) struct arena arena;
    struct documents_place place;
    int64_t number = 0;
    size_t swept = 0;
    arena_init(&arena, SWEEP_BYTES_MAX);
    enum status status = OK;
    while (status == OK) {
        bool exists = true;
        struct account account;
        arena_reset(&arena);
        status = documents_next_corpus(app->documents, number, &arena, &place, &number, err);
        if (status != OK)
            break;
        status = store_account_get(app->store, place.account_id, &arena, &account, err);
        if (status == OK)
            status = corpus_exists(app->store, &place, &arena, &exists, err);
        else if (status == NOT_FOUND)
            status = OK;
        if (status == OK && !exists) {
            status = documents_forget(app->documents, &place, err);
            swept++;
        }
    }
    if (swept > 0)
        log_warn("the documents of %zu deleted corpora were still there, and are gone now", swept);
    return status == NOT_FOUND ? OK : status;
}

enum status front_documents_open(struct app *app, const struct documents_options *options,
                                 struct err *err)
{
    if (!span_equal(app->config->documents, SPAN("on")))
        return OK;
    enum status status = documents_open(options, &app->documents, err);
    return status == OK ? sweep(app, err) : status;
}
