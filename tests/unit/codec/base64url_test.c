/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/base64url.h"

#include "../unit.h"

#include "base/arena.h"
#include "base/buf.h"

/* RFC 4648 §10, padding off. */
static const struct {
    const char *plain;
    const char *encoded;
    const char *padded;
} vectors[] = {
    {"", "", ""},
    {"f", "Zg", "Zg=="},
    {"fo", "Zm8", "Zm8="},
    {"foo", "Zm9v", "Zm9v"},
    {"foob", "Zm9vYg", "Zm9vYg=="},
    {"fooba", "Zm9vYmE", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
};

static void the_vectors_of_rfc_4648_hold_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
        struct arena arena;
        struct span bytes;
        struct buf text AUTO(buf);
        struct buf padded AUTO(buf);
        arena_init(&arena, 4096);
        buf_init(&text, 64);
        buf_init(&padded, 64);
        base64url_write(&text, span_cstr(vectors[i].plain));
        base64_write(&padded, span_cstr(vectors[i].plain));
        assert_span_equal(buf_span(&text), vectors[i].encoded);
        assert_span_equal(buf_span(&padded), vectors[i].padded);
        assert_int_equal(base64url_encoded_len(strlen(vectors[i].plain)), text.len);
        assert_int_equal(base64url_decode(buf_span(&text), &arena, &bytes), OK);
        assert_span_equal(bytes, vectors[i].plain);
        assert_int_equal(base64_decode(buf_span(&padded), &arena, &bytes), OK);
        assert_span_equal(bytes, vectors[i].plain);
        arena_done(&arena);
    }
}

static void the_alphabets_differ_in_their_last_two(void **state)
{
    (void)state;
    struct arena arena;
    struct span bytes;
    arena_init(&arena, 4096);
    assert_int_equal(base64url_decode(SPAN("-_8"), &arena, &bytes), OK);
    assert_memory_equal(bytes.ptr, "\xfb\xff", 2);
    assert_int_equal(base64url_decode(SPAN("+/8"), &arena, &bytes), INVALID);
    assert_int_equal(base64_decode(SPAN("+/8="), &arena, &bytes), OK);
    assert_int_equal(base64_decode(SPAN("-_8="), &arena, &bytes), INVALID);
    arena_done(&arena);
}

/* One value has one spelling (RFC 4648 §3.5): otherwise a token could be written in several ways.
 */
static void other_spellings_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "A",    "AAAAA", "Zh",    "Zm9",  "Zg==", "Zg=",         "Z g",
        "Zg\n", "Zm9v.", "Zm9v=", "=Zm9", "Zm=v", "Zm9v\xc3\xa9"};
    static const char *const wrong_padded[] = {
        "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "====", "Zg==Zg==", "=", "Z==="};
    struct arena arena;
    struct span bytes;
    arena_init(&arena, 65536);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_int_equal(base64url_decode(span_cstr(wrong[i]), &arena, &bytes), INVALID);
    for (size_t i = 0; i < ARRAY_LEN(wrong_padded); i++)
        assert_int_equal(base64_decode(span_cstr(wrong_padded[i]), &arena, &bytes), INVALID);
    assert_int_equal(base64url_decode(span_of("Zm9\0", 4), &arena, &bytes), INVALID);
    arena_done(&arena);
}

static void over_the_arenas_cap_is_no_memory(void **state)
{
    (void)state;
    struct arena arena;
    struct span bytes;
    static char text[4096];
    memset(text, 'A', sizeof text);
    arena_init(&arena, 1024);
    assert_int_equal(base64url_decode(span_of(text, sizeof text), &arena, &bytes), NO_MEMORY);
    arena_done(&arena);
}

static void bytes_of_every_length_and_value_survive(void **state)
{
    (void)state;
    unsigned char bytes[256];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 167 + 13); /* every value once */
    for (size_t len = 0; len <= sizeof bytes; len++) {
        struct arena arena;
        struct span again;
        struct span given = span_of(bytes, len);
        struct buf text AUTO(buf);
        struct buf padded AUTO(buf);
        arena_init(&arena, 4096);
        buf_init(&text, 512);
        buf_init(&padded, 512);
        base64url_write(&text, given);
        base64_write(&padded, given);
        assert_int_equal(text.len, base64url_encoded_len(len));
        assert_int_equal(padded.len, (len + 2) / 3 * 4);
        assert_int_equal(base64url_decode(buf_span(&text), &arena, &again), OK);
        assert_true(span_equal(again, given));
        assert_int_equal(base64_decode(buf_span(&padded), &arena, &again), OK);
        assert_true(span_equal(again, given));
        arena_done(&arena);
    }
}

/* Of the 64 last characters only those decode that leave no bits over. */
static void one_value_has_one_spelling(void **state)
{
    (void)state;
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    struct arena arena;
    struct span bytes;
    arena_init(&arena, 1 << 16);
    for (size_t i = 0; i < 64; i++) {
        char two[2] = {'A', alphabet[i]};
        char three[3] = {'A', 'A', alphabet[i]};
        assert_int_equal(base64url_decode(span_of(two, 2), &arena, &bytes) == OK, i % 16 == 0);
        assert_int_equal(base64url_decode(span_of(three, 3), &arena, &bytes) == OK, i % 4 == 0);
    }
    for (int byte = 0; byte < 256; byte++) {
        char four[4] = {'A', 'A', 'A', (char)byte};
        bool is_letter = byte != 0 && strchr(alphabet, byte) != NULL;
        assert_int_equal(base64url_decode(span_of(four, 4), &arena, &bytes) == OK, is_letter);
    }
    arena_done(&arena);
}

static void a_text_cut_in_its_padding_is_refused(void **state)
{
    (void)state;
    struct arena arena;
    struct span bytes;
    struct span text = SPAN("Zm9vYmFyZg==");
    arena_init(&arena, 4096);
    for (size_t len = 0; len < text.len; len++)
        assert_int_equal(base64_decode(span_first(text, len), &arena, &bytes),
                         len % 4 == 0 ? OK : INVALID);
    assert_int_equal(base64_decode((struct span){0}, &arena, &bytes), OK);
    assert_int_equal(bytes.len, 0);
    arena_done(&arena);
}

static void a_full_buffer_fails_and_is_not_overrun(void **state)
{
    (void)state;
    struct buf text AUTO(buf);
    buf_init(&text, 5);
    base64url_write(&text, SPAN("foobar"));
    assert_false(buf_ok(&text));
    assert_true(text.len <= 5);
    buf_clear(&text);
    base64_write(&text, SPAN("foob"));
    assert_false(buf_ok(&text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_of_rfc_4648_hold_both_ways),
        cmocka_unit_test(the_alphabets_differ_in_their_last_two),
        cmocka_unit_test(other_spellings_are_refused),
        cmocka_unit_test(over_the_arenas_cap_is_no_memory),
        cmocka_unit_test(bytes_of_every_length_and_value_survive),
        cmocka_unit_test(one_value_has_one_spelling),
        cmocka_unit_test(a_text_cut_in_its_padding_is_refused),
        cmocka_unit_test(a_full_buffer_fails_and_is_not_overrun),
    };
    return RUN_TESTS(tests);
}
