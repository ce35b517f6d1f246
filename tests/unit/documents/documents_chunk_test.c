/* SPDX-License-Identifier: Apache-2.0 */
#include "documents/documents.h"
#include "documents/documents_chunk.h"

#include "../unit.h"

#include <string.h>

static void assert_pieces(const char *text, size_t characters_max, const char *const *pieces,
                          size_t count)
{
    struct span rest = span_cstr(text);
    struct span piece;
    for (size_t i = 0; i < count; i++) {
        assert_true(documents_chunk_next(&rest, characters_max, &piece));
        assert_span_equal(piece, pieces[i]);
    }
    assert_false(documents_chunk_next(&rest, characters_max, &piece));
}

static void a_sentence_ends_before_white_space(void **state)
{
    (void)state;
    static const char *const pieces[] = {"Pi is 3.14.", "\"Really?\"", "A title", "He said (so!)",
                                         "end"};
    assert_pieces(" Pi is 3.14.  \"Really?\"\nA title\n\nHe said (so!) end\n", 0, pieces,
                  ARRAY_LEN(pieces));
    assert_pieces(" \n\t", 0, NULL, 0);
    assert_pieces("", 0, NULL, 0);
}

static void words_stay_whole_where_they_fit(void **state)
{
    (void)state;
    static const char *const pieces[] = {"one", "two", "three", "fourt", "een ö", "ä ü"};
    assert_pieces("one two three fourteen ö ä ü", 5, pieces, ARRAY_LEN(pieces));
}

static void a_piece_has_a_bound_and_ends_between_characters(void **state)
{
    (void)state;
    static char text[DOCUMENT_PART_TEXT_BYTES_MAX + 11];
    memset(text, 'x', sizeof text - 1);
    memcpy(text + DOCUMENT_PART_TEXT_BYTES_MAX - 1, "ä", 2);
    struct span rest = span_of(text, sizeof text - 1);
    struct span piece;
    assert_true(documents_chunk_next(&rest, 0, &piece));
    assert_int_equal(piece.len, DOCUMENT_PART_TEXT_BYTES_MAX - 1);
    assert_true(documents_chunk_next(&rest, 0, &piece));
    assert_int_equal(piece.len, 11);
    assert_int_equal(rest.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sentence_ends_before_white_space),
        cmocka_unit_test(words_stay_whole_where_they_fit),
        cmocka_unit_test(a_piece_has_a_bound_and_ends_between_characters),
    };
    return RUN_TESTS(tests);
}
