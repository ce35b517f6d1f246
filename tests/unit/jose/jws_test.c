/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/jws.h"

#include "jose_fixture.h"

#include <stdlib.h>

enum { ARENA_BYTES = 1 << 18 };

/* Splits a copy of exactly the text's size: a sanitizer sees a read past its end. */
static enum status split(struct span text, struct arena *arena, struct jws *ret_jws)
{
    struct err err = {0};
    char *copy = arena_alloc(arena, text.len + 1);
    assert_non_null(copy);
    if (text.len > 0)
        memcpy(copy, text.ptr, text.len);
    enum status status = jws_split(span_of(copy, text.len), arena, ret_jws, &err);
    assert_int_equal(err.status, status);
    /* RFC 6749 §5.2: what may stand in an error_description. */
    for (const char *at = err.detail; *at != '\0'; at++)
        assert_true(*at >= 0x20 && *at <= 0x7e && *at != '"' && *at != '\\');
    return status;
}

static void assert_split(struct span text, enum status expected)
{
    struct arena arena;
    struct jws jws;
    arena_init(&arena, ARENA_BYTES);
    enum status status = split(text, &arena, &jws);
    if (status != expected)
        print_message("%.*s: %s\n", (int)(text.len < 200 ? text.len : 200), text.ptr,
                      status_name(status));
    assert_int_equal(status, expected);
    arena_done(&arena);
}

/* A token with this header, a payload and a signature that nobody checked yet. */
static void assert_header(struct span header, enum status expected)
{
    struct arena arena;
    arena_init(&arena, ARENA_BYTES);
    assert_split(with_signature(signing_input(header, SPAN("{}"), &arena), SPAN("sig"), &arena),
                 expected);
    arena_done(&arena);
}

static void rfc_7515_a2_is_taken_apart(void **state)
{
    (void)state;
    struct arena arena;
    struct jws jws;
    arena_init(&arena, ARENA_BYTES);
    assert_int_equal(split(SPAN(RFC7515_A2_TOKEN), &arena, &jws), OK);
    assert_int_equal(jws.alg, JOSE_RS256);
    assert_span_equal(jws.header, "{\"alg\":\"RS256\"}");
    assert_span_equal(jws.payload, "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n "
                                   "\"http://example.com/is_root\":true}");
    assert_span_equal(jws.signing_input, "eyJhbGciOiJSUzI1NiJ9." RFC7515_PAYLOAD);
    assert_int_equal(jws.signature.len, 256);
    assert_int_equal(jws.kid.len, 0);
    assert_int_equal(jws.typ.len, 0);
    arena_done(&arena);
}

/* RFC 7515 appendix A.5, J01 */
static void rfc_7515_a5_unsecured_is_unsupported(void **state)
{
    (void)state;
    assert_split(SPAN(RFC7515_A5_TOKEN), UNSUPPORTED);
    assert_header(SPAN("{\"alg\":\"none\"}"), UNSUPPORTED);
    assert_header(SPAN("{\"alg\":\"None\"}"), UNSUPPORTED);
    assert_header(SPAN("{\"alg\":\"nOnE\"}"), UNSUPPORTED);
    assert_header(SPAN("{\"alg\":\"NONE\"}"), UNSUPPORTED);
    assert_header(SPAN("{\"alg\":\"none \"}"), UNSUPPORTED);
    assert_header(SPAN("{\"alg\":\"\"}"), UNSUPPORTED);
}

/* J01 */
static void alg_missing_or_of_another_type(void **state)
{
    (void)state;
    assert_header(SPAN("{}"), INVALID);
    assert_header(SPAN("{\"typ\":\"JWT\"}"), INVALID);
    assert_header(SPAN("{\"alg\":0}"), INVALID);
    assert_header(SPAN("{\"alg\":null}"), INVALID);
    assert_header(SPAN("{\"alg\":true}"), INVALID);
    assert_header(SPAN("{\"alg\":[\"RS256\"]}"), INVALID);
    assert_header(SPAN("{\"alg\":{\"alg\":\"RS256\"}}"), INVALID);
    assert_header(SPAN("{\"ALG\":\"RS256\"}"), INVALID);
    assert_header(SPAN("{\"alg\":\"RS256\\u0000\"}"), INVALID);
}

/* J02 */
static void hmac_is_unsupported(void **state)
{
    (void)state;
    assert_header(SPAN("{\"alg\":\"HS256\"}"), UNSUPPORTED);
    assert_header(SPAN("{\"alg\":\"HS512\"}"), UNSUPPORTED);
    assert_header(SPAN("{\"alg\":\"RS512\"}"), UNSUPPORTED);
    assert_header(SPAN("{\"alg\":\"rs256\"}"), UNSUPPORTED);
}

/* J11; RFC 7515 §4.1.11 and appendix E. */
static void any_crit_is_refused(void **state)
{
    (void)state;
    struct arena arena;
    struct jws jws;
    arena_init(&arena, ARENA_BYTES);
    assert_int_not_equal(split(SPAN(RFC7515_E_TOKEN), &arena, &jws), OK);
    arena_done(&arena);
    assert_header(SPAN("{\"alg\":\"RS256\",\r\n \"crit\":[\"http://example.com/UNDEFINED\"],\r\n "
                       "\"http://example.com/UNDEFINED\":true\r\n}"),
                  INVALID);
    assert_header(SPAN("{\"alg\":\"RS256\",\"crit\":[]}"), INVALID);
    assert_header(SPAN("{\"alg\":\"RS256\",\"crit\":[\"alg\"]}"), INVALID);
    assert_header(SPAN("{\"alg\":\"RS256\",\"crit\":[\"absent\"]}"), INVALID);
    assert_header(SPAN("{\"alg\":\"RS256\",\"crit\":[\"x\",\"x\"],\"x\":1}"), INVALID);
    assert_header(SPAN("{\"alg\":\"RS256\",\"crit\":[\"b64\"],\"b64\":false}"), INVALID);
    assert_header(SPAN("{\"alg\":\"RS256\",\"crit\":null}"), INVALID);
    assert_header(SPAN("{\"alg\":\"RS256\",\"crit\":\"exp\"}"), INVALID);
    assert_header(SPAN("{\"alg\":\"RS256\",\"\\u0063rit\":[\"exp\"]}"), INVALID);
}

/* RFC 7797 §3: without crit, b64 means nothing to who does not know it. */
static void b64_without_crit_is_ignored(void **state)
{
    (void)state;
    assert_header(SPAN("{\"alg\":\"RS256\",\"b64\":false}"), OK);
}

/* J07; 7515-05: such members are not even of interest. */
static void key_sources_in_the_header_are_ignored(void **state)
{
    (void)state;
    assert_header(SPAN("{\"alg\":\"RS256\",\"jku\":\"https://evil.example/jwks\","
                       "\"x5u\":\"https://evil.example/crt\",\"x5c\":[\"MIIB\"],"
                       "\"x5t\":\"AA\",\"jwk\":" RFC8037_KEY "}"),
                  OK);
    assert_header(SPAN("{\"alg\":\"RS256\",\"jku\":5,\"jwk\":null,\"x5c\":{}}"), OK);
}

static void kid_and_typ(void **state)
{
    (void)state;
    struct arena arena;
    struct jws jws;
    arena_init(&arena, ARENA_BYTES);
    const struct span header =
        SPAN("{\"typ\":\"Application/AT+jwt\",\"kid\":\"a\\/b\",\"alg\":\"ES256\",\"x\":1}");
    assert_int_equal(
        split(with_signature(signing_input(header, SPAN("x"), &arena), SPAN("s"), &arena), &arena,
              &jws),
        OK);
    assert_int_equal(jws.alg, JOSE_ES256);
    assert_span_equal(jws.kid, "a/b");
    assert_span_equal(jws.typ, "AT+jwt");
    assert_int_equal(span_compare(jws.header, header), 0);
    arena_done(&arena);
    assert_header(SPAN("{\"alg\":\"RS256\",\"kid\":5}"), INVALID);
    assert_header(SPAN("{\"alg\":\"RS256\",\"kid\":null}"), INVALID);
    assert_header(SPAN("{\"alg\":\"RS256\",\"kid\":\"a\\u0000b\"}"), INVALID);
    assert_header(SPAN("{\"alg\":\"RS256\",\"typ\":[\"at+jwt\"]}"), INVALID);
}

/* J08, J10, 8725-09 */
static void kid_of_128_octets_and_no_more(void **state)
{
    (void)state;
    char header[512];
    for (int len = JWK_KID_LEN_MAX; len <= JWK_KID_LEN_MAX + 1; len++) {
        int size = snprintf(header, sizeof header, "{\"alg\":\"RS256\",\"kid\":\"%0*d\"}", len, 0);
        assert_header(span_of(header, (size_t)size), len == JWK_KID_LEN_MAX ? OK : INVALID);
    }
    assert_header(SPAN("{\"alg\":\"RS256\",\"kid\":\"../../../../dev/null\"}"), OK);
}

/* J14 */
static void duplicate_members(void **state)
{
    (void)state;
    assert_header(SPAN("{\"alg\":\"RS256\",\"alg\":\"none\"}"), INVALID);
    assert_header(SPAN("{\"alg\":\"RS256\",\"alg\":\"RS256\"}"), INVALID);
    assert_header(SPAN("{\"alg\":\"RS256\",\"\\u0061lg\":\"none\"}"), INVALID);
    assert_header(SPAN("{\"alg\":\"RS256\",\"x\":{\"a\":1,\"a\":2}}"), INVALID);
}

/* 7515-08, 7515-09 */
static void header_that_is_not_one_json_object(void **state)
{
    (void)state;
    assert_header(SPAN(""), INVALID);
    assert_header(SPAN("[]"), INVALID);
    assert_header(SPAN("null"), INVALID);
    assert_header(SPAN("\"alg\""), INVALID);
    assert_header(SPAN("{\"alg\":\"RS256\"}{}"), INVALID);
    assert_header(SPAN("{\"alg\":\"RS256\"} x"), INVALID);
    assert_header(SPAN("{\"alg\":\"RS256\",}"), INVALID);
    assert_header(SPAN("{\"alg\":\"RS256\"/**/}"), INVALID);
    assert_header(SPAN("{'alg':'RS256'}"), INVALID);
    assert_header(SPAN("\xef\xbb\xbf{\"alg\":\"RS256\"}"), INVALID);
    assert_header(SPAN("{\"alg\":\"RS256\",\"x\":\"\xff\"}"), INVALID);
    assert_header(SPAN("{\"alg\":\"RS256\",\"x\":\"\xc0\xaf\"}"), INVALID);
    assert_header(SPAN("{\"alg\":\"RS256\",\"x\":\"\\ud800\"}"), INVALID);
    assert_header(SPAN("{\"alg\":\"RS256\",\"x\":1e400}"), INVALID);
    assert_header(SPAN("{\"alg\":\"RS256\",\"x\":NaN}"), INVALID);
    assert_header(SPAN(" \r\n\t{ \"alg\" : \"RS256\" } "), OK);
}

/* J29, J31; 7515-10: depth 8 and 64 members. */
static void header_nested_or_wide(void **state)
{
    (void)state;
    AUTO(buf) struct buf header;
    buf_init(&header, JWS_HEADER_LEN_MAX);
    for (int depth = 8; depth <= 9; depth++) { /* the object is one level */
        buf_clear(&header);
        buf_put(&header, SPAN("{\"alg\":\"RS256\",\"x\":"));
        for (int i = 1; i < depth; i++)
            buf_byte(&header, '[');
        for (int i = 1; i < depth; i++)
            buf_byte(&header, ']');
        buf_byte(&header, '}');
        assert_header(buf_span(&header), depth == 8 ? OK : INVALID);
    }
    for (int members = 64; members <= 65; members++) {
        buf_clear(&header);
        buf_put(&header, SPAN("{\"alg\":\"RS256\""));
        for (int i = 1; i < members; i++)
            buf_printf(&header, ",\"%d\":0", i);
        buf_byte(&header, '}');
        assert_header(buf_span(&header), members == 64 ? OK : INVALID);
    }
}

/* 7515-10 */
static void header_of_4096_octets_and_no_more(void **state)
{
    (void)state;
    char header[JWS_HEADER_LEN_MAX + 1];
    memset(header, ' ', sizeof header);
    memcpy(header, "{\"alg\":\"RS256\"}", strlen("{\"alg\":\"RS256\"}"));
    assert_header(span_of(header, JWS_HEADER_LEN_MAX), OK);
    assert_header(span_of(header, JWS_HEADER_LEN_MAX + 1), INVALID);
}

/* J28, J32: sizes before any other work. */
static void token_too_long_is_refused_unread(void **state)
{
    (void)state;
    struct arena arena;
    struct jws jws;
    arena_init(&arena, ARENA_BYTES);
    assert_int_equal(jws_split(span_of("a", SIZE_MAX / 2), &arena, &jws, NULL), INVALID);
    assert_int_equal(jws_split(span_of("a", 1 << 20), &arena, &jws, NULL), INVALID);
    assert_int_equal(arena.used_bytes, 0);
    arena_done(&arena);
}

static void token_of_16384_characters_is_read(void **state)
{
    (void)state;
    AUTO(buf) struct buf token;
    buf_init(&token, JWS_LEN_MAX + 1);
    buf_put(&token, SPAN("eyJhbGciOiJSUzI1NiJ9."));
    while (token.len < JWS_LEN_MAX - 3)
        buf_byte(&token, 'A');
    buf_put(&token, SPAN(".AA"));
    assert_int_equal(token.len, JWS_LEN_MAX);
    size_t payload = JWS_LEN_MAX - strlen("eyJhbGciOiJSUzI1NiJ9.") - 3;
    assert_int_not_equal(payload % 4, 1); /* a length that base64url has */
    assert_split(buf_span(&token), OK);
    buf_byte(&token, 'A');
    assert_split(buf_span(&token), INVALID);
}

/* J19: a signature that no key of ours makes is not even decoded. */
static void signature_of_21830_characters(void **state)
{
    (void)state;
    AUTO(buf) struct buf token;
    buf_init(&token, 1 << 16);
    buf_put(&token, SPAN(RFC7515_A3_INPUT "."));
    for (int i = 0; i < 21830; i++)
        buf_byte(&token, 'A');
    assert_split(buf_span(&token), INVALID);
}

/* 7515-01, 8725B-01, J13, J16, J17 */
static void three_parts_and_no_other_number(void **state)
{
    (void)state;
    const struct span texts[] = {
        (struct span){0},
        SPAN(""),
        SPAN("."),
        SPAN(".."),
        SPAN("..."),
        SPAN("eyJhbGciOiJSUzI1NiJ9"),
        SPAN("eyJhbGciOiJSUzI1NiJ9." RFC7515_PAYLOAD),
        SPAN(RFC7515_A3_TOKEN "."),
        SPAN("." RFC7515_A3_TOKEN),
        SPAN(RFC7515_A3_TOKEN ".AA"),
        SPAN(RFC7515_A3_TOKEN ".AA.AA"),
        SPAN("eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00iLCJ6aXAiOiJERUYifQ.AA.AA.AA.AA"),
        SPAN(".."
             "AA"),
        SPAN("." RFC7515_PAYLOAD ".AA"),
        /* the JSON serialisations of RFC 7515 §7.2 */
        SPAN("{\"payload\":\"" RFC7515_PAYLOAD "\",\"protected\":\"eyJhbGciOiJFUzI1NiJ9\","
             "\"signature\":\"AA\"}"),
        SPAN("{\"payload\":\"" RFC7515_PAYLOAD "\",\"header\":{\"alg\":\"ES256\"},"
             "\"signature\":\"AA\"}"),
        SPAN("{\"payload\":\"" RFC7515_PAYLOAD "\",\"signatures\":[{\"header\":{\"alg\":\"ES256\"},"
             "\"signature\":\"AA\"}],\"a\":\"..\"}"),
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_split(texts[i], INVALID);
}

/* RFC 7515 appendix F: as detached content looks. */
static void empty_payload_is_refused(void **state)
{
    (void)state;
    assert_split(SPAN("eyJhbGciOiJSUzI1NiJ9..AA"), INVALID);
}

/* 7519-06: a token within a token. */
static void nested_token_is_refused(void **state)
{
    (void)state;
    assert_header(SPAN("{\"alg\":\"RS256\",\"cty\":\"JWT\"}"), INVALID);
    assert_header(SPAN("{\"alg\":\"RS256\",\"cty\":\"jwt\"}"), INVALID);
    assert_header(SPAN("{\"alg\":\"RS256\",\"cty\":\"application/jwt\"}"), INVALID);
    assert_header(SPAN("{\"alg\":\"RS256\",\"cty\":5}"), INVALID);
    assert_header(SPAN("{\"alg\":\"RS256\",\"cty\":\"json\"}"), OK);
}

/* 7515-02: one value has one spelling. */
static void parts_that_are_not_base64url(void **state)
{
    (void)state;
    const struct span texts[] = {
        SPAN("eyJhbGciOiJSUzI1NiJ9." RFC7515_PAYLOAD ".AA=="),
        SPAN("eyJhbGciOiJSUzI1NiJ9." RFC7515_PAYLOAD ".AB"), /* trailing bits */
        SPAN("eyJhbGciOiJSUzI1NiJ9." RFC7515_PAYLOAD ".A"),
        SPAN("eyJhbGciOiJSUzI1NiJ9." RFC7515_PAYLOAD ".A+"),
        SPAN("eyJhbGciOiJSUzI1NiJ9." RFC7515_PAYLOAD ".A/"),
        SPAN("eyJhbGciOiJSUzI1NiJ9." RFC7515_PAYLOAD "=.AA"),
        SPAN("eyJhbGciOiJSUzI1NiJ9.e\n30.AA"),
        SPAN("eyJhbGciOiJSUzI1NiJ9.e30.AA\n"),
        SPAN("eyJhbGciOiJSUzI1NiJ9.e30 .AA"),
        SPAN(" eyJhbGciOiJSUzI1NiJ9.e30.AA"),
        SPAN("eyJhbGciOiJSUzI1NiJ9.e3\0.AA"),
        SPAN("eyJhbGciOiJSUzI1NiJ9.e30.A\xff"),
        SPAN("eyJhbGciOiJSUzI1NiJ=.e30.AA"),
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_split(texts[i], INVALID);
}

static void truncated_at_every_byte(void **state)
{
    (void)state;
    const struct span text = SPAN(RFC7515_A3_TOKEN);
    const size_t signature_at = strlen(RFC7515_A3_INPUT ".");
    for (size_t len = 0; len < signature_at; len++)
        assert_split(span_first(text, len), INVALID);
    for (size_t len = signature_at; len < text.len; len++) {
        struct arena arena;
        struct jws jws;
        arena_init(&arena, ARENA_BYTES);
        if (split(span_first(text, len), &arena, &jws) == OK)
            assert_true(jws.signature.len < 64);
        arena_done(&arena);
    }
}

/* At each cap the answer is OK or NO_MEMORY, and never that the token is wrong. */
static void small_arena_is_no_memory(void **state)
{
    (void)state;
    bool has_failed = false;
    for (size_t limit = 0; limit < 1024; limit += 16) {
        struct arena arena;
        struct jws jws;
        struct err err = {0};
        arena_init(&arena, limit);
        enum status status = jws_split(SPAN(RFC8037_TOKEN), &arena, &jws, &err);
        assert_true(status == OK || status == NO_MEMORY);
        has_failed |= status == NO_MEMORY;
        arena_done(&arena);
    }
    assert_true(has_failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc_7515_a2_is_taken_apart),
        cmocka_unit_test(rfc_7515_a5_unsecured_is_unsupported),
        cmocka_unit_test(alg_missing_or_of_another_type),
        cmocka_unit_test(hmac_is_unsupported),
        cmocka_unit_test(any_crit_is_refused),
        cmocka_unit_test(b64_without_crit_is_ignored),
        cmocka_unit_test(key_sources_in_the_header_are_ignored),
        cmocka_unit_test(kid_and_typ),
        cmocka_unit_test(kid_of_128_octets_and_no_more),
        cmocka_unit_test(duplicate_members),
        cmocka_unit_test(header_that_is_not_one_json_object),
        cmocka_unit_test(header_nested_or_wide),
        cmocka_unit_test(header_of_4096_octets_and_no_more),
        cmocka_unit_test(token_too_long_is_refused_unread),
        cmocka_unit_test(token_of_16384_characters_is_read),
        cmocka_unit_test(signature_of_21830_characters),
        cmocka_unit_test(three_parts_and_no_other_number),
        cmocka_unit_test(empty_payload_is_refused),
        cmocka_unit_test(nested_token_is_refused),
        cmocka_unit_test(parts_that_are_not_base64url),
        cmocka_unit_test(truncated_at_every_byte),
        cmocka_unit_test(small_arena_is_no_memory),
    };
    return RUN_TESTS(tests);
}
