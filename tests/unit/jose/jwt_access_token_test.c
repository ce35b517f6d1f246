/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/jwt.h"

#include "jose/jose_sign.h"
#include "jose_fixture.h"

enum { ARENA_BYTES = 1 << 18, NOW = 1764037000 };

#define ISSUER   "https://as.example"
#define AUDIENCE "https://as.example/v2"
#define KID      "\"kid\":\"" RFC8037_THUMBPRINT "\""
#define HEADER   "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\"," KID "}"

static const char whole[] =
    "{\"iss\":\"" ISSUER "\",\"sub\":\"abc\",\"client_id\":\"abc\",\"aud\":\"" AUDIENCE "\","
    "\"iat\":1764037000,\"exp\":1764038800,\"jti\":\"t-1\",\"rev\":7}";

static void auto_jwks(struct jwks **set)
{
    jwks_free(*set);
}

static void auto_signing_key(struct signing_key **key)
{
    signing_key_free(*key);
}

static void auto_jose_signer(struct jose_signer **signer)
{
    jose_signer_free(*signer);
}

static struct jwt_rules rules_at(int64_t now, int64_t leeway)
{
    return (struct jwt_rules){
        .issuer = SPAN(ISSUER), .audience = SPAN(AUDIENCE), .now = now, .leeway_seconds = leeway};
}

static enum status check_with(struct span token, const struct jwks *keys, struct jwt_rules rules)
{
    struct arena arena;
    struct jwt_claims claims;
    struct err err = {0};
    arena_init(&arena, ARENA_BYTES);
    enum status status = jwt_access_token_check(token, keys, &rules, &arena, &claims, &err);
    assert_int_equal(err.status, status);
    assert_true(status == OK || err.detail[0] != '\0');
    /* RFC 6749 §5.2: what may stand in an error_description. */
    for (const char *at = err.detail; *at != '\0'; at++)
        assert_true(*at >= 0x20 && *at <= 0x7e && *at != '"' && *at != '\\');
    arena_done(&arena);
    return status;
}

static enum status check(const char *header, const char *payload, int64_t now, int64_t leeway)
{
    struct arena arena;
    AUTO(jwks) struct jwks *keys = jwks_new();
    assert_non_null(keys);
    assert_int_equal(jwks_add(keys, key_of(RFC8037_KEY, JOSE_EDDSA)), OK);
    arena_init(&arena, ARENA_BYTES);
    enum status status = check_with(token_of(span_cstr(header), span_cstr(payload), &arena), keys,
                                    rules_at(now, leeway));
    arena_done(&arena);
    return status;
}

static void good_token_is_taken(void **state)
{
    (void)state;
    struct arena arena;
    struct jwt_claims claims;
    AUTO(jwks) struct jwks *keys = jwks_new();
    assert_int_equal(jwks_add(keys, key_of(RFC8037_KEY, JOSE_EDDSA)), OK);
    arena_init(&arena, ARENA_BYTES);
    const struct jwt_rules rules = rules_at(NOW, 0);
    assert_int_equal(jwt_access_token_check(token_of(SPAN(HEADER), span_cstr(whole), &arena), keys,
                                            &rules, &arena, &claims, NULL),
                     OK);
    assert_span_equal(claims.issuer, ISSUER);
    assert_span_equal(claims.client_id, "abc");
    assert_span_equal(claims.token_id, "t-1");
    assert_int_equal(claims.revision, 7);
    arena_done(&arena);
}

/* J23; 9068-07, 8725-11: other kinds of token are not access tokens. */
static void typ_is_at_jwt(void **state)
{
    (void)state;
    const char *good[] = {"at+jwt", "at+JWT", "AT+JWT", "application/at+jwt", "Application/at+jwt"};
    const char *bad[] = {"JWT",
                         "jwt",
                         "",
                         "at",
                         "at+jwt ",
                         "at+jwtx",
                         "application/",
                         "application/application/at+jwt",
                         "text/at+jwt",
                         "logout+jwt",
                         "token-introspection+jwt",
                         "client-authentication+jwt",
                         "dpop+jwt",
                         "statuslist+jwt",
                         "oauth-id-jag+jwt",
                         "oauth-client-attestation+jwt"};
    char header[256];
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        (void)snprintf(header, sizeof header, "{\"alg\":\"EdDSA\",\"typ\":\"%s\"," KID "}",
                       good[i]);
        assert_int_equal(check(header, whole, NOW, 0), OK);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        (void)snprintf(header, sizeof header, "{\"alg\":\"EdDSA\",\"typ\":\"%s\"," KID "}", bad[i]);
        assert_int_equal(check(header, whole, NOW, 0), UNAUTHENTICATED);
    }
    assert_int_equal(check("{\"alg\":\"EdDSA\"," KID "}", whole, NOW, 0), UNAUTHENTICATED);
}

/* J08, J10: by kid among our own keys, and in no other way. */
static void kid_must_name_a_key_of_ours(void **state)
{
    (void)state;
    const char *headers[] = {
        "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\"}",
        "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"\"}",
        "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"other\"}",
        "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"../../../../dev/null\"}",
        "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":null}",
        "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"jwk\":" RFC8037_KEY "}",
        "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"other\",\"jwk\":" RFC8037_KEY "}",
    };
    for (size_t i = 0; i < ARRAY_LEN(headers); i++)
        assert_int_equal(check(headers[i], whole, NOW, 0), UNAUTHENTICATED);
}

/* J07: with the right kid and signature, where else a key might be is of no interest. */
static void key_sources_in_the_header_are_ignored(void **state)
{
    (void)state;
    assert_int_equal(check("{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\"," KID
                           ",\"jku\":\"http://127.0.0.1:1/\",\"x5u\":\"file:///etc/passwd\"}",
                           whole, NOW, 0),
                     OK);
}

/* J01, J02, J11: what jws_split() refuses is the bearer's fault, whatever the reason. */
static void unusable_headers_are_unauthenticated(void **state)
{
    (void)state;
    const char *headers[] = {
        "{\"alg\":\"none\",\"typ\":\"at+jwt\"," KID "}",
        "{\"alg\":\"HS256\",\"typ\":\"at+jwt\"," KID "}",
        "{\"alg\":\"RS256\",\"typ\":\"at+jwt\"," KID "}",
        "{\"alg\":\"ES256\",\"typ\":\"at+jwt\"," KID "}",
        "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\"," KID ",\"crit\":[\"exp\"]}",
        "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\"," KID ",\"alg\":\"EdDSA\"}",
        "{\"typ\":\"at+jwt\"," KID "}",
        "[]",
    };
    for (size_t i = 0; i < ARRAY_LEN(headers); i++)
        assert_int_equal(check(headers[i], whole, NOW, 0), UNAUTHENTICATED);
}

#define PAYLOAD(iss, aud, rest)                                                                    \
    "{\"iss\":" iss ",\"aud\":" aud ",\"sub\":\"abc\",\"client_id\":\"abc\",\"jti\":\"t\"" rest "}"
#define TIMES ",\"iat\":1764037000,\"exp\":1764038800"

/* 9068-07: byte by byte, no normalisation. */
static void issuer_is_equal_byte_by_byte(void **state)
{
    (void)state;
    const char *bad[] = {
        PAYLOAD("\"https://as.example/\"", "\"" AUDIENCE "\"", TIMES),
        PAYLOAD("\"https://AS.example\"", "\"" AUDIENCE "\"", TIMES),
        PAYLOAD("\"https://as.exampl\"", "\"" AUDIENCE "\"", TIMES),
        PAYLOAD("\"\"", "\"" AUDIENCE "\"", TIMES),
        PAYLOAD("null", "\"" AUDIENCE "\"", TIMES),
        PAYLOAD("[\"" ISSUER "\"]", "\"" AUDIENCE "\"", TIMES),
        PAYLOAD("\"" ISSUER "\\u0000\"", "\"" AUDIENCE "\"", TIMES),
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(check(HEADER, bad[i], NOW, 0), UNAUTHENTICATED);
    assert_int_equal(
        check(HEADER, PAYLOAD("\"https:\\/\\/as.example\"", "\"" AUDIENCE "\"", TIMES), NOW, 0),
        OK);
}

/* 8725-08, 7519-02 */
static void audience_must_be_among_aud(void **state)
{
    (void)state;
    const char *bad[] = {
        PAYLOAD("\"" ISSUER "\"", "\"https://other.example\"", TIMES),
        PAYLOAD("\"" ISSUER "\"", "\"https://AS.example/v2\"", TIMES),
        PAYLOAD("\"" ISSUER "\"", "\"https://as.example/v2/\"", TIMES),
        PAYLOAD("\"" ISSUER "\"", "\"https://as.example\"", TIMES),
        PAYLOAD("\"" ISSUER "\"", "[]", TIMES),
        PAYLOAD("\"" ISSUER "\"", "\"\"", TIMES),
        PAYLOAD("\"" ISSUER "\"", "[\"a\",\"b\"]", TIMES),
        PAYLOAD("\"" ISSUER "\"", "{\"0\":\"" AUDIENCE "\"}", TIMES),
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(check(HEADER, bad[i], NOW, 0), UNAUTHENTICATED);
    assert_int_equal(
        check(HEADER, PAYLOAD("\"" ISSUER "\"", "[\"https://a\",\"" AUDIENCE "\"]", TIMES), NOW, 0),
        OK);
}

/* 9068-02 */
static void every_required_claim_is_required(void **state)
{
    (void)state;
    const char *members[] = {"\"iss\":\"" ISSUER "\"", "\"sub\":\"abc\"",
                             "\"client_id\":\"abc\"",  "\"aud\":\"" AUDIENCE "\"",
                             "\"iat\":1764037000",     "\"exp\":1764038800",
                             "\"jti\":\"t\""};
    for (size_t absent = 0; absent <= ARRAY_LEN(members); absent++) {
        AUTO(buf) struct buf payload;
        buf_init(&payload, 4096);
        buf_put(&payload, SPAN("{\"x\":0"));
        for (size_t i = 0; i < ARRAY_LEN(members); i++) {
            if (i != absent)
                buf_printf(&payload, ",%s", members[i]);
        }
        buf_put(&payload, SPAN("}\0"));
        assert_int_equal(check(HEADER, payload.data, NOW, 0),
                         absent == ARRAY_LEN(members) ? OK : UNAUTHENTICATED);
    }
}

static void empty_identities_are_refused(void **state)
{
    (void)state;
    const char *rest = ",\"iss\":\"" ISSUER "\",\"aud\":\"" AUDIENCE "\"" TIMES "}";
    const char *starts[] = {
        "{\"sub\":\"\",\"client_id\":\"abc\",\"jti\":\"t\"",
        "{\"sub\":\"abc\",\"client_id\":\"\",\"jti\":\"t\"",
        "{\"sub\":\"abc\",\"client_id\":\"abc\",\"jti\":\"\"",
    };
    for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
        char payload[512];
        (void)snprintf(payload, sizeof payload, "%s%s", starts[i], rest);
        assert_int_equal(check(HEADER, payload, NOW, 0), UNAUTHENTICATED);
    }
}

/* 7519-03: now is before exp, or was so within the leeway. */
static void expiry(void **state)
{
    (void)state;
    const int64_t exp = 1764038800;
    assert_int_equal(check(HEADER, whole, exp - 1, 0), OK);
    assert_int_equal(check(HEADER, whole, exp, 0), UNAUTHENTICATED);
    assert_int_equal(check(HEADER, whole, exp + 1000000, 0), UNAUTHENTICATED);
    assert_int_equal(check(HEADER, whole, exp + 59, 60), OK);
    assert_int_equal(check(HEADER, whole, exp + 60, 60), UNAUTHENTICATED);
}

/* J25: within the leeway yes, a second past it no. */
static void issued_in_the_future(void **state)
{
    (void)state;
    const int64_t iat = 1764037000;
    assert_int_equal(check(HEADER, whole, iat, 0), OK);
    assert_int_equal(check(HEADER, whole, iat - 1, 0), UNAUTHENTICATED);
    assert_int_equal(check(HEADER, whole, iat - 4, 60), OK);
    assert_int_equal(check(HEADER, whole, iat - 60, 60), OK);
    assert_int_equal(check(HEADER, whole, iat - 61, 60), UNAUTHENTICATED);
}

/* J25 */
static void not_before(void **state)
{
    (void)state;
    const char *payload =
        PAYLOAD("\"" ISSUER "\"", "\"" AUDIENCE "\"", TIMES ",\"nbf\":1764037100");
    assert_int_equal(check(HEADER, payload, 1764037100, 0), OK);
    assert_int_equal(check(HEADER, payload, 1764037099, 0), UNAUTHENTICATED);
    assert_int_equal(check(HEADER, payload, 1764037040, 60), OK);
    assert_int_equal(check(HEADER, payload, 1764037039, 60), UNAUTHENTICATED);
}

/* 7519-04: extremes neither wrap nor pass. */
static void extreme_times(void **state)
{
    (void)state;
    const char *bad[] = {
        PAYLOAD("\"" ISSUER "\"", "\"" AUDIENCE "\"", ",\"iat\":1764037000,\"exp\":-1"),
        PAYLOAD("\"" ISSUER "\"", "\"" AUDIENCE "\"",
                ",\"iat\":1764037000,\"exp\":-9223372036854775808"),
        PAYLOAD("\"" ISSUER "\"", "\"" AUDIENCE "\"",
                ",\"iat\":1764037000,\"exp\":9223372036854775808"),
        PAYLOAD("\"" ISSUER "\"", "\"" AUDIENCE "\"", ",\"iat\":1764037000,\"exp\":1e400"),
        PAYLOAD("\"" ISSUER "\"", "\"" AUDIENCE "\"", ",\"iat\":1764037000,\"exp\":\"1764038800\""),
        PAYLOAD("\"" ISSUER "\"", "\"" AUDIENCE "\"",
                ",\"iat\":9223372036854775807,\"exp\":9223372036854775807"),
        PAYLOAD("\"" ISSUER "\"", "\"" AUDIENCE "\"", TIMES ",\"nbf\":9223372036854775807"),
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(check(HEADER, bad[i], NOW, 60), UNAUTHENTICATED);
    assert_int_equal(check(HEADER,
                           PAYLOAD("\"" ISSUER "\"", "\"" AUDIENCE "\"",
                                   ",\"iat\":1764037000.9,\"exp\":9223372036854775807"),
                           NOW, 60),
                     OK);
}

/* J14 */
static void duplicate_claims(void **state)
{
    (void)state;
    assert_int_equal(check(HEADER,
                           PAYLOAD("\"" ISSUER "\"", "\"" AUDIENCE "\"", TIMES ",\"sub\":\"abc\""),
                           NOW, 0),
                     UNAUTHENTICATED);
}

static void every_altered_byte_is_refused(void **state)
{
    (void)state;
    struct arena arena;
    AUTO(jwks) struct jwks *keys = jwks_new();
    assert_int_equal(jwks_add(keys, key_of(RFC8037_KEY, JOSE_EDDSA)), OK);
    arena_init(&arena, ARENA_BYTES);
    struct span token = token_of(SPAN(HEADER), span_cstr(whole), &arena);
    char *altered = arena_cstr(&arena, token);
    assert_int_equal(check_with(token, keys, rules_at(NOW, 0)), OK);
    for (size_t at = 0; at < token.len; at++) {
        altered[at] = token.ptr[at] == 'A' ? 'B' : 'A';
        assert_int_equal(check_with(span_of(altered, token.len), keys, rules_at(NOW, 0)),
                         UNAUTHENTICATED);
        altered[at] = token.ptr[at];
        assert_int_equal(check_with(span_first(token, at), keys, rules_at(NOW, 0)),
                         UNAUTHENTICATED);
    }
    arena_done(&arena);
}

/* Signed by a key made now, with the claims as the signer writes them. */
static struct span signed_token(const struct signing_key *key, struct buf *out)
{
    AUTO(buf) struct buf payload;
    AUTO(jose_signer) struct jose_signer *signer = NULL;
    const struct jwt_claims claims = {
        .issuer = SPAN(ISSUER),
        .subject = SPAN("abc"),
        .client_id = SPAN("abc"),
        .audiences = {SPAN(AUDIENCE)},
        .audience_count = 1,
        .issued_at = NOW,
        .expires_at = NOW + 1800,
        .token_id = SPAN("t-1"),
        .revision = 7,
    };
    buf_init(&payload, 4096);
    jwt_claims_write(&claims, &payload);
    assert_int_equal(jose_signer_new(key, &signer, NULL), OK);
    assert_int_equal(jose_sign(signer, SPAN("at+jwt"), buf_span(&payload), out, NULL), OK);
    return buf_span(out);
}

static void tokens_of_each_algorithm(void **state)
{
    (void)state;
    for (unsigned alg = 0; alg < JOSE_ALG_COUNT; alg++) {
        AUTO(buf) struct buf out;
        AUTO(signing_key) struct signing_key *key = NULL;
        AUTO(jwks) struct jwks *keys = jwks_new();
        struct jwk *public_half = NULL;
        buf_init(&out, 8192);
        assert_int_equal(signing_key_make((enum jose_alg)alg, &key, NULL), OK);
        assert_int_equal(signing_key_public(key, &public_half, NULL), OK);
        assert_int_equal(jwks_add(keys, public_half), OK);
        assert_int_equal(check_with(signed_token(key, &out), keys, rules_at(NOW, 0)), OK);
    }
}

/* J37: while a retired key is in the set its tokens live until they expire; without it none does.
 */
static void token_of_a_retired_key(void **state)
{
    (void)state;
    AUTO(buf) struct buf out;
    AUTO(signing_key) struct signing_key *retired = NULL;
    AUTO(jwks) struct jwks *both = jwks_new();
    AUTO(jwks) struct jwks *current = jwks_new();
    struct jwk *public_half = NULL;
    buf_init(&out, 8192);
    assert_int_equal(signing_key_make(JOSE_ES256, &retired, NULL), OK);
    assert_int_equal(signing_key_public(retired, &public_half, NULL), OK);
    assert_int_equal(jwks_add(both, key_of(RFC8037_KEY, JOSE_EDDSA)), OK);
    assert_int_equal(jwks_add(both, public_half), OK);
    assert_int_equal(jwks_add(current, key_of(RFC8037_KEY, JOSE_EDDSA)), OK);
    struct span token = signed_token(retired, &out);
    assert_int_equal(check_with(token, both, rules_at(NOW + 1799, 0)), OK);
    assert_int_equal(check_with(token, both, rules_at(NOW + 1800, 0)), UNAUTHENTICATED);
    assert_int_equal(check_with(token, current, rules_at(NOW, 0)), UNAUTHENTICATED);
}

/* A short arena is our trouble, not the bearer's: 503 and not 401. */
static void small_arena_is_no_memory(void **state)
{
    (void)state;
    struct arena arena;
    AUTO(jwks) struct jwks *keys = jwks_new();
    bool has_failed = false;
    assert_int_equal(jwks_add(keys, key_of(RFC8037_KEY, JOSE_EDDSA)), OK);
    arena_init(&arena, ARENA_BYTES);
    struct span token = token_of(SPAN(HEADER), span_cstr(whole), &arena);
    for (size_t limit = 0; limit < 2048; limit += 16) {
        struct arena small;
        struct jwt_claims claims;
        const struct jwt_rules rules = rules_at(NOW, 0);
        arena_init(&small, limit);
        enum status status = jwt_access_token_check(token, keys, &rules, &small, &claims, NULL);
        assert_true(status == OK || status == NO_MEMORY);
        has_failed |= status == NO_MEMORY;
        arena_done(&small);
    }
    assert_true(has_failed);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_token_is_taken),
        cmocka_unit_test(typ_is_at_jwt),
        cmocka_unit_test(kid_must_name_a_key_of_ours),
        cmocka_unit_test(key_sources_in_the_header_are_ignored),
        cmocka_unit_test(unusable_headers_are_unauthenticated),
        cmocka_unit_test(issuer_is_equal_byte_by_byte),
        cmocka_unit_test(audience_must_be_among_aud),
        cmocka_unit_test(every_required_claim_is_required),
        cmocka_unit_test(empty_identities_are_refused),
        cmocka_unit_test(expiry),
        cmocka_unit_test(issued_in_the_future),
        cmocka_unit_test(not_before),
        cmocka_unit_test(extreme_times),
        cmocka_unit_test(duplicate_claims),
        cmocka_unit_test(every_altered_byte_is_refused),
        cmocka_unit_test(tokens_of_each_algorithm),
        cmocka_unit_test(token_of_a_retired_key),
        cmocka_unit_test(small_arena_is_no_memory),
    };
    return RUN_TESTS(tests);
}
