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
    };
    return RUN_TESTS(tests);
}
