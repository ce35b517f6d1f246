/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/jwt.h"

#include "base/arena.h"
#include "base/buf.h"
#include "unit.h"

#include <stdio.h>

enum { ARENA_BYTES = 1 << 16 };

static enum status parse(struct span payload, struct arena *arena, struct jwt_claims *claims)
{
    struct err err = {0};
    enum status status = jwt_claims_parse(payload, arena, claims, &err);
    assert_int_equal(err.status, status);
    /* RFC 6749 §5.2: what may stand in an error_description. */
    for (const char *at = err.detail; *at != '\0'; at++)
        assert_true(*at >= 0x20 && *at <= 0x7e && *at != '"' && *at != '\\');
    return status;
}

static void assert_refused(struct span payload)
{
    struct arena arena;
    struct jwt_claims claims;
    arena_init(&arena, ARENA_BYTES);
    enum status status = parse(payload, &arena, &claims);
    if (status != INVALID)
        print_message("%.*s: %s\n", (int)(payload.len < 200 ? payload.len : 200), payload.ptr,
                      status_name(status));
    assert_int_equal(status, INVALID);
    arena_done(&arena);
}

/* RFC 7519 §3.1 */
static void rfc_7519_example(void **state)
{
    (void)state;
    struct arena arena;
    struct jwt_claims claims;
    arena_init(&arena, ARENA_BYTES);
    assert_int_equal(parse(SPAN("{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n "
                                "\"http://example.com/is_root\":true}"),
                           &arena, &claims),
                     OK);
    assert_span_equal(claims.issuer, "joe");
    assert_int_equal(claims.expires_at, 1300819380);
    assert_int_equal(claims.subject.len, 0);
    assert_int_equal(claims.audience_count, 0);
    assert_int_equal(claims.issued_at, 0);
    assert_int_equal(claims.not_before, 0);
    assert_int_equal(claims.revision, 0);
    assert_false(claims.has_roles);
    arena_done(&arena);
}

#define FULL                                                                                       \
    "{\"iss\":\"https://as.example\",\"sub\":\"app_1\",\"client_id\":\"abc\","                     \
    "\"aud\":[\"https://one.example\",\"https://two.example\"],\"iat\":1,\"exp\":2,\"nbf\":3,"     \
    "\"jti\":\"t-1\",\"roles\":[\"owner\",\"viewer\"],\"scope\":\"a b\",\"account_id\":\"acc_1\"," \
    "\"credential_id\":\"crd_1\",\"rev\":1764037000000000}"

static void assert_full(const struct jwt_claims *claims)
{
    assert_span_equal(claims->issuer, "https://as.example");
    assert_span_equal(claims->subject, "app_1");
    assert_span_equal(claims->client_id, "abc");
    assert_int_equal(claims->audience_count, 2);
    assert_span_equal(claims->audiences[0], "https://one.example");
    assert_span_equal(claims->audiences[1], "https://two.example");
    assert_int_equal(claims->issued_at, 1);
    assert_int_equal(claims->expires_at, 2);
    assert_int_equal(claims->not_before, 3);
    assert_span_equal(claims->token_id, "t-1");
    assert_true(claims->has_roles);
    assert_int_equal(claims->role_count, 2);
    assert_span_equal(claims->roles[0], "owner");
    assert_span_equal(claims->roles[1], "viewer");
    assert_span_equal(claims->scope, "a b");
    assert_span_equal(claims->account_id, "acc_1");
    assert_span_equal(claims->credential_id, "crd_1");
    assert_int_equal(claims->revision, 1764037000000000);
}

static void every_claim_is_read_and_written(void **state)
{
    (void)state;
    struct arena arena;
    struct jwt_claims claims;
    AUTO(buf) struct buf out;
    arena_init(&arena, ARENA_BYTES);
    assert_int_equal(parse(SPAN(FULL), &arena, &claims), OK);
    assert_full(&claims);
    buf_init(&out, 4096);
    jwt_claims_write(&claims, &out);
    assert_true(buf_ok(&out));
    struct jwt_claims again;
    assert_int_equal(parse(buf_span(&out), &arena, &again), OK);
    assert_full(&again);
    arena_done(&arena);
}

/* The spans are the arena's, not the payload's nor the JSON tree's. */
static void claims_outlive_the_payload(void **state)
{
    (void)state;
    struct arena arena;
    struct jwt_claims claims;
    char payload[] = FULL;
    arena_init(&arena, ARENA_BYTES);
    assert_int_equal(parse(span_of(payload, sizeof payload - 1), &arena, &claims), OK);
    memset(payload, 'x', sizeof payload);
    assert_full(&claims);
    arena_done(&arena);
}

static void written_in_a_fixed_order_without_what_is_empty(void **state)
{
    (void)state;
    AUTO(buf) struct buf out;
    struct jwt_claims claims = {
        .issuer = SPAN("https://as.example"),
        .subject = SPAN("abc"),
        .client_id = SPAN("abc"),
        .audiences = {SPAN("https://as.example/v2")},
        .audience_count = 1,
        .issued_at = 1764037000,
        .expires_at = 1764038800,
        .token_id = SPAN("j"),
        .has_roles = true,
        .account_id = SPAN("acc_1"),
        .credential_id = SPAN("crd_1"),
        .revision = 7,
    };
    buf_init(&out, 4096);
    jwt_claims_write(&claims, &out);
    assert_span_equal(buf_span(&out),
                      "{\"iss\":\"https://as.example\",\"sub\":\"abc\",\"client_id\":\"abc\","
                      "\"aud\":\"https://as.example/v2\",\"iat\":1764037000,\"exp\":1764038800,"
                      "\"jti\":\"j\",\"roles\":[],\"account_id\":\"acc_1\","
                      "\"credential_id\":\"crd_1\",\"rev\":7}");
}

static void written_text_is_escaped(void **state)
{
    (void)state;
    struct arena arena;
    struct jwt_claims claims = {.subject = SPAN("a\",\"sub\":\"b\\\n"), .expires_at = 1};
    struct jwt_claims again;
    AUTO(buf) struct buf out;
    arena_init(&arena, ARENA_BYTES);
    buf_init(&out, 4096);
    jwt_claims_write(&claims, &out);
    assert_int_equal(parse(buf_span(&out), &arena, &again), OK);
    assert_span_equal(again.subject, "a\",\"sub\":\"b\\\n");
    arena_done(&arena);
}

/* 7519-02 */
static void audience_is_a_string_or_an_array_of_strings(void **state)
{
    (void)state;
    struct arena arena;
    struct jwt_claims claims;
    arena_init(&arena, ARENA_BYTES);
    assert_int_equal(parse(SPAN("{\"aud\":\"one\"}"), &arena, &claims), OK);
    assert_int_equal(claims.audience_count, 1);
    assert_span_equal(claims.audiences[0], "one");
    assert_int_equal(parse(SPAN("{\"aud\":[\"one\"]}"), &arena, &claims), OK);
    assert_int_equal(claims.audience_count, 1);
    assert_int_equal(parse(SPAN("{\"aud\":[]}"), &arena, &claims), OK);
    assert_int_equal(claims.audience_count, 0);
    assert_int_equal(
        parse(SPAN("{\"aud\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\"]}"), &arena, &claims),
        OK);
    assert_int_equal(claims.audience_count, JWT_AUDIENCES_MAX);
    assert_span_equal(claims.audiences[7], "8");
    arena_done(&arena);
    assert_refused(SPAN("{\"aud\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\"]}"));
    assert_refused(SPAN("{\"aud\":5}"));
    assert_refused(SPAN("{\"aud\":null}"));
    assert_refused(SPAN("{\"aud\":{\"a\":\"one\"}}"));
    assert_refused(SPAN("{\"aud\":[\"one\",5]}"));
    assert_refused(SPAN("{\"aud\":[[\"one\"]]}"));
    assert_refused(SPAN("{\"aud\":[null]}"));
}

static void roles_are_an_array_of_strings(void **state)
{
    (void)state;
    struct arena arena;
    struct jwt_claims claims;
    AUTO(buf) struct buf payload;
    arena_init(&arena, ARENA_BYTES);
    assert_int_equal(parse(SPAN("{\"roles\":[]}"), &arena, &claims), OK);
    assert_true(claims.has_roles);
    assert_int_equal(claims.role_count, 0);
    buf_init(&payload, 4096);
    for (int count = JWT_ROLES_MAX; count <= JWT_ROLES_MAX + 1; count++) {
        buf_clear(&payload);
        buf_put(&payload, SPAN("{\"roles\":[\"r\""));
        for (int i = 1; i < count; i++)
            buf_put(&payload, SPAN(",\"r\""));
        buf_put(&payload, SPAN("]}"));
        assert_int_equal(parse(buf_span(&payload), &arena, &claims),
                         count == JWT_ROLES_MAX ? OK : INVALID);
    }
    arena_done(&arena);
    assert_refused(SPAN("{\"roles\":\"owner\"}"));
    assert_refused(SPAN("{\"roles\":null}"));
    assert_refused(SPAN("{\"roles\":[5]}"));
    assert_refused(SPAN("{\"roles\":[{\"value\":\"owner\"}]}"));
    assert_refused(SPAN("{\"roles\":{}}"));
}

static int64_t number(const char *text)
{
    struct arena arena;
    struct jwt_claims claims;
    char payload[128];
    arena_init(&arena, ARENA_BYTES);
    int len = snprintf(payload, sizeof payload, "{\"exp\":%s}", text);
    assert_int_equal(parse(span_of(payload, (size_t)len), &arena, &claims), OK);
    arena_done(&arena);
    return claims.expires_at;
}

/* 7519-04: numbers, whose fractions are cut. */
static void times_may_have_fractions(void **state)
{
    (void)state;
    assert_true(number("1300819380") == 1300819380);
    assert_true(number("1300819380.0") == 1300819380);
    assert_true(number("1300819380.999") == 1300819380);
    assert_true(number("13e8") == 1300000000);
    assert_true(number("0") == 0);
    assert_true(number("-1") == -1);
    assert_true(number("-0.5") == 0);
    assert_true(number("9223372036854775807") == INT64_MAX);
    assert_true(number("-9223372036854775808") == INT64_MIN);
    assert_true(number("9.2e18") == 9200000000000000000);
    assert_true(number("-9223372036854775808.0") == INT64_MIN);
}

/* 7515-09, 7519-04: nothing wraps, nothing is saturated. */
static void numbers_that_do_not_fit(void **state)
{
    (void)state;
    const char *claims[] = {"exp", "iat", "nbf", "rev"};
    const char *values[] = {
        "9223372036854775808",
        "-9223372036854775809",
        "18446744073709551616",
        "9223372036854775808.0",
        "9.3e18",
        "-9.3e18",
        "1e400",
        "-1e400",
        "1e19",
        "NaN",
        "Infinity",
        "0x10",
        "\"1300819380\"",
        "null",
        "true",
        "[1]",
        "{}",
        "01",
        "+1",
        "1.",
        ".5",
        "1e",
    };
    for (size_t i = 0; i < ARRAY_LEN(claims); i++) {
        for (size_t j = 0; j < ARRAY_LEN(values); j++) {
            char payload[128];
            int len = snprintf(payload, sizeof payload, "{\"%s\":%s}", claims[i], values[j]);
            assert_refused(span_of(payload, (size_t)len));
        }
    }
}

static void texts_of_another_type(void **state)
{
    (void)state;
    const char *claims[] = {"iss",   "sub",        "client_id",    "jti",
                            "scope", "account_id", "credential_id"};
    const char *values[] = {"5", "1.5", "null", "true", "[\"a\"]", "{}", "\"a\\u0000b\""};
    for (size_t i = 0; i < ARRAY_LEN(claims); i++) {
        for (size_t j = 0; j < ARRAY_LEN(values); j++) {
            char payload[128];
            int len = snprintf(payload, sizeof payload, "{\"%s\":%s}", claims[i], values[j]);
            assert_refused(span_of(payload, (size_t)len));
        }
    }
}

/* J14; 7519-01 */
static void duplicate_claims(void **state)
{
    (void)state;
    assert_refused(SPAN("{\"sub\":\"a\",\"sub\":\"b\"}"));
    assert_refused(SPAN("{\"sub\":\"a\",\"sub\":\"a\"}"));
    assert_refused(SPAN("{\"sub\":\"a\",\"s\\u0075b\":\"b\"}"));
    assert_refused(SPAN("{\"x\":1,\"x\":2}"));
    assert_refused(SPAN("{\"x\":{\"y\":1,\"y\":2}}"));
}

/* 7519-07: what is compared is what the escapes stand for. */
static void escapes_are_resolved(void **state)
{
    (void)state;
    struct arena arena;
    struct jwt_claims claims;
    arena_init(&arena, ARENA_BYTES);
    assert_int_equal(
        parse(SPAN("{\"iss\":\"https:\\/\\/\\u0061s\",\"\\u0073ub\":\"x\"}"), &arena, &claims), OK);
    assert_span_equal(claims.issuer, "https://as");
    assert_span_equal(claims.subject, "x");
    arena_done(&arena);
}

static void unknown_claims_are_ignored(void **state)
{
    (void)state;
    struct arena arena;
    struct jwt_claims claims;
    arena_init(&arena, ARENA_BYTES);
    assert_int_equal(parse(SPAN("{\"cnf\":{\"jkt\":\"x\"},\"groups\":[{\"value\":\"g\"}],"
                                "\"amr\":null,\"Sub\":5,\"auth_time\":1.5,\"sub\":\"a\"}"),
                           &arena, &claims),
                     OK);
    assert_span_equal(claims.subject, "a");
    arena_done(&arena);
}

/* 7519-06, J29, J31 */
static void payload_that_is_not_one_json_object(void **state)
{
    (void)state;
    AUTO(buf) struct buf payload;
    const struct span texts[] = {
        (struct span){0},
        SPAN(""),
        SPAN("null"),
        SPAN("[]"),
        SPAN("\"x\""),
        SPAN("5"),
        SPAN("{}{}"),
        SPAN("{} x"),
        SPAN("{,}"),
        SPAN("{\"a\"}"),
        SPAN("{\"a\":1,}"),
        SPAN("\xef\xbb\xbf{}"),
        SPAN("{\"iss\":\"\xff\"}"),
        SPAN("{\"iss\":\"\\ud800\"}"),
        SPAN("{}\0"),
        SPAN("eyJhbGciOiJSUzI1NiJ9.e30.AA"), /* a token within a token */
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_refused(texts[i]);
    buf_init(&payload, 16384);
    buf_put(&payload, SPAN("{\"a\":"));
    for (int i = 0; i < 8000; i++)
        buf_byte(&payload, '[');
    assert_refused(buf_span(&payload));
}

/* J32 */
static void huge_payload_is_refused_unread(void **state)
{
    (void)state;
    struct arena arena;
    struct jwt_claims claims;
    arena_init(&arena, ARENA_BYTES);
    assert_int_equal(jwt_claims_parse(span_of("{", SIZE_MAX / 2), &arena, &claims, NULL), INVALID);
    arena_done(&arena);
}

static void truncated_at_every_byte(void **state)
{
    (void)state;
    for (size_t len = 0; len < strlen(FULL); len++)
        assert_refused(span_first(SPAN(FULL), len));
}

static void small_arena_is_no_memory(void **state)
{
    (void)state;
    bool has_failed = false;
    for (size_t limit = 0; limit < 512; limit += 16) {
        struct arena arena;
        struct jwt_claims claims;
        arena_init(&arena, limit);
        enum status status = parse(SPAN(FULL), &arena, &claims);
        assert_true(status == OK || status == NO_MEMORY);
        has_failed |= status == NO_MEMORY;
        arena_done(&arena);
    }
    assert_true(has_failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc_7519_example),
        cmocka_unit_test(every_claim_is_read_and_written),
        cmocka_unit_test(claims_outlive_the_payload),
        cmocka_unit_test(written_in_a_fixed_order_without_what_is_empty),
        cmocka_unit_test(written_text_is_escaped),
        cmocka_unit_test(audience_is_a_string_or_an_array_of_strings),
        cmocka_unit_test(roles_are_an_array_of_strings),
        cmocka_unit_test(times_may_have_fractions),
        cmocka_unit_test(numbers_that_do_not_fit),
        cmocka_unit_test(texts_of_another_type),
        cmocka_unit_test(duplicate_claims),
        cmocka_unit_test(escapes_are_resolved),
        cmocka_unit_test(unknown_claims_are_ignored),
        cmocka_unit_test(payload_that_is_not_one_json_object),
        cmocka_unit_test(huge_payload_is_refused_unread),
        cmocka_unit_test(truncated_at_every_byte),
        cmocka_unit_test(small_arena_is_no_memory),
    };
    return RUN_TESTS(tests);
}
