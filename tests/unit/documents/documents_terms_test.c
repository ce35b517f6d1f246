/* SPDX-License-Identifier: Apache-2.0 */
#include "documents/documents_terms.h"

#include "../unit.h"

#include <string.h>

static void assert_terms(struct span text, size_t count, const char *expected)
{
    AUTO(buf) struct buf out = {0};
    buf_init(&out, 4096);
    assert_int_equal(documents_terms_write(text, &out), count);
    assert_true(buf_ok(&out));
    assert_span_equal(buf_span(&out), expected);
}

static void words_are_quoted_and_joined_by_or(void **state)
{
    (void)state;
    assert_terms(SPAN("research and data"), 3, "\"research\" OR \"and\" OR \"data\"");
    assert_terms(SPAN("  one,two;"), 2, "\"one\" OR \"two\"");
    assert_terms(SPAN("größe"), 1, "\"größe\"");
    assert_terms(SPAN(" !\"()*:^\0-"), 0, "");
    assert_terms(SPAN(""), 0, "");
}

static void no_text_leaves_its_quotes(void **state)
{
    (void)state;
    assert_terms(SPAN("\"a\" OR * NEAR("), 3, "\"a\" OR \"OR\" OR \"NEAR\"");
    assert_terms(SPAN("x\" OR corpus : \"1"), 4, "\"x\" OR \"OR\" OR \"corpus\" OR \"1\"");
}

static void a_word_is_looked_for_once_and_there_is_a_bound(void **state)
{
    (void)state;
    assert_terms(SPAN("a b A a B"), 2, "\"a\" OR \"b\"");
    char text[1024] = "";
    for (unsigned i = 0; i < 2 * DOCUMENTS_TERMS_MAX; i++)
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%u ", i);
    AUTO(buf) struct buf out = {0};
    buf_init(&out, 4096);
    assert_int_equal(documents_terms_write(span_cstr(text), &out), DOCUMENTS_TERMS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_quoted_and_joined_by_or),
        cmocka_unit_test(no_text_leaves_its_quotes),
        cmocka_unit_test(a_word_is_looked_for_once_and_there_is_a_bound),
    };
    return RUN_TESTS(tests);
}
