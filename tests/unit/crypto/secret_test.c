/* SPDX-License-Identifier: Apache-2.0 */
/* The literal secrets were made with another program's CRC-32 (zlib's). */
#include "crypto/secret.h"

#include "base/random.h"
#include "unit.h"

#define ID    "aB3dE6gH9jKm"
#define LONG  ID "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg"
#define KNOWN "pst_cs_" LONG "4fKLmf"

static struct secret_parts parse(const char *text)
{
    struct secret_parts parts = {0};
    assert_int_equal(secret_parse(span_cstr(text), &parts), OK);
    return parts;
}

static void assert_refused(struct span text)
{
    struct secret_parts parts;
    assert_int_equal(secret_parse(text, &parts), INVALID);
}

static void every_kind_is_made_and_taken_apart(void **state)
{
    (void)state;
    const char *codes[] = {"cs", "pk", "qk", "ik", "oc"};
    for (unsigned kind = 0; kind < SECRET_KIND_COUNT; kind++) {
        char text[SECRET_TEXT_LEN_MAX];
        struct secret_parts parts;
        size_t len = secret_make(SPAN("pst"), (enum secret_kind)kind, SPAN(ID), text);
        assert_int_equal(len, 3 + 4 + SECRET_ID_LEN + SECRET_RANDOM_LEN + SECRET_CRC_LEN);
        assert_true(span_only(span_of(text, len),
                              "_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"));
        assert_int_equal(secret_parse(span_of(text, len), &parts), OK);
        assert_int_equal(parts.kind, kind);
        assert_span_equal(parts.base, "pst");
        assert_span_equal(parts.id, ID);
        assert_string_equal(secret_kind_code((enum secret_kind)kind), codes[kind]);
        assert_memory_equal(text + 4, codes[kind], 2);
    }
}

static void checksum_is_that_of_zlib(void **state)
{
    (void)state;
    struct secret_parts parts = parse(KNOWN);
    assert_span_equal(parts.base, "pst");
    assert_int_equal(parts.kind, SECRET_CLIENT);
    assert_span_equal(parts.id, ID);
    /* A checksum below 62^5 keeps its leading zero. */
    (void)parse("pst_cs_" ID "00000000000000000000000000000000000000000040nJvOR");
}

static void base_may_hold_underscores_and_what_looks_like_a_kind(void **state)
{
    (void)state;
    assert_span_equal(parse("acme_live_pk_" LONG "0WUd9g").base, "acme_live");
    struct secret_parts parts = parse("a_cs_b_qk_" LONG "1tIaon");
    assert_span_equal(parts.base, "a_cs_b");
    assert_int_equal(parts.kind, SECRET_QUERY);
    assert_span_equal(parse("abcdefghijklmnop_ik_" LONG "1Q3fzJ").base, "abcdefghijklmnop");
}

static void right_checksum_does_not_help_a_wrong_form(void **state)
{
    (void)state;
    const char *texts[] = {
        "pst_zz_" LONG "0g6E8V",               /* no such kind */
        "abcdefghijklmnopq_ik_" LONG "42TkJG", /* base of 17 */
        "p_cs_" LONG "3jfdve",                 /* base of 1 */
        "Pst_cs_" LONG "1UOvA2",               /* upper case */
        "1pst_cs_" LONG "1HXM2X",              /* begins with a digit */
        "p-t_cs_" LONG "1vWPKd",               /* a hyphen */
        "pst_cs." LONG "4Lpier",               /* a dot for an underscore */
        "pst.cs_" LONG "2DBpeZ",
        "pst_cs_aB3dE6gH9j_m0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg0fowwy", /* id with _ */
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_refused(span_cstr(texts[i]));
}

static void cut_or_longer_text_is_refused(void **state)
{
    (void)state;
    for (size_t len = 0; len < strlen(KNOWN); len++) {
        assert_refused(span_first(SPAN(KNOWN), len));
        if (len > 0)
            assert_refused(span_from(SPAN(KNOWN), len));
    }
    assert_refused(SPAN(KNOWN "0"));
    assert_refused(SPAN(KNOWN "\n"));
    assert_refused(SPAN(" " KNOWN));
    assert_refused((struct span){0});
}

/* CRC-32 finds every change of one byte. */
static void every_changed_byte_is_noticed(void **state)
{
    (void)state;
    for (size_t at = 0; at < strlen(KNOWN); at++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            char text[] = KNOWN;
            text[at] = (char)byte;
            if (byte != (unsigned char)KNOWN[at])
                assert_refused(span_of(text, strlen(KNOWN)));
        }
    }
}

static void bases(void **state)
{
    (void)state;
    assert_true(secret_base_is_valid(SPAN("ab")));
    assert_true(secret_base_is_valid(SPAN("acme_live9")));
    assert_true(secret_base_is_valid(SPAN("abcdefghijklmnop")));
    assert_false(secret_base_is_valid(SPAN("abcdefghijklmnopq")));
    assert_false(secret_base_is_valid(SPAN("a")));
    assert_false(secret_base_is_valid((struct span){0}));
    assert_false(secret_base_is_valid(SPAN("_ab")));
    assert_false(secret_base_is_valid(SPAN("9ab")));
    assert_false(secret_base_is_valid(SPAN("aB")));
    assert_false(secret_base_is_valid(SPAN("a-b")));
    assert_false(secret_base_is_valid(SPAN("a\0b")));
}

static void two_secrets_differ_in_their_random_part_alone(void **state)
{
    (void)state;
    char first[SECRET_TEXT_LEN_MAX];
    char second[SECRET_TEXT_LEN_MAX];
    size_t len = secret_make(SPAN("pst"), SECRET_CLIENT, SPAN(ID), first);
    assert_int_equal(secret_make(SPAN("pst"), SECRET_CLIENT, SPAN(ID), second), len);
    const size_t fixed = strlen("pst_cs_" ID);
    assert_memory_equal(first, second, fixed);
    assert_memory_not_equal(first + fixed, second + fixed, SECRET_RANDOM_LEN);
}

/* All 62 letters occur: 200 secrets lack one with a chance of about 62 * e^-138. */
static void random_part_uses_the_whole_alphabet(void **state)
{
    (void)state;
    bool is_seen[256] = {false};
    for (int made = 0; made < 200; made++) {
        char text[SECRET_TEXT_LEN_MAX];
        size_t len = secret_make(SPAN("pst"), SECRET_CLIENT, SPAN(ID), text);
        for (size_t i = len - SECRET_CRC_LEN - SECRET_RANDOM_LEN; i < len - SECRET_CRC_LEN; i++)
            is_seen[(unsigned char)text[i]] = true;
    }
    for (const char *letter = random_base62; *letter != '\0'; letter++)
        assert_true(is_seen[(unsigned char)*letter]);
}

static void longest_secret_fills_its_room(void **state)
{
    (void)state;
    char text[SECRET_TEXT_LEN_MAX];
    assert_int_equal(secret_make(SPAN("abcdefghijklmnop"), SECRET_INDEX, SPAN(ID), text),
                     SECRET_TEXT_LEN_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_made_and_taken_apart),
        cmocka_unit_test(checksum_is_that_of_zlib),
        cmocka_unit_test(base_may_hold_underscores_and_what_looks_like_a_kind),
        cmocka_unit_test(right_checksum_does_not_help_a_wrong_form),
        cmocka_unit_test(cut_or_longer_text_is_refused),
        cmocka_unit_test(every_changed_byte_is_noticed),
        cmocka_unit_test(bases),
        cmocka_unit_test(two_secrets_differ_in_their_random_part_alone),
        cmocka_unit_test(random_part_uses_the_whole_alphabet),
        cmocka_unit_test(longest_secret_fills_its_room),
    };
    return RUN_TESTS(tests);
}
