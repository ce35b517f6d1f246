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
    };
    return RUN_TESTS(tests);
}
