/* SPDX-License-Identifier: Apache-2.0 */
#include "documents_fixture.h"

#include "documents/documents_internal.h"

static void any_word_is_enough_in_any_case(void **state)
{
    struct fixture *f = *state;
    fixture_add(f, &one, "a", "All about Research.");
    fixture_add(f, &one, "b", "The DATA, collected.");
    fixture_add(f, &one, "c", "Neither.");
    assert_int_equal(fixture_search(f, &one, "research and data"), 2);
    assert_int_equal(fixture_search(f, &one, "reSEARCH"), 1);
    assert_span_equal(f->hits[0].document_id, "a");
    assert_span_equal(f->hits[0].text, "All about Research.");
    assert_span_equal(f->hits[0].document_metadata, "{\"kind\":\"note\"}");
    assert_span_equal(f->hits[0].part_metadata, "{\"n\":1}");
    assert_int_equal(f->hits[0].scope, 0);
    assert_true(f->hits[0].score > 0);
    assert_int_equal(fixture_search(f, &one, "resear"), 0); /* whole words only */
}

static void the_best_comes_first_and_pages_do_not_overlap(void **state)
{
    struct fixture *f = *state;
    static const char *const texts[] = {"apple pear", "apple apple apple", "plum",
                                        "apple pear plum fig", "fig"};
    assert_ok(f, fixture_try_add(f, &one, "a", texts, 5));
    assert_int_equal(fixture_search(f, &one, "apple"), 3);
    assert_span_equal(f->hits[0].text, "apple apple apple");
    assert_true(f->hits[0].score >= f->hits[1].score && f->hits[1].score >= f->hits[2].score);
    struct span all[3] = {f->hits[0].text, f->hits[1].text, f->hits[2].text};
    for (size_t i = 0; i < 3; i++) {
        fixture_search_page(f, &one, "apple", 1, (int64_t)i);
        assert_int_equal(f->hit_count, 1);
        assert_true(span_equal(f->hits[0].text, all[i]));
    }
    fixture_search_page(f, &one, "apple", 1, 3);
    assert_int_equal(f->hit_count, 0);
}

static void nothing_in_a_text_is_an_operator(void **state)
{
    struct fixture *f = *state;
    static const char *const nothing[] = {"",
                                          "\"",
                                          "*",
                                          "(",
                                          ")",
                                          "\"\"",
                                          "NOT",
                                          "AND OR",
                                          "corpus:1",
                                          "corpus",
                                          "1",
                                          "rowid",
                                          "x\" OR \"1",
                                          "^",
                                          "-",
                                          "{corpus}: 1",
                                          "\x7f",
                                          "'; DROP",
                                          "NEAR(x y)",
                                          "\" : \"",
                                          "+ +",
                                          "1*",
                                          "\\",
                                          "%s%n",
                                          "part_index",
                                          "rank",
                                          "\xe2\x80\x94",
                                          "\xf0\x9f\x98\x80"};
    fixture_add(f, &one, "a", "alpha beta");
    for (size_t i = 0; i < ARRAY_LEN(nothing); i++)
        assert_int_equal(fixture_search(f, &one, nothing[i]), 0);
    assert_int_equal(fixture_search(f, &one, "\"alpha\" OR * NEAR("), 1);
    assert_int_equal(fixture_search(f, &one, "NOT alpha"), 1);
    assert_int_equal(fixture_search(f, &one, "\xe2\x80\x94 alpha \xf0\x9f\x98\x80"), 1);
    fixture_add(f, &one, "b", "the near and not or words");
    assert_int_equal(fixture_search(f, &one, "NEAR"), 1);
}

static void letters_beyond_ascii_fold(void **state)
{
    struct fixture *f = *state;
    fixture_add(f, &one, "a", "Größe für ÄPFEL");
    fixture_add(f, &one, "b", "Привет мир");
    assert_int_equal(fixture_search(f, &one, "äpfel"), 1);
    assert_int_equal(fixture_search(f, &one, "apfel"), 1);
    assert_int_equal(fixture_search(f, &one, "ПРИВЕТ"), 1);
}

static void corpora_are_searched_together_each_with_its_text(void **state)
{
    struct fixture *f = *state;
    fixture_add(f, &one, "a", "alpha shared");
    fixture_add(f, &two, "b", "beta shared");
    fixture_add(f, &foreign, "c", "alpha beta shared");
    struct documents_scope scopes[] = {{SPAN("crp_2"), SPAN("shared")},
                                       {SPAN("crp_none"), SPAN("shared")},
                                       {SPAN("crp_1"), SPAN("shared")},
                                       {SPAN("crp_3"), SPAN("shared")}};
    const struct documents_search search = {SPAN("acc_1"), scopes, 4, .limit = 10};
    assert_ok(f,
              documents_search(f->documents, &search, &f->arena, &f->hits, &f->hit_count, &f->err));
    assert_int_equal(f->hit_count, 2);
    assert_int_equal(f->hits[0].scope + f->hits[1].scope, 0 + 2);
    scopes[0].text = SPAN("alpha");
    scopes[2].text = SPAN("alpha");
    scopes[3].text = SPAN("!");
    assert_ok(f,
              documents_search(f->documents, &search, &f->arena, &f->hits, &f->hit_count, &f->err));
    assert_int_equal(f->hit_count, 1);
    assert_int_equal(f->hits[0].scope, 2);
    scopes[2].text = SPAN("beta");
    assert_ok(f,
              documents_search(f->documents, &search, &f->arena, &f->hits, &f->hit_count, &f->err));
    assert_int_equal(f->hit_count, 0); /* each of the two in the wrong one */
}

static void an_answer_ends_where_it_would_be_too_large(void **state)
{
    struct fixture *f = *state;
    char *text = arena_alloc(&f->arena, DOCUMENT_PART_TEXT_BYTES_MAX + 1);
    assert_non_null(text);
    memset(text, 'x', DOCUMENT_PART_TEXT_BYTES_MAX);
    memcpy(text, "word ", 5);
    text[DOCUMENT_PART_TEXT_BYTES_MAX] = '\0';
    for (unsigned i = 0; i < 20; i++) {
        const char id[] = {(char)('a' + i), '\0'};
        fixture_add(f, &one, id, text);
    }
    fixture_search_page(f, &one, "word", 20, 0);
    assert_in_range(f->hit_count, 16, 18);
    fixture_search_page(f, &one, "word", 20, (int64_t)f->hit_count);
    assert_in_range(f->hit_count, 2, 4);
}

static void no_more_run_at_once_than_may(void **state)
{
    struct fixture *f = *state;
    fixture_add(f, &one, "a", "apple");
    const struct documents_scope scope = {.corpus_id = one.corpus_id, .text = SPAN("apple")};
    const struct documents_search search = {
        .account_id = one.account_id, .scopes = &scope, .scope_count = 1, .limit = 1};
    unsigned most = f->documents->searches_max;
    assert_in_range(most, 1, 1000);
    f->documents->searches_max = 0;
    assert_status(f,
                  documents_search(f->documents, &search, &f->arena, &f->hits, &f->hit_count,
                                   &f->err),
                  UNAVAILABLE);
    f->documents->searches_max = most;
    for (unsigned i = 0; i < 2 * most; i++) /* what ended makes room */
        assert_int_equal(fixture_search(f, &one, "apple"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        documents_test(any_word_is_enough_in_any_case),
        documents_test(the_best_comes_first_and_pages_do_not_overlap),
        documents_test(nothing_in_a_text_is_an_operator),
        documents_test(letters_beyond_ascii_fold),
        documents_test(corpora_are_searched_together_each_with_its_text),
        documents_test(an_answer_ends_where_it_would_be_too_large),
        documents_test(no_more_run_at_once_than_may),
    };
    return RUN_TESTS(tests);
}
