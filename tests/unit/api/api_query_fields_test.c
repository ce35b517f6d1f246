/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_query_fields.h"

#include "fields_fixture.h"

struct asked {
    struct reading r;
    json_t *body; /* texts are borrowed from it */
    struct api_query query;
};

static void ask(struct asked *a, enum api_query_corpora corpora, const char *body)
{
    *a = (struct asked){.r.problems.arena = &a->r.arena, .body = reading_parse(body)};
    arena_init(&a->r.arena, 1 << 20);
    a->r.status = api_query_read(a->body, corpora, &a->r.arena, &a->query, &a->r.problems);
}

static void done(struct asked *a)
{
    json_decref(a->body);
    reading_close(&a->r);
}

static void each_corpus_has_its_text_or_the_querys(void **state)
{
    (void)state;
    struct asked a;
    ask(&a, API_QUERY_MANY,
        "{'query':'main','search':{'corpora':[{'corpus_key':'a'},{'corpus_key':'b','query':'own'}],"
        "'limit':100,'offset':10000}}");
    assert_int_equal(a.r.status, OK);
    assert_int_equal(a.query.corpus_count, 2);
    assert_span_equal(a.query.corpora[0].key, "a");
    assert_span_equal(a.query.corpora[0].text, "main");
    assert_span_equal(a.query.corpora[1].text, "own");
    assert_int_equal(a.query.limit, 100);
    assert_int_equal(a.query.offset, 10000);
    done(&a);
    ask(&a, API_QUERY_ONE, "{'query':'main'}");
    assert_int_equal(a.r.status, OK);
    assert_span_equal(a.query.corpora[0].text, "main");
    assert_int_equal(a.query.limit, 10);
    assert_int_equal(a.query.offset, 0);
    done(&a);
}

static void what_this_server_does_not_have_is_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        enum api_query_corpora corpora;
        const char *body;
        const char *field;
    } cases[] = {
        {API_QUERY_ONE, "{'search':{}}", "query"},
        {API_QUERY_ONE, "{'query':'a','generation':{'enabled':null}}", "generation"},
        {API_QUERY_ONE, "{'query':'a','generation':'x'}", "generation"},
        {API_QUERY_ONE, "{'query':'a','stream_response':true}", "stream_response"},
        {API_QUERY_ONE, "{'query':'a','search':{'corpora':[{'corpus_key':'a'}]}}",
         "search.corpora"},
        {API_QUERY_ONE, "{'query':'a','search':{'reranker':{'type':'chain'}}}",
         "search.reranker.type"},
        {API_QUERY_ONE, "{'query':'a','search':{'reranker':{}}}", "search.reranker.type"},
        {API_QUERY_ONE, "{'query':'a','search':{'lexical_interpolation':-0.1}}",
         "search.lexical_interpolation"},
        {API_QUERY_ONE, "{'query':'a','search':{'limit':1.5}}", "search.limit"},
        {API_QUERY_MANY, "{'query':'a'}", "search"},
        {API_QUERY_MANY, "{'query':'a','search':{}}", "search.corpora"},
        {API_QUERY_MANY, "{'query':'a','search':{'corpora':[{}]}}", "search.corpora[0].corpus_key"},
        {API_QUERY_MANY,
         "{'query':'a','search':{'corpora':[{'corpus_key':'a','metadata_filter':'x'}]}}",
         "search.corpora[0].metadata_filter"},
        {API_QUERY_MANY, "{'query':'a','search':{'metadata_filter':''}}", "search.metadata_filter"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct asked a;
        ask(&a, cases[i].corpora, cases[i].body);
        assert_int_equal(a.r.status, INVALID);
        if (reading_problem(&a.r, cases[i].field).len == 0)
            print_error("%s is not named for %s\n", cases[i].field, cases[i].body);
        assert_true(reading_problem(&a.r, cases[i].field).len > 0);
        done(&a);
    }
}

static void a_query_string_is_held_to_the_same(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *field; /* NULL: it is taken */
    } cases[] = {
        {"query=a&limit=7&offset=2&save_history=true&intelligent_query_rewriting=false", NULL},
        {"limit=7", "query"},
        {"query=a&query=b", "query"},
        {"query=a&limit=101", "limit"},
        {"query=a&offset=10001", "offset"},
        {"query=a&save_history=yes", "save_history"},
        {"query=a&intelligent_query_rewriting=true", "intelligent_query_rewriting"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct reading r = {.problems.arena = &r.arena};
        struct form form;
        struct api_query query;
        arena_init(&r.arena, 1 << 16);
        assert_int_equal(form_parse(span_cstr(cases[i].text), &r.arena, &form, NULL), OK);
        r.status = api_query_read_form(&form, &query, &r.problems);
        assert_int_equal(r.status, cases[i].field == NULL ? OK : INVALID);
        if (cases[i].field != NULL)
            assert_true(reading_problem(&r, cases[i].field).len > 0);
        else
            assert_true(query.limit == 7 && query.offset == 2 && query.corpus_count == 1);
        reading_close(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_corpus_has_its_text_or_the_querys),
        cmocka_unit_test(what_this_server_does_not_have_is_refused_by_name),
        cmocka_unit_test(a_query_string_is_held_to_the_same),
    };
    return RUN_TESTS(tests);
}
