/* SPDX-License-Identifier: Apache-2.0 */
/* Pages of clients and corpora. */
#include "store_fixture.h"

struct page_of_clients {
    struct principal *clients;
    size_t count;
    bool has_more;
};

static struct page_of_clients list(struct fixture *f, const struct store_page *page)
{
    struct page_of_clients found = {0};
    assert_ok(f, store_principal_list(f->store, &(struct store_principal_query){.page = *page}, &f->arena, &found.clients, &found.count,
                                       &found.has_more, &f->err));
    return found;
}

static void make_clients(struct fixture *f, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        struct principal client = fixture_client(f, i);
        client.api_roles = 1u << API_ROLE_VIEWER;
        fixture_create(f, &client);
    }
}

static void pages_are_newest_first_without_gaps_while_rows_are_added(void **state)
{
    struct fixture *f = *state;
    make_clients(f, 0, 23);
    struct store_page page = {.account_id = ACCOUNT, .before_sequence = INT64_MAX, .limit = 5};
    unsigned expected = 23;
    bool has_more = true;
    while (has_more) {
        struct page_of_clients found = list(f, &page);
        assert_true(found.count > 0);
        for (size_t i = 0; i < found.count; i++) {
            char id[16];
            (void)snprintf(id, sizeof id, "app_%u", --expected);
            assert_span_equal(found.clients[i].id, id);
            assert_true(found.clients[i].sequence < page.before_sequence);
            page.before_sequence = found.clients[i].sequence;
        }
        has_more = found.has_more;
        make_clients(f, 1000 + expected * 2, 1000 + expected * 2 + 2);
    }
    assert_int_equal(expected, 0);
    assert_span_equal(
        list(f,
             &(struct store_page){.account_id = ACCOUNT, .before_sequence = INT64_MAX, .limit = 1})
            .clients[0]
            .id,
        "app_1001");
}

static void a_page_that_just_fits_has_no_more(void **state)
{
    struct fixture *f = *state;
    make_clients(f, 0, 3);
    struct store_page page = {.account_id = ACCOUNT, .before_sequence = INT64_MAX, .limit = 3};
    struct page_of_clients found = list(f, &page);
    assert_int_equal(found.count, 3);
    assert_false(found.has_more);
    page.limit = 2;
    found = list(f, &page);
    assert_int_equal(found.count, 2);
    assert_true(found.has_more);
    page.limit = 0;
    found = list(f, &page);
    assert_int_equal(found.count, 0);
    assert_true(found.has_more);
    page.before_sequence = 0;
    found = list(f, &page);
    assert_int_equal(found.count, 0);
    assert_false(found.has_more);
}

static void rows_come_with_parts_but_without_sealed_copies(void **state)
{
    struct fixture *f = *state;
    make_clients(f, 0, 2);
    struct page_of_clients found = list(
        f, &(struct store_page){.account_id = ACCOUNT, .before_sequence = INT64_MAX, .limit = 9});
    assert_int_equal(found.count, 2);
    for (size_t i = 0; i < found.count; i++) {
        assert_int_equal(found.clients[i].api_roles, 1u << API_ROLE_VIEWER);
        assert_int_equal(found.clients[i].credential_count, 1);
        assert_span_equal(found.clients[i].credentials[0].hint, "wxyz");
        assert_int_equal(found.clients[i].credentials[0].sealed.len, 0);
    }
}

/* Takes names that end in the digit, and notes what it was shown. */
struct digit_filter {
    char digit;
    size_t asked;
    size_t described;
    enum status fails_with;
};

static enum status ends_in_digit(void *context, struct span name, struct span description,
                                 bool *ret_matches, struct err *err)
{
    struct digit_filter *filter = context;
    filter->asked++;
    filter->described += description.len > 0;
    if (filter->fails_with != OK)
        return (fail)(err, filter->fails_with, "the filter gave up");
    *ret_matches = name.ptr[name.len - 1] == filter->digit;
    return OK;
}

static void a_filter_chooses_and_paging_still_works(void **state)
{
    struct fixture *f = *state;
    make_clients(f, 0, 41);
    struct principal described = fixture_client(f, 99);
    described.description = SPAN("text");
    described.has_description = true;
    fixture_create(f, &described);
    struct digit_filter filter = {.digit = '7'};
    struct store_page page = {.account_id = ACCOUNT,
                              .before_sequence = INT64_MAX,
                              .limit = 3,
                              .filter = ends_in_digit,
                              .filter_context = &filter};
    struct page_of_clients found = list(f, &page);
    assert_int_equal(found.count, 3);
    assert_true(found.has_more);
    assert_span_equal(found.clients[0].name, "Client 37");
    assert_span_equal(found.clients[2].name, "Client 17");
    assert_int_equal(filter.described, 1);
    page.before_sequence = found.clients[2].sequence;
    found = list(f, &page);
    assert_int_equal(found.count, 1);
    assert_false(found.has_more);
    assert_span_equal(found.clients[0].name, "Client 7");
}

static void a_filter_that_fails_ends_the_listing(void **state)
{
    struct fixture *f = *state;
    make_clients(f, 0, 5);
    struct digit_filter filter = {.fails_with = RATE_LIMITED};
    const struct store_page page = {.account_id = ACCOUNT,
                                    .before_sequence = INT64_MAX,
                                    .limit = 3,
                                    .filter = ends_in_digit,
                                    .filter_context = &filter};
    struct principal *clients;
    size_t count;
    bool has_more;
    assert_status(
        f, store_principal_list(f->store, &(struct store_principal_query){.page = page}, &f->arena, &clients, &count, &has_more, &f->err),
        RATE_LIMITED);
    assert_int_equal(filter.asked, 1);
    assert_string_equal(f->err.detail, "the filter gave up");
    filter.fails_with = OK;
    filter.digit = '4';
    assert_int_equal(list(f, &page).count, 1); /* the connection is none the worse */
}

struct page_of_corpora {
    struct corpus *corpora;
    size_t count;
    bool has_more;
};

static struct page_of_corpora list_corpora(struct fixture *f,
                                           const struct store_corpus_query *query)
{
    struct page_of_corpora found = {0};
    assert_ok(f, store_corpus_list(f->store, query, &f->arena, &found.corpora, &found.count,
                                   &found.has_more, &f->err));
    return found;
}

static void corpora_are_listed_likewise(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < 7; i++) {
        struct corpus corpus = fixture_corpus(f, i);
        fixture_create_corpus(f, &corpus);
    }
    struct corpus foreign = fixture_corpus(f, 50);
    foreign.account_id = OTHER_ACCOUNT;
    fixture_create_corpus(f, &foreign);
    struct digit_filter filter = {.digit = '5'};
    struct store_corpus_query query = {
        .page = {.account_id = ACCOUNT, .before_sequence = INT64_MAX, .limit = 4}};
    struct page_of_corpora found = list_corpora(f, &query);
    assert_int_equal(found.count, 4);
    assert_true(found.has_more);
    assert_span_equal(found.corpora[0].key, "key-6");
    query.page.before_sequence = found.corpora[3].sequence;
    found = list_corpora(f, &query);
    assert_int_equal(found.count, 3);
    assert_false(found.has_more);
    assert_span_equal(found.corpora[2].key, "key-0");
    query.page.before_sequence = INT64_MAX;
    query.page.filter = ends_in_digit;
    query.page.filter_context = &filter;
    found = list_corpora(f, &query);
    assert_int_equal(found.count, 1);
    assert_span_equal(found.corpora[0].key, "key-5");
}

static void a_restricted_list_shows_only_what_it_names(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < 7; i++) {
        struct corpus corpus = fixture_corpus(f, i);
        fixture_create_corpus(f, &corpus);
    }
    struct corpus foreign = fixture_corpus(f, 50);
    foreign.account_id = OTHER_ACCOUNT;
    fixture_create_corpus(f, &foreign);
    const struct span ids[] = {SPAN("crp_1"),  SPAN("crp_5"),    SPAN("crp_1"),
                               SPAN("crp_50"), SPAN("crp_none"), SPAN("crp_3")};
    struct store_corpus_query query = {
        .page = {.account_id = ACCOUNT, .before_sequence = INT64_MAX, .limit = 2},
        .is_restricted = true,
        .ids = ids,
        .id_count = ARRAY_LEN(ids)};
    struct page_of_corpora found = list_corpora(f, &query);
    assert_int_equal(found.count, 2);
    assert_true(found.has_more);
    assert_span_equal(found.corpora[0].id, "crp_5");
    assert_span_equal(found.corpora[1].id, "crp_3");
    query.page.before_sequence = found.corpora[1].sequence;
    found = list_corpora(f, &query);
    assert_int_equal(found.count, 1);
    assert_false(found.has_more);
    assert_span_equal(found.corpora[0].id, "crp_1");

    struct digit_filter filter = {.digit = '3'};
    query.page.before_sequence = INT64_MAX;
    query.page.filter = ends_in_digit;
    query.page.filter_context = &filter;
    found = list_corpora(f, &query);
    assert_int_equal(found.count, 1);
    assert_span_equal(found.corpora[0].id, "crp_3");
    filter.fails_with = INVALID;
    assert_status(f,
                  store_corpus_list(f->store, &query, &f->arena, &found.corpora, &found.count,
                                    &found.has_more, &f->err),
                  INVALID);
    query.page.filter = NULL;
    query.ids = NULL;
    query.id_count = 0;
    assert_int_equal(list_corpora(f, &query).count, 0);
    query.ids = ids;
    query.id_count = 1;
    query.is_restricted = false;
    assert_int_equal(list_corpora(f, &query).count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(pages_are_newest_first_without_gaps_while_rows_are_added),
        store_test(a_page_that_just_fits_has_no_more),
        store_test(rows_come_with_parts_but_without_sealed_copies),
        store_test(a_filter_chooses_and_paging_still_works),
        store_test(a_filter_that_fails_ends_the_listing),
        store_test(corpora_are_listed_likewise),
        store_test(a_restricted_list_shows_only_what_it_names),
    };
    return RUN_TESTS(tests);
}
