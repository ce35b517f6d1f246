/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json.h"

#include "../unit.h"

static enum status parse(struct span text)
{
    AUTO(json) json_t *json = NULL;
    enum status status = json_parse(text, &json_limits_default, &json, NULL);
    if (status != OK)
        json = NULL;
    return status;
}

static void good_texts_are_taken(void **state)
{
    (void)state;
    static const char *const good[] = {"{}",
                                       "[]",
                                       "1",
                                       "-1.5e3",
                                       "\"a\"",
                                       "null",
                                       " {\"a\" : [true,false]} \n",
                                       "\"\\ud83d\\ude00\"",
                                       "9223372036854775807",
                                       "[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_int_equal(parse(span_cstr(good[i])), OK);
}

static void bad_texts_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      " ",
                                      "{",
                                      "{\"a\":1,}",
                                      "{\"a\":1}x",
                                      "{}{}",
                                      "{a:1}",
                                      "'a'",
                                      "01",
                                      "NaN",
                                      "1e400",
                                      "9223372036854775808",
                                      "\"\\u0000\"",
                                      "\"\\ud800\"",
                                      "\"\xff\"",
                                      "\"\xed\xa0\x80\"",
                                      "\"\xc0\xaf\"",
                                      "\xef\xbb\xbf{}",
                                      "{\"a\":1,\"a\":2}",
                                      "{\"a\":1,\"\\u0061\":2}",
                                      "// c\n{}",
                                      "\"\n\"",
                                      "[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(parse(span_cstr(bad[i])), INVALID);
    assert_int_equal(parse(span_of("{}\0", 3)), INVALID);
    assert_int_equal(parse(span_of("\"a\0b\"", 5)), INVALID);
}

/* J29, J31: refused before a tree is built, without recursion. */
static void deep_and_wide_texts_are_refused(void **state)
{
    (void)state;
    static char text[200000];
    memset(text, '[', sizeof text);
    assert_int_equal(parse(span_of(text, sizeof text)), INVALID);
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = i % 2 == 0 ? '1' : ',';
    text[0] = '[';
    assert_int_equal(parse(span_of(text, sizeof text)), INVALID);
    /* Brackets and commas inside strings count for nothing. */
    memset(text, '[', sizeof text);
    for (size_t i = 0; i < sizeof text; i += 3)
        text[i] = ',';
    text[0] = '"';
    text[sizeof text - 1] = '"';
    assert_int_equal(parse(span_of(text, sizeof text)), OK);
}

static void every_cut_of_a_good_text_is_refused(void **state)
{
    (void)state;
    struct span text = SPAN("{\"name\":\"a\\u00e9\",\"roles\":[\"owner\",1.5,true,null]}");
    for (size_t len = 0; len < text.len; len++)
        assert_int_equal(parse(span_first(text, len)), INVALID);
}

static void errors_say_where_and_echo_nothing(void **state)
{
    (void)state;
    AUTO(json) json_t *json = NULL;
    struct err err = {0};
    assert_int_equal(
        json_parse(SPAN("{\n\"pst_cs_secret\": pst_cs_secret}"), &json_limits_default, &json, &err),
        INVALID);
    assert_non_null(strstr(err.detail, "line 2"));
    assert_null(strstr(err.detail, "secret"));
}

static void the_writer_places_commas_and_escapes(void **state)
{
    (void)state;
    struct buf text AUTO(buf);
    struct json_writer writer;
    buf_init(&text, 4096);
    json_writer_init(&writer, &text);
    json_object_open(&writer);
    json_member_text(&writer, SPAN("a"), SPAN("\"\\\n\x01\x7f\xe2\x80\xa8/\xc3\xa9"));
    json_name(&writer, SPAN("b"));
    json_array_open(&writer);
    json_write_int(&writer, INT64_MIN);
    json_write_bool(&writer, true);
    json_write_null(&writer);
    json_object_open(&writer);
    json_object_close(&writer);
    json_array_close(&writer);
    json_member_time(&writer, SPAN("t"), 0);
    json_object_close(&writer);
    assert_true(buf_ok(&text));
    assert_span_equal(
        buf_span(&text),
        "{\"a\":\"\\\"\\\\\\n\\u0001\\u007f\\u2028/\xc3\xa9\",\"b\":[-9223372036854775808,true,"
        "null,{}],\"t\":\"1970-01-01T00:00:00Z\"}");
}

static void a_writer_too_deep_fails(void **state)
{
    (void)state;
    struct buf text AUTO(buf);
    struct json_writer writer;
    buf_init(&text, 4096);
    json_writer_init(&writer, &text);
    for (int i = 0; i < 2 * JSON_WRITER_DEPTH; i++)
        json_array_open(&writer);
    assert_false(buf_ok(&text));
}

/* As deep as what is read. */
static void a_writer_goes_as_deep_as_its_depth(void **state)
{
    (void)state;
    struct buf text AUTO(buf);
    struct json_writer writer;
    buf_init(&text, 4096);
    json_writer_init(&writer, &text);
    for (int i = 0; i < JSON_WRITER_DEPTH; i++)
        json_array_open(&writer);
    json_write_int(&writer, 1);
    json_write_int(&writer, 2);
    for (int i = 0; i < JSON_WRITER_DEPTH; i++)
        json_array_close(&writer);
    assert_true(buf_ok(&text));
    assert_span_equal(buf_span(&text), "[[[[[[[[[[[[[[[[1,2]]]]]]]]]]]]]]]]");
    assert_int_equal(parse(buf_span(&text)), OK);
}

static void every_string_reads_back_as_it_was(void **state)
{
    (void)state;
    char all[512];
    struct buf text AUTO(buf);
    struct json_writer writer;
    AUTO(json) json_t *json = NULL;
    size_t len = 0;
    for (char byte = 1; byte < 0x7f; byte++)
        all[len++] = byte;
    static const char rest[] = "\x7f\xc2\x80\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa"
                               "\xf0\x9f\x98\x80\xef\xbf\xbf";
    memcpy(all + len, rest, sizeof rest - 1);
    len += sizeof rest - 1;
    buf_init(&text, 4096);
    json_writer_init(&writer, &text);
    json_object_open(&writer);
    json_member_text(&writer, span_of(all, len), span_of(all, len));
    json_object_close(&writer);
    for (size_t i = 0; i < text.len; i++)
        assert_true((unsigned char)text.data[i] >= 0x20 && text.data[i] != 0x7f);
    assert_int_equal(json_parse(buf_span(&text), &json_limits_default, &json, NULL), OK);
    const char *name = json_object_iter_key(json_object_iter(json));
    assert_true(span_equal(span_cstr(name), span_of(all, len)));
    assert_true(
        span_equal(json_text(json_object_iter_value(json_object_iter(json))), span_of(all, len)));
}

static void the_writer_has_a_spelling_for_each_thing(void **state)
{
    (void)state;
    struct buf text AUTO(buf);
    struct json_writer writer;
    buf_init(&text, 4096);
    json_writer_init(&writer, &text);
    json_array_open(&writer);
    json_write_raw(&writer, SPAN("{\"a\":1}"));
    json_write_raw(&writer, SPAN("2"));
    json_object_open(&writer);
    json_member_int(&writer, SPAN("i"), INT64_MAX);
    json_member_bool(&writer, SPAN("b"), false);
    json_name(&writer, SPAN("\xe2\x80\xa9\""));
    json_write_null(&writer);
    json_member_text(&writer, SPAN(""), (struct span){0});
    json_object_close(&writer);
    json_array_open(&writer);
    json_array_close(&writer);
    json_write_text(&writer, SPAN("\t\r\b\f\x1f\xe2\x80"));
    json_array_close(&writer);
    assert_span_equal(buf_span(&text),
                      "[{\"a\":1},2,{\"i\":9223372036854775807,\"b\":false,\"\\u2029\\\"\":null,"
                      "\"\":\"\"},[],\"\\u0009\\u000d\\u0008\\u000c\\u001f\xe2\x80\"]");
}

static void a_time_that_is_none_fails_the_text(void **state)
{
    (void)state;
    struct buf text AUTO(buf);
    struct json_writer writer;
    buf_init(&text, 4096);
    json_writer_init(&writer, &text);
    json_object_open(&writer);
    json_member_time(&writer, SPAN("t"), INT64_MAX);
    json_object_close(&writer);
    assert_false(buf_ok(&text));
}

static void fill_array(struct buf *text, size_t members)
{
    buf_clear(text);
    buf_byte(text, '[');
    for (size_t i = 0; i < members; i++)
        buf_put(text, i == 0 ? SPAN("0") : SPAN(",0"));
    buf_byte(text, ']');
}

static void the_member_cap_is_exact_and_counts_each_container(void **state)
{
    (void)state;
    struct buf text AUTO(buf);
    buf_init(&text, 1 << 16);
    fill_array(&text, json_limits_default.members_max);
    assert_int_equal(parse(buf_span(&text)), OK);
    fill_array(&text, json_limits_default.members_max + 1);
    assert_int_equal(parse(buf_span(&text)), INVALID);
    /* The count of an outer container goes on behind an inner one. */
    static const struct json_limits limits = {.depth_max = 2, .members_max = 2};
    static const struct {
        const char *text;
        enum status status;
    } cases[] = {
        {"[[1,2],[1,2]]", OK},
        {"{\"a\":[1,2],\"b\":{\"c\":1,\"d\":2}}", OK},
        {"[[1,2],[1,2],3]", INVALID},
        {"[[1,2,3],4]", INVALID},
        {"{\"a\":1,\"b\":2,\"c\":3}", INVALID},
        {"[[[1]]]", INVALID},
        {"[\"a,b,c,d\",\"\\\",,,,[[[\"]", OK},
        {"1", OK},
        {"1,2,3", INVALID},
        {"]]]]", INVALID},
        {"[1}", INVALID},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(json) json_t *json = NULL;
        assert_int_equal(json_parse(span_cstr(cases[i].text), &limits, &json, NULL),
                         cases[i].status);
    }
}

static void numbers_are_whole_or_real_and_never_infinite(void **state)
{
    (void)state;
    AUTO(json) json_t *json = NULL;
    assert_int_equal(
        json_parse(SPAN("[-9223372036854775808,9223372036854775807,1.0,1e2,1e-400,-0]"),
                   &json_limits_default, &json, NULL),
        OK);
    assert_true(json_integer_value(json_array_get(json, 0)) == INT64_MIN);
    assert_true(json_integer_value(json_array_get(json, 1)) == INT64_MAX);
    assert_true(json_is_real(json_array_get(json, 2)));
    assert_true(json_is_real(json_array_get(json, 3)));
    assert_true(json_is_integer(json_array_get(json, 5)));
    static const char *const bad[] = {"-9223372036854775809",
                                      "1e309",
                                      "-1e309",
                                      "1.",
                                      ".5",
                                      "+1",
                                      "1e",
                                      "-",
                                      "0x1",
                                      "00",
                                      "Infinity",
                                      "-Infinity",
                                      "1_000",
                                      "1 2"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(parse(span_cstr(bad[i])), INVALID);
}

static void escapes_are_those_of_rfc_8259(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\"\\x41\"",          "\"\\u12\"",       "\"\\udc00\"", "\"\\ud83d\"",
        "\"\\ud83d\\ud83d\"", "\"\\ud83dx\"",    "\"\\'\"",     "\"\\\"",
        "{\"\\u0000\":1}",    "{\"\\ud800\":1}", "\"\t\"",      "\"\x7f\xff\""};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(parse(span_cstr(bad[i])), INVALID);
    AUTO(json) json_t *json = NULL;
    assert_int_equal(json_parse(SPAN("\"\\b\\f\\n\\r\\t\\/\\\\\\\"\\u00E9\\uD83D\\uDE00\""),
                                &json_limits_default, &json, NULL),
                     OK);
    assert_span_equal(json_text(json), "\b\f\n\r\t/\\\"\xc3\xa9\xf0\x9f\x98\x80");
    AUTO(json) json_t *number = json_integer(1);
    assert_int_equal(json_text(number).len, 0);
    assert_int_equal(json_text(NULL).len, 0);
}

static void an_empty_span_is_no_json(void **state)
{
    (void)state;
    assert_int_equal(parse((struct span){0}), INVALID);
}

/* Many small containers cost far more memory than their bytes. */
static void values_altogether_are_counted(void **state)
{
    (void)state;
    struct buf text AUTO(buf);
    buf_init(&text, 1 << 20);
    const size_t most = JSON_VALUES_PER_MEMBER * json_limits_default.members_max;
    /* [[0,0,…],[0,0,…],…]: one for the outer array, then for each inner one as many as it has
     * elements, and a comma. */
    buf_byte(&text, '[');
    for (size_t values = 1; values + 512 < most; values += 512) {
        buf_put(&text, values == 1 ? SPAN("[0") : SPAN(",[0"));
        for (int i = 0; i < 510; i++)
            buf_put(&text, SPAN(",0"));
        buf_byte(&text, ']');
    }
    size_t len = text.len;
    buf_byte(&text, ']');
    assert_true(buf_ok(&text));
    assert_int_equal(parse(buf_span(&text)), OK);
    text.len = len;
    for (int i = 0; i < 512; i++)
        buf_put(&text, SPAN(",{}"));
    buf_byte(&text, ']');
    assert_int_equal(parse(buf_span(&text)), INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_texts_are_taken),
        cmocka_unit_test(bad_texts_are_refused),
        cmocka_unit_test(deep_and_wide_texts_are_refused),
        cmocka_unit_test(every_cut_of_a_good_text_is_refused),
        cmocka_unit_test(errors_say_where_and_echo_nothing),
        cmocka_unit_test(the_writer_places_commas_and_escapes),
        cmocka_unit_test(a_writer_too_deep_fails),
        cmocka_unit_test(a_writer_goes_as_deep_as_its_depth),
        cmocka_unit_test(every_string_reads_back_as_it_was),
        cmocka_unit_test(the_writer_has_a_spelling_for_each_thing),
        cmocka_unit_test(a_time_that_is_none_fails_the_text),
        cmocka_unit_test(the_member_cap_is_exact_and_counts_each_container),
        cmocka_unit_test(numbers_are_whole_or_real_and_never_infinite),
        cmocka_unit_test(escapes_are_those_of_rfc_8259),
        cmocka_unit_test(an_empty_span_is_no_json),
        cmocka_unit_test(values_altogether_are_counted),
    };
    return RUN_TESTS(tests);
}
