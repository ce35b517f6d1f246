/* SPDX-License-Identifier: Apache-2.0 */
#include "documents_fixture.h"

static const char *const lines[] = {"Alpha is first.", "Beta is second.", "Gamma"};

static void what_was_added_is_got_with_its_parts(void **state)
{
    struct fixture *f = *state;
    assert_ok(f, fixture_try_add(f, &one, "a", lines, 3));
    fixture_reopen(f);
    struct document got;
    assert_ok(f, documents_get(f->documents, &one, SPAN("a"), &f->arena, &got, &f->err));
    assert_span_equal(got.id, "a");
    assert_span_equal(got.metadata, "{\"kind\":\"note\"}");
    assert_int_equal(got.created_at, 1700000000);
    assert_int_equal(got.part_count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_span_equal(got.parts[i].text, lines[i]);
    assert_span_equal(got.parts[2].metadata, "{\"n\":1}");
    assert_span_equal(got.parts[2].context, "where");
    assert_span_equal(got.parts[2].custom_dimensions, "{}");
}

static void an_id_is_taken_once_in_each_corpus(void **state)
{
    struct fixture *f = *state;
    fixture_add(f, &one, "a", "alpha");
    assert_status(f, fixture_try_add(f, &one, "a", lines, 2), CONFLICT);
    assert_int_equal(fixture_search(f, &one, "beta first"), 0); /* nothing of it was kept */
    fixture_add(f, &two, "a", "alpha");
    assert_ok(f, documents_delete(f->documents, &one, SPAN("a"), &f->err));
    fixture_add(f, &one, "a", "beta");
    assert_int_equal(fixture_search(f, &one, "beta"), 1);
}

static void another_account_or_corpus_sees_nothing(void **state)
{
    struct fixture *f = *state;
    struct document got;
    struct documents_size size;
    const struct documents_place pretended = {foreign.account_id, one.corpus_id};
    const struct documents_place *const others[] = {&two, &foreign, &pretended};
    fixture_add(f, &one, "a", "alpha");
    fixture_add(f, &two, "b", "beta");
    fixture_add(f, &foreign, "c", "gamma");
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        assert_status(f,
                      documents_get(f->documents, others[i], SPAN("a"), &f->arena, &got, &f->err),
                      NOT_FOUND);
        assert_status(f, documents_delete(f->documents, others[i], SPAN("a"), &f->err), NOT_FOUND);
        assert_int_equal(fixture_search(f, others[i], "alpha"), 0);
    }
    assert_ok(f, documents_reset(f->documents, &pretended, &f->err));
    assert_ok(f, documents_measure(f->documents, &pretended, &size, &f->err));
    assert_int_equal(size.documents, 0);
    assert_int_equal(fixture_search(f, &one, "alpha"), 1);
    assert_status(f, fixture_try_add(f, &pretended, "d", lines, 1), CONFLICT);
}

static void a_list_is_paged_newest_first(void **state)
{
    struct fixture *f = *state;
    struct documents_list list;
    struct documents_page page = {.before_sequence = INT64_MAX, .limit = 3};
    assert_ok(f, documents_list(f->documents, &one, &page, &f->arena, &list, &f->err));
    assert_int_equal(list.count, 0);
    for (unsigned i = 0; i < 7; i++) {
        const char id[] = {(char)('a' + i), '\0'};
        fixture_add(f, i == 3 ? &two : &one, id, "text");
    }
    char seen[16] = "";
    do {
        assert_ok(f, documents_list(f->documents, &one, &page, &f->arena, &list, &f->err));
        for (size_t i = 0; i < list.count; i++)
            (void)strncat(seen, list.items[i].id.ptr, 1);
        page.before_sequence = list.items[list.count - 1].sequence;
    } while (list.has_more);
    assert_string_equal(seen, "gfecba");
}

static void metadata_is_replaced_or_merged(void **state)
{
    struct fixture *f = *state;
    struct document got;
    struct documents_size size;
    struct documents_metadata change = {SPAN("a"), SPAN("{\"by\":null,\"n\":2}"), true};
    fixture_add(f, &one, "a", "alpha");
    assert_ok(f, documents_set_metadata(f->documents, &one, &change, &f->arena, &got, &f->err));
    assert_span_equal(got.metadata, "{\"kind\":\"note\",\"by\":null,\"n\":2}");
    change.merges = false;
    assert_ok(f, documents_set_metadata(f->documents, &one, &change, &f->arena, &got, &f->err));
    assert_ok(f, documents_get(f->documents, &one, SPAN("a"), &f->arena, &got, &f->err));
    assert_span_equal(got.metadata, "{\"by\":null,\"n\":2}");
    assert_ok(f, documents_measure(f->documents, &one, &size, &f->err));
    assert_int_equal(size.metadata_characters, 17 + 7);
    change.id = SPAN("b");
    assert_status(f, documents_set_metadata(f->documents, &one, &change, &f->arena, &got, &f->err),
                  NOT_FOUND);
}

static void what_grew_too_large_by_merging_is_refused(void **state)
{
    struct fixture *f = *state;
    struct document got;
    char *text = arena_alloc(&f->arena, DOCUMENT_METADATA_BYTES_MAX + 1);
    assert_non_null(text);
    int len = snprintf(text, DOCUMENT_METADATA_BYTES_MAX + 1, "{\"a\":\"%0*d\"}",
                       DOCUMENT_METADATA_BYTES_MAX - 8, 0);
    const struct documents_metadata change = {SPAN("a"), span_of(text, (size_t)len), true};
    assert_int_equal(len, DOCUMENT_METADATA_BYTES_MAX);
    fixture_add(f, &one, "a", "alpha");
    assert_status(f, documents_set_metadata(f->documents, &one, &change, &f->arena, &got, &f->err),
                  INVALID);
    assert_ok(f, documents_get(f->documents, &one, SPAN("a"), &f->arena, &got, &f->err));
    assert_span_equal(got.metadata, "{\"kind\":\"note\"}");
}

static void a_reset_leaves_other_corpora_alone(void **state)
{
    struct fixture *f = *state;
    struct documents_size size;
    struct documents_place place;
    int64_t number = 0;
    assert_ok(f, fixture_try_add(f, &one, "a", lines, 3));
    fixture_add(f, &one, "b", "Ünïcode");
    fixture_add(f, &two, "a", "alpha");
    assert_ok(f, documents_measure(f->documents, &one, &size, &f->err));
    assert_int_equal(size.documents, 2);
    assert_int_equal(size.parts, 4);
    assert_int_equal(size.characters, 15 + 15 + 5 + 7);
    assert_ok(f, documents_reset(f->documents, &one, &f->err));
    assert_ok(f, documents_measure(f->documents, &one, &size, &f->err));
    assert_int_equal(size.documents + size.parts + size.characters + size.metadata_characters, 0);
    assert_int_equal(fixture_search(f, &one, "alpha beta gamma"), 0);
    assert_int_equal(fixture_search(f, &two, "alpha"), 1);
    assert_ok(f, documents_next_corpus(f->documents, 0, &f->arena, &place, &number, &f->err));
    assert_span_equal(place.corpus_id, "crp_1");
    assert_ok(f, documents_forget(f->documents, &one, &f->err));
    assert_ok(f, documents_next_corpus(f->documents, 0, &f->arena, &place, &number, &f->err));
    assert_span_equal(place.corpus_id, "crp_2");
    assert_status(f,
                  documents_next_corpus(f->documents, number, &f->arena, &place, &number, &f->err),
                  NOT_FOUND);
}

static void a_retired_database_is_unavailable(void **state)
{
    struct fixture *f = *state;
    struct document got;
    documents_retire(f->documents);
    assert_status(f, fixture_try_add(f, &one, "a", lines, 1), UNAVAILABLE);
    assert_status(f, documents_get(f->documents, &one, SPAN("a"), &f->arena, &got, &f->err),
                  UNAVAILABLE);
    assert_int_equal(faccessat(f->data_fd, "documents.db-wal", F_OK, 0), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        documents_test(what_was_added_is_got_with_its_parts),
        documents_test(an_id_is_taken_once_in_each_corpus),
        documents_test(another_account_or_corpus_sees_nothing),
        documents_test(a_list_is_paged_newest_first),
        documents_test(metadata_is_replaced_or_merged),
        documents_test(what_grew_too_large_by_merging_is_refused),
        documents_test(a_reset_leaves_other_corpora_alone),
        documents_test(a_retired_database_is_unavailable),
    };
    return RUN_TESTS(tests);
}
