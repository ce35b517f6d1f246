/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_corpus_fields.h"

#include "model/corpus.h"

#include "fields_fixture.h"

static const struct table table = {corpus_fields, CORPUS_FIELD_COUNT};

static void read_corpus(struct reading *r, const char *body, struct corpus *corpus)
{
    *corpus = (struct corpus){.filter_attributes = SPAN("[]"), .custom_dimensions = SPAN("[]")};
    reading_open(r, &table, FIELD_CREATE, body, corpus);
}

static void a_whole_body_is_kept_normalised(void **state)
{
    (void)state;
    struct reading r;
    struct corpus corpus;
    read_corpus(&r,
                "{'key':'My_Corpus-1=','name':'Mine','description':'two\\nlines',"
                "'save_history':true,'queries_are_answers':true,'documents_are_questions':false,"
                "'encoder_name':'e','encoder_id':'enc_1','filter_attributes':[{'type':'list[text]',"
                "'level':'part','name':'tags','indexed':false,'description':'d'}],"
                "'custom_dimensions':[{'name':'votes','indexing_default':0.5}]}",
                &corpus);
    assert_int_equal(r.status, OK);
    assert_span_equal(corpus.key, "My_Corpus-1=");
    assert_span_equal(corpus.description, "two\nlines");
    assert_true(corpus.has_description);
    assert_true(corpus.save_history);
    assert_span_equal(corpus.filter_attributes,
                      "[{\"name\":\"tags\",\"level\":\"part\",\"type\":\"list[text]\","
                      "\"description\":\"d\",\"indexed\":false}]");
    assert_span_equal(corpus.custom_dimensions,
                      "[{\"name\":\"votes\",\"indexing_default\":0.5,\"querying_default\":0}]");
    reading_close(&r);
}

/* The contract: what is null is as if it were absent. */
static void null_and_absent_members_leave_the_defaults(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "{'key':'k'}",
        "{'key':'k','name':null,'description':null,'save_history':null,'encoder_id':null,"
        "'encoder_name':null,'filter_attributes':null,'custom_dimensions':null}",
    };
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct reading r;
        struct corpus corpus;
        read_corpus(&r, bodies[i], &corpus);
        assert_int_equal(r.status, OK);
        assert_int_equal(r.seen, 1u << 1);
        assert_int_equal(corpus.name.len, 0);
        assert_false(corpus.has_description);
        assert_span_equal(corpus.filter_attributes, "[]");
        assert_span_equal(corpus.custom_dimensions, "[]");
        reading_close(&r);
    }
}

static void members_of_an_element_that_are_null_leave_its_defaults(void **state)
{
    (void)state;
    struct reading r;
    struct corpus corpus;
    read_corpus(&r,
                "{'key':'k','filter_attributes':[{'name':'a','level':'document','type':'text',"
                "'description':null,'indexed':null}],'custom_dimensions':[{'name':'d',"
                "'description':null,'indexing_default':null,'querying_default':null}]}",
                &corpus);
    assert_int_equal(r.status, OK);
    assert_span_equal(corpus.filter_attributes,
                      "[{\"name\":\"a\",\"level\":\"document\",\"type\":\"text\","
                      "\"indexed\":true}]");
    assert_span_equal(corpus.custom_dimensions,
                      "[{\"name\":\"d\",\"indexing_default\":0,\"querying_default\":0}]");
    reading_close(&r);
}

/* Filter attributes come back as they were sent. */
static void an_empty_description_of_an_element_is_kept(void **state)
{
    (void)state;
    struct reading r;
    struct corpus corpus;
    read_corpus(&r,
                "{'key':'k','filter_attributes':[{'name':'a','level':'part','type':'boolean',"
                "'description':''}],'custom_dimensions':[{'name':'d','description':''}]}",
                &corpus);
    assert_int_equal(r.status, OK);
    assert_span_equal(corpus.filter_attributes,
                      "[{\"name\":\"a\",\"level\":\"part\",\"type\":\"boolean\","
                      "\"description\":\"\",\"indexed\":true}]");
    assert_span_equal(corpus.custom_dimensions,
                      "[{\"name\":\"d\",\"description\":\"\",\"indexing_default\":0,"
                      "\"querying_default\":0}]");
    reading_close(&r);
}

static void every_type_and_level_of_the_contract_is_taken(void **state)
{
    (void)state;
    static const char *const types[] = {"integer",   "real_number",   "text",
                                        "boolean",   "list[integer]", "list[real_number]",
                                        "list[text]"};
    for (size_t i = 0; i < 2 * ARRAY_LEN(types); i++) {
        char body[160];
        struct reading r;
        struct corpus corpus;
        (void)snprintf(body, sizeof body,
                       "{'key':'k','filter_attributes':[{'name':'a','level':'%s','type':'%s'}]}",
                       i % 2 == 0 ? "document" : "part", types[i / 2]);
        read_corpus(&r, body, &corpus);
        assert_int_equal(r.status, OK);
        reading_close(&r);
    }
}

static void numbers_are_written_as_json(void **state)
{
    (void)state;
    static const struct {
        const char *given;
        const char *kept;
    } cases[] = {
        {"0", "0"},
        {"-1", "-1"},
        {"1.5", "1.5"},
        {"0.1", "0.10000000000000001"},
        {"9223372036854775807", "9223372036854775807"},
        {"-9223372036854775808", "-9223372036854775808"},
        {"1e308", "1e308"},
        {"-2.2250738585072014e-308", "-2.2250738585072014e-308"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char body[160];
        char kept[160];
        struct reading r;
        struct corpus corpus;
        (void)snprintf(body, sizeof body,
                       "{'key':'k','custom_dimensions':[{'name':'d','querying_default':%s}]}",
                       cases[i].given);
        (void)snprintf(kept, sizeof kept,
                       "[{\"name\":\"d\",\"indexing_default\":0,\"querying_default\":%s}]",
                       cases[i].kept);
        read_corpus(&r, body, &corpus);
        assert_int_equal(r.status, OK);
        /* "1e+308" and "1e308" are the same number. */
        if (strchr(cases[i].given, 'e') == NULL)
            assert_span_equal(corpus.custom_dimensions, kept);
        AUTO(json) json_t *json = NULL;
        assert_int_equal(json_parse(corpus.custom_dimensions, &json_limits_default, &json, NULL),
                         OK);
        reading_close(&r);
    }
}

#define ATTRIBUTE(members) "{'key':'k','filter_attributes':[{" members "}]}"
#define DIMENSION(members) "{'key':'k','custom_dimensions':[{" members "}]}"
#define SIXTY_FIVE         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LEVEL_TYPE         "'level':'part','type':'text'"
#define GOOD_ATTRIBUTE     "{'name':'a'," LEVEL_TYPE "}"

static void each_wrong_body_names_its_field(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        const char *field;
    } cases[] = {
        {"{}", "key"},
        {"{'key':null}", "key"},
        {"{'key':''}", "key"},
        {"{'key':7}", "key"},
        {"{'key':'invalid!@#$%^&*()'}", "key"},
        {"{'key':'a b'}", "key"},
        {"{'key':'caf\u00e9'}", "key"},
        {"{'key':'123456789012345678901234567890123456789012345678901'}", "key"},
        {"{'key':'k','id':'crp_1'}", "id"},
        {"{'key':'k','enabled':false}", "enabled"},
        {"{'key':'k','created_at':'2025-06-17T15:10:00Z'}", "created_at"},
        {"{'key':'k','corpus_key':'k'}", "corpus_key"},
        {"{'key':'k','':1}", ""},
        {"{'key':'k','name':''}", "name"},
        {"{'key':'k','name':'a\\nb'}", "name"},
        {"{'key':'k','description':'\\u202e'}", "description"},
        {"{'key':'k','save_history':'true'}", "save_history"},
        {"{'key':'k','save_history':1}", "save_history"},
        {"{'key':'k','encoder_name':''}", "encoder_name"},
        {"{'key':'k','encoder_id':'" SIXTY_FIVE "'}", "encoder_id"},
        {"{'key':'k','filter_attributes':{}}", "filter_attributes"},
        {"{'key':'k','filter_attributes':'[]'}", "filter_attributes"},
        {"{'key':'k','filter_attributes':[null]}", "filter_attributes[0]"},
        {"{'key':'k','filter_attributes':[[]]}", "filter_attributes[0]"},
        {"{'key':'k','filter_attributes':[" GOOD_ATTRIBUTE ",7]}", "filter_attributes[1]"},
        {ATTRIBUTE(LEVEL_TYPE), "filter_attributes[0]"},
        {ATTRIBUTE("'name':''," LEVEL_TYPE), "filter_attributes[0]"},
        {ATTRIBUTE("'name':'" SIXTY_FIVE "'," LEVEL_TYPE), "filter_attributes[0]"},
        {ATTRIBUTE("'name':'a','type':'text'"), "filter_attributes[0]"},
        {ATTRIBUTE("'name':'a','level':'page','type':'text'"), "filter_attributes[0]"},
        {ATTRIBUTE("'name':'a','level':'part'"), "filter_attributes[0]"},
        {ATTRIBUTE("'name':'a','level':'part','type':'list[boolean]'"), "filter_attributes[0]"},
        {ATTRIBUTE("'name':'a','level':'part','type':'text '"), "filter_attributes[0]"},
        {ATTRIBUTE("'name':'a','indexed':'yes'," LEVEL_TYPE), "filter_attributes[0]"},
        {ATTRIBUTE("'name':'a','description':1," LEVEL_TYPE), "filter_attributes[0]"},
        {ATTRIBUTE("'name':'a','unknown':1," LEVEL_TYPE), "filter_attributes[0]"},
        {"{'key':'k','filter_attributes':[" GOOD_ATTRIBUTE "," GOOD_ATTRIBUTE "]}",
         "filter_attributes[1]"},
        {DIMENSION(""), "custom_dimensions[0]"},
        {DIMENSION("'name':'a','indexing_default':'1'"), "custom_dimensions[0]"},
        {DIMENSION("'name':'a','querying_default':true"), "custom_dimensions[0]"},
        {DIMENSION("'name':'a','querying_default':[1]"), "custom_dimensions[0]"},
        {DIMENSION("'name':'a'},{'name':'a'"), "custom_dimensions[1]"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct reading r;
        struct corpus corpus;
        read_corpus(&r, cases[i].body, &corpus);
        if (r.status != INVALID || reading_problem(&r, cases[i].field).len == 0)
            print_error("%s\n", cases[i].body);
        assert_int_equal(r.status, INVALID);
        assert_true(reading_problem(&r, cases[i].field).len > 0);
        assert_int_equal(r.problems.count > PROBLEMS_MAX, 0);
        reading_close(&r);
    }
}

static void a_key_of_fifty_characters_is_the_longest(void **state)
{
    (void)state;
    struct reading r;
    struct corpus corpus;
    read_corpus(&r, "{'key':'12345678901234567890123456789012345678901234567890'}", &corpus);
    assert_int_equal(r.status, OK);
    assert_int_equal(corpus.key.len, CORPUS_KEY_LEN_MAX);
    reading_close(&r);
}

/* A body with count attributes, each with a description of len bytes. */
static void read_many(struct reading *r, unsigned count, size_t len, struct corpus *corpus)
{
    struct buf body AUTO(buf);
    buf_init(&body, 1 << 22);
    buf_printf(&body, "{'key':'k','filter_attributes':[");
    for (unsigned i = 0; i < count; i++) {
        buf_printf(&body, "%s{'name':'a%u'," LEVEL_TYPE ",'description':'", i > 0 ? "," : "", i);
        for (size_t at = 0; at < len; at++)
            buf_byte(&body, 'd');
        buf_printf(&body, "'}");
    }
    buf_printf(&body, "]}");
    buf_byte(&body, '\0');
    assert_true(buf_ok(&body));
    read_corpus(r, body.data, corpus);
}

static void attributes_have_limits_on_number_and_size(void **state)
{
    (void)state;
    struct reading r;
    struct corpus corpus;
    read_many(&r, 256, 1, &corpus);
    assert_int_equal(r.status, OK);
    reading_close(&r);
    read_many(&r, 257, 1, &corpus);
    assert_int_equal(r.status, INVALID);
    assert_true(reading_problem(&r, "filter_attributes").len > 0);
    reading_close(&r);
    read_many(&r, 40, 1000, &corpus);
    assert_int_equal(r.status, INVALID);
    assert_true(reading_problem(&r, "filter_attributes").len > 0);
    reading_close(&r);
}

static void what_is_written_has_the_names_of_the_contract(void **state)
{
    (void)state;
    const struct corpus corpus = {
        .id = SPAN("crp_1"),
        .key = SPAN("k"),
        .name = SPAN("a \"name\""),
        .is_enabled = true,
        .encoder_name = SPAN("e"),
        .filter_attributes = SPAN("[]"),
        .custom_dimensions = SPAN("[{\"name\":\"d\"}]"),
        .created_at = 1750173000,
    };
    struct buf text AUTO(buf);
    reading_written(&table, &corpus, &text);
    assert_string_equal(
        text.data,
        "{\"id\":\"crp_1\",\"key\":\"k\",\"name\":\"a \\\"name\\\"\",\"enabled\":true,"
        "\"save_history\":false,\"queries_are_answers\":false,\"documents_are_questions\":false,"
        "\"encoder_name\":\"e\",\"filter_attributes\":[],"
        "\"custom_dimensions\":[{\"name\":\"d\"}],\"created_at\":\"2025-06-17T15:10:00Z\"}");
}

static void without_memory_no_wrong_body_is_taken(void **state)
{
    (void)state;
    struct corpus corpus = {0};
    reading_without_memory(&table, "{'key':'k','save_history':7}", &corpus);
    reading_without_memory(&table, "{'key':'k','filter_attributes':[{'name':'a'}]}", &corpus);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_body_is_kept_normalised),
        cmocka_unit_test(null_and_absent_members_leave_the_defaults),
        cmocka_unit_test(members_of_an_element_that_are_null_leave_its_defaults),
        cmocka_unit_test(an_empty_description_of_an_element_is_kept),
        cmocka_unit_test(every_type_and_level_of_the_contract_is_taken),
        cmocka_unit_test(numbers_are_written_as_json),
        cmocka_unit_test(each_wrong_body_names_its_field),
        cmocka_unit_test(a_key_of_fifty_characters_is_the_longest),
        cmocka_unit_test(attributes_have_limits_on_number_and_size),
        cmocka_unit_test(what_is_written_has_the_names_of_the_contract),
        cmocka_unit_test(without_memory_no_wrong_body_is_taken),
    };
    return RUN_TESTS(tests);
}
