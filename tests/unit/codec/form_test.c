/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/form.h"

#include "../unit.h"

#include "base/arena.h"
#include "base/buf.h"

static enum status parse(struct arena *arena, const char *text, struct form *form)
{
    arena_init(arena, 1 << 16);
    return form_parse(span_cstr(text), arena, form, NULL);
}

/* RFC 6749 appendix B. */
static void the_vector_of_rfc_6749_holds(void **state)
{
    (void)state;
    struct arena arena;
    struct form form;
    assert_int_equal(parse(&arena, "k=+%25%26%2B%C2%A3%E2%82%AC", &form), OK);
    assert_span_equal(form.fields[0].value, " %&+\xc2\xa3\xe2\x82\xac");
    arena_done(&arena);
}

static void fields_keep_their_order_and_pieces_without_content_are_skipped(void **state)
{
    (void)state;
    struct arena arena;
    struct form form;
    assert_int_equal(parse(&arena, "&a=1&&b&c=&d=x=y&a b=1&", &form), OK);
    assert_int_equal(form.count, 5);
    assert_span_equal(form.fields[0].name, "a");
    assert_span_equal(form.fields[1].name, "b");
    assert_span_equal(form.fields[1].value, "");
    assert_span_equal(form.fields[3].value, "x=y");
    assert_span_equal(form.fields[4].name, "a b");
    arena_done(&arena);
    assert_int_equal(parse(&arena, "", &form), OK);
    assert_int_equal(form.count, 0);
    arena_done(&arena);
}

static void what_does_not_decode_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "a=%",         "a=%4",           "a=%zz",       "a=%00", "a=%c0%80",
        "a=%e0%80%80", "a=%f5%80%80%80", "a=%ed%a0%80", "a=%ff", "%=1",
        "a=\xff",      "a=%F4%90%80%80", "a=%c3"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct arena arena;
        struct form form;
        assert_int_equal(parse(&arena, wrong[i], &form), INVALID);
        arena_done(&arena);
    }
}

/* Lack of memory is ours, a broken parameter the sender's: neither is taken for the other. */
static void lack_of_memory_is_not_told_as_a_broken_parameter(void **state)
{
    (void)state;
    struct arena arena;
    struct form form;
    struct err err = {0};
    arena_init(&arena, sizeof(struct form_field)); /* for the field, not for what it decodes to */
    assert_int_equal(form_parse(SPAN("a=%41"), &arena, &form, &err), NO_MEMORY);
    assert_int_equal(err.status, NO_MEMORY);
    assert_non_null(strstr(err.detail, "memory"));
    arena_done(&arena);
}

/* RFC 6749 §3.2: an empty value is an absent parameter; a repeated one is an error. */
static void a_parameter_stands_once_or_not_at_all(void **state)
{
    (void)state;
    struct arena arena;
    struct form form;
    struct span value;
    assert_int_equal(parse(&arena, "a=1&b=&b=2&c=&d=1&d=1", &form), OK);
    assert_int_equal(form_get(&form, SPAN("a"), &value), OK);
    assert_int_equal(form_get(&form, SPAN("b"), &value), OK);
    assert_span_equal(value, "2");
    assert_int_equal(form_get(&form, SPAN("c"), &value), NOT_FOUND);
    assert_int_equal(form_get(&form, SPAN("d"), &value), INVALID);
    assert_int_equal(form_get(&form, SPAN("A"), &value), NOT_FOUND);
    arena_done(&arena);
}

static void more_fields_than_the_limit_are_refused(void **state)
{
    (void)state;
    struct arena arena;
    struct form form;
    char text[2 * FORM_FIELDS_MAX + 8];
    memset(text, '&', sizeof text);
    text[2 * FORM_FIELDS_MAX] = '\0';
    assert_int_equal(parse(&arena, text, &form), INVALID);
    arena_done(&arena);
    for (int i = 0; i < FORM_FIELDS_MAX; i++)
        text[2 * i] = 'a';
    text[2 * FORM_FIELDS_MAX - 1] = '\0';
    assert_int_equal(parse(&arena, text, &form), OK);
    assert_int_equal(form.count, FORM_FIELDS_MAX);
    arena_done(&arena);
}

static void encoding_leaves_the_unreserved(void **state)
{
    (void)state;
    struct buf text AUTO(buf);
    buf_init(&text, 256);
    percent_encode(&text, SPAN("aZ09-._~ +/%\xc3\xa9"));
    assert_span_equal(buf_span(&text), "aZ09-._~%20%2B%2F%25%C3%A9");
}

/* The same vector the other way: a space is %20, which form decoders read too. */
static void the_vector_of_rfc_6749_survives_encoding(void **state)
{
    (void)state;
    struct arena arena;
    struct span again;
    struct buf text AUTO(buf);
    arena_init(&arena, 4096);
    buf_init(&text, 256);
    percent_encode(&text, SPAN(" %&+\xc2\xa3\xe2\x82\xac"));
    assert_span_equal(buf_span(&text), "%20%25%26%2B%C2%A3%E2%82%AC");
    assert_int_equal(percent_decode(buf_span(&text), true, &arena, &again), OK);
    assert_span_equal(again, " %&+\xc2\xa3\xe2\x82\xac");
    arena_done(&arena);
}

static void every_byte_encodes_to_itself_or_three(void **state)
{
    (void)state;
    struct buf text AUTO(buf);
    buf_init(&text, 1024);
    for (int byte = 0; byte < 256; byte++) {
        char one = (char)byte;
        char expected[4];
        bool is_unreserved =
            strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~", byte) !=
                NULL &&
            byte != 0;
        if (is_unreserved)
            memcpy(expected, (char[]){one, '\0'}, 2);
        else
            (void)snprintf(expected, sizeof expected, "%%%02X", (unsigned)byte & 0xff);
        buf_clear(&text);
        percent_encode(&text, span_of(&one, 1));
        assert_span_equal(buf_span(&text), expected);
    }
}

static void a_plus_is_a_space_in_forms_only(void **state)
{
    (void)state;
    struct arena arena;
    struct span text;
    arena_init(&arena, 4096);
    assert_int_equal(percent_decode(SPAN("a+b%2Bc"), true, &arena, &text), OK);
    assert_span_equal(text, "a b+c");
    assert_int_equal(percent_decode(SPAN("a+b%2bc"), false, &arena, &text), OK);
    assert_span_equal(text, "a+b+c");
    arena_done(&arena);
}

static void what_needs_no_decoding_is_borrowed_and_checked_all_the_same(void **state)
{
    (void)state;
    struct arena arena;
    struct span text;
    static const char plain[] = "a=b&c";
    arena_init(&arena, 0); /* nothing is allocated */
    assert_int_equal(percent_decode(span_cstr(plain), true, &arena, &text), OK);
    assert_ptr_equal(text.ptr, plain);
    assert_int_equal(percent_decode((struct span){0}, true, &arena, &text), OK);
    assert_int_equal(text.len, 0);
    assert_int_equal(percent_decode(SPAN("a+b"), false, &arena, &text), OK);
    assert_int_equal(percent_decode(SPAN("a+b"), true, &arena, &text), NO_MEMORY);
    assert_int_equal(percent_decode(SPAN("a\0b"), true, &arena, &text), INVALID);
    assert_int_equal(percent_decode(SPAN("\xed\xa0\x80"), true, &arena, &text), INVALID);
    arena_done(&arena);
}

/* Half a letter in an escape and half of it plain is still one letter; split over fields it is not.
 */
static void utf8_is_looked_at_after_decoding(void **state)
{
    (void)state;
    struct arena arena;
    struct form form;
    assert_int_equal(parse(&arena, "a=%C3\xa9", &form), OK);
    assert_span_equal(form.fields[0].value, "\xc3\xa9");
    arena_done(&arena);
    assert_int_equal(parse(&arena, "a=%C3&%A9=b", &form), INVALID);
    arena_done(&arena);
    assert_int_equal(parse(&arena, "a=%252500%26%3D", &form), OK); /* decoded once */
    assert_span_equal(form.fields[0].value, "%2500&=");
    arena_done(&arena);
}

static void every_cut_in_an_escape_is_refused(void **state)
{
    (void)state;
    struct span text = SPAN("%E2%82%AC");
    for (size_t len = 1; len < text.len; len++) {
        struct arena arena;
        struct span decoded;
        arena_init(&arena, 4096);
        assert_int_equal(percent_decode(span_first(text, len), true, &arena, &decoded), INVALID);
        arena_done(&arena);
    }
}

static void without_memory_a_form_says_so(void **state)
{
    (void)state;
    struct arena arena;
    struct form form;
    struct err err = {0};
    arena_init(&arena, 16);
    assert_int_equal(form_parse(SPAN("a=1"), &arena, &form, &err), NO_MEMORY);
    assert_int_equal(err.status, NO_MEMORY);
    arena_done(&arena);
    arena_init(&arena, sizeof(struct form_field));
    assert_int_equal(form_parse(SPAN("a=%41"), &arena, &form, NULL), NO_MEMORY);
    arena_done(&arena);
}

static void errors_echo_nothing(void **state)
{
    (void)state;
    struct arena arena;
    struct form form;
    struct err err = {0};
    arena_init(&arena, 4096);
    assert_int_equal(form_parse(SPAN("client_secret=pst_cs_%zz"), &arena, &form, &err), INVALID);
    assert_null(strstr(err.detail, "pst"));
    assert_null(strstr(err.detail, "client"));
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vector_of_rfc_6749_holds),
        cmocka_unit_test(fields_keep_their_order_and_pieces_without_content_are_skipped),
        cmocka_unit_test(what_does_not_decode_is_refused),
        cmocka_unit_test(lack_of_memory_is_not_told_as_a_broken_parameter),
        cmocka_unit_test(a_parameter_stands_once_or_not_at_all),
        cmocka_unit_test(more_fields_than_the_limit_are_refused),
        cmocka_unit_test(encoding_leaves_the_unreserved),
        cmocka_unit_test(the_vector_of_rfc_6749_survives_encoding),
        cmocka_unit_test(every_byte_encodes_to_itself_or_three),
        cmocka_unit_test(a_plus_is_a_space_in_forms_only),
        cmocka_unit_test(what_needs_no_decoding_is_borrowed_and_checked_all_the_same),
        cmocka_unit_test(utf8_is_looked_at_after_decoding),
        cmocka_unit_test(every_cut_in_an_escape_is_refused),
        cmocka_unit_test(without_memory_a_form_says_so),
        cmocka_unit_test(errors_echo_nothing),
    };
    return RUN_TESTS(tests);
}
