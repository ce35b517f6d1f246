/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_document_fields.h"

#include "fields_fixture.h"

struct intake {
    struct reading r;
    json_t *body; /* the document's texts are borrowed from it */
    struct document document;
};

static void take(struct intake *in, const char *body)
{
    *in = (struct intake){.r.problems.arena = &in->r.arena, .body = reading_parse(body)};
    arena_init(&in->r.arena, 1 << 22);
    in->r.status = api_document_read(in->body, &in->r.arena, &in->document, &in->r.problems);
}

static void done(struct intake *in)
{
    json_decref(in->body);
    reading_close(&in->r);
}

static void assert_part(const struct intake *in, size_t at, const char *text, const char *metadata)
{
    assert_in_range(at + 1, 1, in->document.part_count);
    assert_span_equal(in->document.parts[at].text, text);
    assert_span_equal(in->document.parts[at].metadata, metadata);
}

static void a_core_document_is_its_parts(void **state)
{
    (void)state;
    struct intake in;
    take(&in, "{'id':'a','type':'core','metadata':{'b':[1,null]},'document_parts':["
              "{'text':'One','metadata':{'n':1},'context':'c','custom_dimensions':{'w':2}},"
              "{'text':'Two','metadata':null,'table_id':null}],'tables':[],'images':null}");
    assert_int_equal(in.r.status, OK);
    assert_span_equal(in.document.id, "a");
    assert_span_equal(in.document.metadata, "{\"b\":[1,null]}");
    assert_int_equal(in.document.part_count, 2);
    assert_part(&in, 0, "One", "{\"n\":1}");
    assert_span_equal(in.document.parts[0].context, "c");
    assert_span_equal(in.document.parts[0].custom_dimensions, "{\"w\":2}");
    assert_part(&in, 1, "Two", "{}");
    done(&in);
}

static void sections_become_parts_in_the_order_of_reading(void **state)
{
    (void)state;
    struct intake in;
    take(&in, "{'id':'a','title':'T','description':'D','sections':["
              "{'id':-1,'title':'S','text':'One. Two.','metadata':{'m':1},"
              "'sections':[{'text':'In','sections':[{'text':'Deep'}]},{'text':'Next'}]},"
              "{'text':'Last'}]}");
    assert_int_equal(in.r.status, OK);
    assert_int_equal(in.document.part_count, 9);
    assert_part(&in, 0, "T", "{\"is_title\":true}");
    assert_part(&in, 1, "D", "{}");
    assert_part(&in, 2, "S", "{\"m\":1,\"section\":-1,\"is_title\":true}");
    assert_part(&in, 3, "One.", "{\"m\":1,\"section\":-1}");
    assert_part(&in, 4, "Two.", "{\"m\":1,\"section\":-1}");
    assert_part(&in, 5, "In", "{}");
    assert_part(&in, 6, "Deep", "{}");
    assert_part(&in, 7, "Next", "{}");
    assert_part(&in, 8, "Last", "{}");
    done(&in);
}

static void what_is_wrong_is_named_by_its_path(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        const char *field;
    } cases[] = {
        {"{'document_parts':[{'text':'a'}]}", "id"},
        {"{'id':7,'document_parts':[{'text':'a'}]}", "id"},
        {"{'id':'a'}", "document_parts"},
        {"{'id':'a','document_parts':{}}", "document_parts"},
        {"{'id':'a','document_parts':[{'text':'a'},{'text':1}]}", "document_parts[1].text"},
        {"{'id':'a','document_parts':[{'text':'a','image_id':'i'}]}", "document_parts[0].image_id"},
        {"{'id':'a','document_parts':[{'text':'a','custom_dimensions':{'a':'b'}}]}",
         "document_parts[0].custom_dimensions"},
        {"{'id':'a','document_parts':[{'text':'a','x':1}]}", "document_parts[0].x"},
        {"{'id':'a','type':'core','sections':[{'text':'a'}]}", "sections"},
        {"{'id':'a','type':'tables','sections':[{'text':'a'}]}", "type"},
        {"{'id':'a','sections':[{'text':'a','id':2147483648}]}", "sections[0].id"},
        {"{'id':'a','sections':[{'text':'a','sections':[{'text':'b','metadata':1}]}]}",
         "sections[0].sections[0].metadata"},
        {"{'id':'a','sections':[{'text':'a','sections':7}]}", "sections[0].sections"},
        {"{'id':'a','sections':[{'text':'a'}],'chunking_strategy':{'type':'x'}}",
         "chunking_strategy.type"},
        {"{'id':'a','sections':[{'text':'a'}],"
         "'chunking_strategy':{'type':'max_chars_chunking_strategy'}}",
         "chunking_strategy.max_chars_per_chunk"},
        {"{'id':'a','images':[{}],'document_parts':[{'text':'a'}]}", "images"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct intake in;
        take(&in, cases[i].body);
        assert_int_equal(in.r.status, INVALID);
        if (reading_problem(&in.r, cases[i].field).len == 0)
            print_error("%s is not named for %s\n", cases[i].field, cases[i].body);
        assert_true(reading_problem(&in.r, cases[i].field).len > 0);
        done(&in);
    }
}

static void without_memory_nothing_is_taken_by_halves(void **state)
{
    (void)state;
    AUTO(json)
    json_t *body = reading_parse(
        "{'id':'a','metadata':{'k':'v'},'sections':[{'id':1,'title':'t','text':'a. b. c.'}]}");
    bool was_taken = false;
    for (size_t limit = 0; limit < 1 << 17; limit += 512) {
        struct arena arena;
        struct problems problems = {.arena = &arena};
        struct document document;
        arena_init(&arena, limit);
        enum status status = api_document_read(body, &arena, &document, &problems);
        if (status == OK) {
            assert_int_equal(document.part_count, 4);
            assert_span_equal(document.metadata, "{\"k\":\"v\"}");
            was_taken = true;
        }
        arena_done(&arena);
    }
    assert_true(was_taken);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_core_document_is_its_parts),
        cmocka_unit_test(sections_become_parts_in_the_order_of_reading),
        cmocka_unit_test(what_is_wrong_is_named_by_its_path),
        cmocka_unit_test(without_memory_nothing_is_taken_by_halves),
    };
    return RUN_TESTS(tests);
}
