/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/signer_ops.h"

#include "codec/base64url.h"
#include "config/config.h"
#include "jose/jwk.h"
#include "jose/jwt.h"

#include "../unit.h"
#include "signer_bench.h"

#include <stdlib.h>

enum { NOW = 1800000000, UNSEAL_MAX = 5, ARENA_BYTES = 1 << 20 };

struct world {
    struct bench bench; /* first */
    struct config config;
    struct signer signer;
    struct signer_worker *worker;
    struct signer_time time;
    struct err err; /* of the last request */
};

/* Straight into signer_handle(), copying what the reply borrows by way of the wire. */
static enum status ask(void *context, const struct signing_request *request, struct arena *arena,
                       struct signing_reply *ret_reply)
{
    struct world *world = context;
    struct buf message;
    struct signing_frame frame;
    struct signing_reply reply;
    world->err = (struct err){0};
    signer_handle(world->worker, request, &world->time, &reply, &world->err);
    buf_init_arena(&message, arena, SIGNING_MESSAGE_MAX);
    signing_reply_write(1, &reply, &message);
    assert_true(buf_ok(&message));
    struct span bytes = buf_span(&message);
    assert_int_equal(signing_frame_cut(&bytes, &frame), OK);
    assert_int_equal(signing_reply_read(&frame, ret_reply), OK);
    signer_worker_forget(world->worker);
    return ret_reply->status;
}

static void open_signer(struct world *world, const unsigned char *kek)
{
    config_defaults(&world->config);
    world->config.public_url = SPAN(ISSUER);
    world->config.unseal_per_minute_max = UNSEAL_MAX;
    assert_int_equal(signer_open(&world->signer, &world->config, span_of(kek, 32), NULL), OK);
    world->worker = signer_worker_new(&world->signer);
    assert_non_null(world->worker);
}

static int open_empty(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    open_signer(world, bench_kek);
    world->bench.ask = ask;
    world->bench.context = world;
    world->time = (struct signer_time){.now = NOW, .second = 100};
    arena_init(&world->bench.arena, ARENA_BYTES);
    *state = world;
    return 0;
}

static int open_world(void **state)
{
    (void)open_empty(state);
    struct world *world = *state;
    bench_load_keys(&world->bench, SPAN("ES256"));
    return 0;
}

static int close_world(void **state)
{
    struct world *world = *state;
    signer_worker_free(world->worker);
    signer_close(&world->signer);
    arena_done(&world->bench.arena);
    free(world);
    return 0;
}

static enum status token_status(struct world *world, const struct signing_request *request)
{
    struct signing_reply reply;
    return bench_call(&world->bench, request, &reply);
}

/* What a resource server sees. */
static enum status check_token(struct world *world, struct span token,
                               struct jwt_claims *ret_claims)
{
    struct jwk *key;
    struct jwks *set = jwks_new();
    struct err err = {0};
    const struct jwt_rules rules = {
        .issuer = SPAN(ISSUER), .audience = SPAN(AUDIENCE), .now = world->time.now};
    assert_int_equal(jwk_parse(world->bench.public_jwk, JOSE_RS256, &key, &err), OK);
    assert_int_equal(jwks_add(set, key), OK);
    enum status status =
        jwt_access_token_check(token, set, &rules, &world->bench.arena, ret_claims, &err);
    jwks_free(set);
    return status;
}

/* --- Keys --- */

static void before_the_keys_are_loaded_nothing_works(void **state)
{
    struct world *world = *state;
    struct signing_reply reply;
    const struct signing_request ping = {.op = SIGNING_PING};
    const struct signing_request protect = {.op = SIGNING_PROTECT,
                                            .protect = {.account_id = SPAN("acc_1"),
                                                        .owner_id = SPAN("app_1"),
                                                        .credential_id = SPAN("crd_1"),
                                                        .secret = SPAN("s")}};
    const struct signing_request mac = {.op = SIGNING_RECORD_MAC, .record_mac = {SPAN("a record")}};
    const struct signing_request token = {.op = SIGNING_TOKEN,
                                          .token = {.audience = SPAN(AUDIENCE)}};
    assert_int_equal(bench_call(&world->bench, &ping, &reply), OK);
    assert_int_equal(bench_call(&world->bench, &protect, &reply), UNAVAILABLE);
    assert_int_equal(bench_call(&world->bench, &mac, &reply), UNAVAILABLE);
    assert_int_equal(bench_call(&world->bench, &token, &reply), UNAVAILABLE);
    const struct signing_request clock = {.op = SIGNING_CLOCK};
    assert_int_equal(bench_call(&world->bench, &clock, &reply), UNAVAILABLE);
    /* A key that was made is not in use: the front has to store it first. */
    (void)bench_make_key(&world->bench, SIGNING_KEY_PEPPER, SPAN(""));
    assert_int_equal(bench_call(&world->bench, &protect, &reply), UNAVAILABLE);
}

static void keys_that_are_made_have_ids_and_check_values(void **state)
{
    struct world *world = *state;
    char thumbprint[JWK_THUMBPRINT_LEN];
    struct jwk *key;
    struct signing_reply made = bench_make_key(&world->bench, SIGNING_KEY_TOKEN, SPAN("EdDSA"));
    assert_int_equal(jwk_parse(made.key_make.public_jwk, JOSE_EDDSA, &key, NULL), OK);
    jwk_thumbprint(key, thumbprint);
    jwk_free(key);
    assert_true(span_equal(made.key_make.id, span_of(thumbprint, sizeof thumbprint)));
    assert_int_equal(made.key_make.check_value.len, 16);

    struct signing_reply one = bench_make_key(&world->bench, SIGNING_KEY_PEPPER, SPAN(""));
    struct signing_reply other = bench_make_key(&world->bench, SIGNING_KEY_PEPPER, SPAN(""));
    assert_span_equal(one.key_make.id, "pepper");
    assert_int_equal(one.key_make.public_jwk.len, 0);
    assert_false(span_equal(one.key_make.check_value, other.key_make.check_value));
    made = bench_make_key(&world->bench, SIGNING_KEY_RECORD_MAC, SPAN(""));
    assert_span_equal(made.key_make.id, "record_mac");
}

static void a_token_key_of_an_unknown_algorithm_is_unsupported(void **state)
{
    struct world *world = *state;
    struct signing_reply reply;
    struct signing_request request = {.op = SIGNING_KEY_MAKE,
                                      .key_make = {SIGNING_KEY_TOKEN, SPAN("HS256")}};
    assert_int_equal(bench_call(&world->bench, &request, &reply), UNSUPPORTED);
    struct signing_reply made = bench_make_key(&world->bench, SIGNING_KEY_TOKEN, SPAN("ES256"));
    request = bench_load_of(SIGNING_KEY_TOKEN, SPAN("none"), &made);
    assert_int_equal(bench_call(&world->bench, &request, &reply), UNSUPPORTED);
    request = bench_load_of(SIGNING_KEY_TOKEN, SPAN("RS256"), &made); /* not such a key */
    assert_int_equal(bench_call(&world->bench, &request, &reply), CORRUPT);
}

static void a_stored_key_that_was_changed_or_moved_is_corrupt(void **state)
{
    struct world *world = *state;
    struct signing_reply reply;
    struct signing_reply made = bench_make_key(&world->bench, SIGNING_KEY_PEPPER, SPAN(""));
    struct signing_reply other = bench_make_key(&world->bench, SIGNING_KEY_PEPPER, SPAN(""));
    const struct signing_request good = bench_load_of(SIGNING_KEY_PEPPER, SPAN(""), &made);
    assert_int_equal(bench_call(&world->bench, &good, &reply), OK);

    struct signing_request bad = good;
    bad.key_load.check_value = other.key_make.check_value;
    assert_int_equal(bench_call(&world->bench, &bad, &reply), CORRUPT);
    assert_null(strstr(world->err.detail, "another key-encryption key"));
    bad = good;
    bad.key_load.id = SPAN("peppex");
    assert_int_equal(bench_call(&world->bench, &bad, &reply), CORRUPT);
    bad = good;
    bad.key_load.kind = SIGNING_KEY_RECORD_MAC;
    assert_int_equal(bench_call(&world->bench, &bad, &reply), CORRUPT);
    bad = good;
    bad.key_load.sealed = span_first(good.key_load.sealed, good.key_load.sealed.len - 1);
    assert_int_equal(bench_call(&world->bench, &bad, &reply), CORRUPT);
    bad = good;
    bad.key_load.id = SPAN("");
    assert_int_equal(bench_call(&world->bench, &bad, &reply), INVALID);
    bad.key_load.id = SPAN("pep\0per");
    assert_int_equal(bench_call(&world->bench, &bad, &reply), INVALID);
}

static void another_kek_opens_no_key_and_says_so(void **state)
{
    struct world *world = *state;
    static const unsigned char other_kek[32] = "another key-encryption key......";
    struct signing_reply reply;
    struct signing_reply made = bench_make_key(&world->bench, SIGNING_KEY_TOKEN, SPAN("ES256"));
    const struct signing_request load = bench_load_of(SIGNING_KEY_TOKEN, SPAN("ES256"), &made);
    signer_worker_free(world->worker);
    signer_close(&world->signer);
    open_signer(world, other_kek);
    assert_int_equal(bench_call(&world->bench, &load, &reply), CORRUPT);
    assert_non_null(strstr(world->err.detail, "made with another key-encryption key"));
}

/* --- Tokens --- */

static void a_token_says_what_it_must(void **state)
{
    struct world *world = *state;
    struct signing_reply reply;
    struct jwt_claims claims;
    const struct principal client = bench_client(&world->bench);
    const struct signing_request request = bench_token(&world->bench, &client);
    assert_int_equal(bench_call(&world->bench, &request, &reply), OK);
    assert_int_equal(reply.token.expires_in, 1800);
    assert_int_equal(reply.token.token_id.len, 22);
    assert_int_equal(check_token(world, reply.token.token, &claims), OK);
    assert_span_equal(claims.issuer, ISSUER);
    assert_span_equal(claims.subject, "abcdefghijklmnopqrstuvwxyz");
    assert_span_equal(claims.client_id, "abcdefghijklmnopqrstuvwxyz");
    assert_int_equal(claims.audience_count, 1);
    assert_span_equal(claims.audiences[0], AUDIENCE);
    assert_int_equal(claims.issued_at, NOW);
    assert_int_equal(claims.expires_at, NOW + 1800);
    assert_int_equal(claims.not_before, 0);
    assert_true(span_equal(claims.token_id, reply.token.token_id));
    assert_true(claims.has_roles);
    assert_int_equal(claims.role_count, 2);
    assert_span_equal(claims.roles[0], "owner");
    assert_span_equal(claims.roles[1], "corpus_viewer");
    assert_span_equal(claims.account_id, "acc_0123456789ab");
    assert_span_equal(claims.credential_id, "crd_0123456789ab");
    assert_int_equal(claims.revision, 42);
    assert_int_equal(claims.scope.len, 0);

    struct span first_id = reply.token.token_id;
    assert_int_equal(bench_call(&world->bench, &request, &reply), OK);
    assert_false(span_equal(first_id, reply.token.token_id));
}

/* Byte for byte, but for what is random. */
static void the_payload_is_in_its_fixed_order(void **state)
{
    struct world *world = *state;
    struct signing_reply reply;
    struct jws jws;
    struct principal client = bench_client(&world->bench);
    client.api_roles = 0;
    const struct signing_request request = bench_token(&world->bench, &client);
    assert_int_equal(bench_call(&world->bench, &request, &reply), OK);
    assert_int_equal(jws_split(reply.token.token, &world->bench.arena, &jws, NULL), OK);
    assert_span_equal(jws.typ, "at+jwt");
    struct span expected = arena_printf(
        &world->bench.arena,
        "{\"iss\":\"" ISSUER "\",\"sub\":\"abcdefghijklmnopqrstuvwxyz\","
        "\"client_id\":\"abcdefghijklmnopqrstuvwxyz\",\"aud\":\"" AUDIENCE "\","
        "\"iat\":1800000000,\"exp\":1800001800,\"jti\":\"%.*s\",\"roles\":[],"
        "\"account_id\":\"acc_0123456789ab\",\"credential_id\":\"crd_0123456789ab\",\"rev\":42}",
        SPAN_FMT(reply.token.token_id));
    assert_span_equal(jws.payload, expected.ptr);
}

static void tokens_of_every_algorithm_verify(void **state)
{
    struct world *world = *state;
    static const struct span algs[] = {SPAN_INIT("RS256"), SPAN_INIT("PS256"), SPAN_INIT("ES256"),
                                       SPAN_INIT("EdDSA")};
    bench_load_keys(&world->bench, SPAN("ES256"));
    const struct principal client = bench_client(&world->bench);
    const struct signing_request request = bench_token(&world->bench, &client);
    for (size_t i = 0; i < ARRAY_LEN(algs); i++) {
        struct signing_reply reply;
        struct jwt_claims claims;
        struct signing_reply made = bench_make_key(&world->bench, SIGNING_KEY_TOKEN, algs[i]);
        struct signing_request load = bench_load_of(SIGNING_KEY_TOKEN, algs[i], &made);
        assert_int_equal(bench_call(&world->bench, &load, &reply), OK);
        world->bench.public_jwk = made.key_make.public_jwk;
        assert_int_equal(bench_call(&world->bench, &request, &reply), OK);
        assert_int_equal(check_token(world, reply.token.token, &claims), OK);
    }
}

/* The last active key signs; loading one that is not active changes nothing. */
static void a_key_that_is_not_active_does_not_sign(void **state)
{
    struct world *world = *state;
    struct signing_reply reply;
    struct jwt_claims claims;
    const struct principal client = bench_client(&world->bench);
    const struct signing_request request = bench_token(&world->bench, &client);
    struct signing_reply made = bench_make_key(&world->bench, SIGNING_KEY_TOKEN, SPAN("ES256"));
    struct signing_request load = bench_load_of(SIGNING_KEY_TOKEN, SPAN("ES256"), &made);
    load.key_load.is_active = false;
    assert_int_equal(bench_call(&world->bench, &load, &reply), OK);
    assert_int_equal(bench_call(&world->bench, &request, &reply), OK);
    assert_int_equal(check_token(world, reply.token.token, &claims), OK);
    load.key_load.is_active = true;
    assert_int_equal(bench_call(&world->bench, &load, &reply), OK);
    assert_int_equal(bench_call(&world->bench, &request, &reply), OK);
    assert_int_equal(check_token(world, reply.token.token, &claims), UNAUTHENTICATED);
    world->bench.public_jwk = made.key_make.public_jwk;
    assert_int_equal(check_token(world, reply.token.token, &claims), OK);
}

static void the_shortest_of_record_wish_and_cap_is_the_life(void **state)
{
    struct world *world = *state;
    static const struct {
        int64_t record;
        int64_t wished;
        int64_t expected;
    } cases[] = {
        {0, 0, 1800},          {0, 60, 60},      {0, 3600, 1800},      {600, 0, 600},
        {600, 60, 60},         {600, 3600, 600}, {7200, 0, 7200},      {7200, 3600, 3600},
        {100000, 0, 86400},    {0, -1, 1800},    {100000, -5, 86400},  {0, INT64_MIN, 1800},
        {INT64_MAX, 0, 86400}, {1, 0, 1},        {0, INT64_MAX, 1800},
    };
    struct principal client = bench_client(&world->bench);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct signing_reply reply;
        struct jwt_claims claims;
        client.token_ttl_seconds = cases[i].record;
        struct signing_request request = bench_token(&world->bench, &client);
        request.token.ttl_seconds = cases[i].wished;
        assert_int_equal(bench_call(&world->bench, &request, &reply), OK);
        assert_int_equal(reply.token.expires_in, cases[i].expected);
        assert_int_equal(check_token(world, reply.token.token, &claims), OK);
        assert_int_equal(claims.expires_at - claims.issued_at, cases[i].expected);
    }
}

static void a_wrong_secret_is_unauthenticated(void **state)
{
    struct world *world = *state;
    const struct principal client = bench_client(&world->bench);
    struct signing_request request = bench_token(&world->bench, &client);
    request.token.secret = SPAN("pst_cs_wrong");
    assert_int_equal(token_status(world, &request), UNAUTHENTICATED);
    request.token.secret = SPAN("");
    assert_int_equal(token_status(world, &request), UNAUTHENTICATED);
    request.token.secret = SPAN(SECRET "x");
    assert_int_equal(token_status(world, &request), UNAUTHENTICATED);
    request.token.secret = span_first(SPAN(SECRET), sizeof SECRET - 2);
    assert_int_equal(token_status(world, &request), UNAUTHENTICATED);
    request.token.secret = SPAN(SECRET);
    assert_int_equal(token_status(world, &request), OK);
}

/* The same judgement as for a token, and nothing is made. */
static void a_secret_alone_is_judged_like_that_of_a_token(void **state)
{
    struct world *world = *state;
    struct principal client = bench_client(&world->bench);
    struct signing_request request = bench_token(&world->bench, &client);
    struct signing_reply reply;
    request.op = SIGNING_SECRET;
    assert_int_equal(bench_call(&world->bench, &request, &reply), OK);
    request.token.secret = SPAN("pst_cs_wrong");
    assert_int_equal(bench_call(&world->bench, &request, &reply), UNAUTHENTICATED);
    request.token.secret = SPAN(SECRET);
    request.token.credential_id = SPAN("crd_zzzzzzzzzzzz");
    assert_int_equal(bench_call(&world->bench, &request, &reply), UNAUTHENTICATED);
    client.is_enabled = false;
    request = bench_token(&world->bench, &client);
    request.op = SIGNING_SECRET;
    assert_int_equal(bench_call(&world->bench, &request, &reply), FORBIDDEN); /* right, and off */
    request.token.secret = SPAN("pst_cs_wrong");
    assert_int_equal(bench_call(&world->bench, &request, &reply), UNAUTHENTICATED);
    request.token.record_mac = SPAN("0123456789abcdef0123456789abcdef");
    assert_int_equal(bench_call(&world->bench, &request, &reply), CORRUPT);
}

static void a_credential_that_is_not_there_is_unauthenticated(void **state)
{
    struct world *world = *state;
    struct principal client = bench_client(&world->bench);
    struct signing_request request = bench_token(&world->bench, &client);
    request.token.credential_id = SPAN("crd_zzzzzzzzzzzz");
    assert_int_equal(token_status(world, &request), UNAUTHENTICATED);
    request.token.credential_id = SPAN("");
    assert_int_equal(token_status(world, &request), UNAUTHENTICATED);
    client.credential_count = 0;
    request = bench_token(&world->bench, &client);
    assert_int_equal(token_status(world, &request), UNAUTHENTICATED);
}

static void what_is_off_expired_or_retired_is_unauthenticated(void **state)
{
    struct world *world = *state;
    static const struct {
        bool is_enabled;
        int64_t expires_at;
        int64_t retired_at;
        enum credential_kind kind;
        enum status expected;
    } cases[] = {
        {true, 0, 0, CREDENTIAL_CLIENT_SECRET, OK},
        {false, 0, 0, CREDENTIAL_CLIENT_SECRET, UNAUTHENTICATED},
        {true, NOW + 1, 0, CREDENTIAL_CLIENT_SECRET, OK},
        {true, NOW, 0, CREDENTIAL_CLIENT_SECRET, UNAUTHENTICATED},
        {true, 0, NOW - 1, CREDENTIAL_CLIENT_SECRET, UNAUTHENTICATED},
        {true, 0, NOW + 60, CREDENTIAL_CLIENT_SECRET, UNAUTHENTICATED},
        {true, 0, 0, CREDENTIAL_API_KEY, UNAUTHENTICATED},
        {true, 0, 0, CREDENTIAL_PUBLIC_KEY, UNAUTHENTICATED},
    };
    struct principal client = bench_client(&world->bench);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        client.is_enabled = cases[i].is_enabled;
        client.credentials[0].expires_at = cases[i].expires_at;
        client.credentials[0].retired_at = cases[i].retired_at;
        client.credentials[0].kind = cases[i].kind;
        struct signing_request request = bench_token(&world->bench, &client);
        assert_int_equal(token_status(world, &request), cases[i].expected);
    }
}

/* R8: the hash is bound to account and client, so a hash copied elsewhere opens nothing. */
static void a_secret_works_only_for_its_account_and_client(void **state)
{
    struct world *world = *state;
    struct principal client = bench_client(&world->bench);
    client.account_id = SPAN("acc_zzzzzzzzzzzz");
    struct signing_request request = bench_token(&world->bench, &client);
    assert_int_equal(token_status(world, &request), UNAUTHENTICATED);
    client = bench_client(&world->bench);
    client.id = SPAN("app_zzzzzzzzzzzz");
    request = bench_token(&world->bench, &client);
    assert_int_equal(token_status(world, &request), UNAUTHENTICATED);
}

/* Moving bytes between neighbours must not give the same hash. */
static void hashes_tell_their_parts_apart(void **state)
{
    struct world *world = *state;
    struct signing_reply one;
    struct signing_reply other;
    struct signing_request request = {.op = SIGNING_PROTECT,
                                      .protect = {.account_id = SPAN("acc_1"),
                                                  .owner_id = SPAN("app_12"),
                                                  .credential_id = SPAN("crd_1"),
                                                  .secret = SPAN("secret")}};
    assert_int_equal(bench_call(&world->bench, &request, &one), OK);
    assert_int_equal(one.protect.hash.len, CREDENTIAL_HASH_BYTES);
    assert_int_equal(one.protect.hash.ptr[0], 1);
    assert_int_equal(one.protect.sealed.len, 0); /* no copy was asked for */
    request.protect.account_id = SPAN("acc_1a");
    request.protect.owner_id = SPAN("pp_12");
    assert_int_equal(bench_call(&world->bench, &request, &other), OK);
    assert_false(span_equal(one.protect.hash, other.protect.hash));
    request.protect.account_id = SPAN("acc_1");
    request.protect.owner_id = SPAN("app_1");
    request.protect.secret = SPAN("2secret");
    assert_int_equal(bench_call(&world->bench, &request, &other), OK);
    assert_false(span_equal(one.protect.hash, other.protect.hash));
}

static void a_record_that_we_did_not_authenticate_is_corrupt(void **state)
{
    struct world *world = *state;
    struct principal client = bench_client(&world->bench);
    const struct signing_request good = bench_token(&world->bench, &client);
    struct signing_request bad = good;
    client.api_roles |= 1U << API_ROLE_ADMINISTRATOR; /* as by an UPDATE by hand */
    bad.token.record = bench_record(&world->bench, &client);
    assert_int_equal(token_status(world, &bad), CORRUPT);
    bad.token.secret = SPAN("wrong"); /* whatever else is wrong */
    assert_int_equal(token_status(world, &bad), CORRUPT);
    bad = good;
    bad.token.record_mac = span_first(good.token.record_mac, 31);
    assert_int_equal(token_status(world, &bad), CORRUPT);
    bad.token.record_mac = SPAN("");
    assert_int_equal(token_status(world, &bad), CORRUPT);
    bad = good;
    bad.token.record = SPAN("");
    assert_int_equal(token_status(world, &bad), CORRUPT);
    assert_int_equal(token_status(world, &good), OK);
}

static void every_bit_of_the_record_counts(void **state)
{
    struct world *world = *state;
    char changed[RECORD_LEN_MAX];
    const struct principal client = bench_client(&world->bench);
    struct signing_request request = bench_token(&world->bench, &client);
    struct span record = request.token.record;
    for (size_t i = 0; i < record.len; i++) {
        struct signing_reply reply;
        struct err err = {0};
        memcpy(changed, record.ptr, record.len);
        changed[i] ^= (char)(1 << i % 8);
        request.token.record = span_of(changed, record.len);
        signer_handle(world->worker, &request, &world->time, &reply, &err);
        assert_int_equal(reply.status, CORRUPT);
    }
}

static void a_record_that_does_not_parse_gets_no_mac(void **state)
{
    struct world *world = *state;
    char changed[RECORD_LEN_MAX];
    const struct principal client = bench_client(&world->bench);
    struct span record = bench_record(&world->bench, &client);
    struct signing_request request = {.op = SIGNING_RECORD_MAC,
                                      .record_mac = {span_first(record, record.len - 1)}};
    assert_int_equal(token_status(world, &request), INVALID);
    memcpy(changed, record.ptr, record.len);
    changed[1] = 9; /* a kind that there is not */
    request.record_mac.record = span_of(changed, record.len);
    assert_int_equal(token_status(world, &request), INVALID);
    request.record_mac.record = record;
    assert_int_equal(token_status(world, &request), OK);
}

static void a_token_without_an_audience_or_too_long_is_invalid(void **state)
{
    struct world *world = *state;
    static char audience[1024];
    const struct principal client = bench_client(&world->bench);
    struct signing_request request = bench_token(&world->bench, &client);
    request.token.audience = SPAN("");
    assert_int_equal(token_status(world, &request), INVALID);
    request.token.audience = SPAN(AUDIENCE);
    request.token.revision = -1;
    assert_int_equal(token_status(world, &request), INVALID);
    /* Each of these takes six characters in JSON: over the 4 KiB of a token. */
    memset(audience, 1, sizeof audience);
    request = bench_token(&world->bench, &client);
    request.token.audience = span_of(audience, sizeof audience);
    assert_int_equal(token_status(world, &request), INVALID);
}

/* --- Reading secrets back --- */

static struct signing_request unseal_of(const struct principal *client)
{
    return (struct signing_request){.op = SIGNING_UNSEAL,
                                    .unseal = {.account_id = client->account_id,
                                               .owner_id = client->id,
                                               .credential_id = client->credentials[0].id,
                                               .sealed = client->credentials[0].sealed}};
}

static void a_sealed_secret_reads_back(void **state)
{
    struct world *world = *state;
    struct signing_reply reply;
    const struct principal client = bench_client(&world->bench);
    const struct signing_request request = unseal_of(&client);
    assert_true(client.credentials[0].sealed.len > sizeof SECRET);
    assert_int_equal(bench_call(&world->bench, &request, &reply), OK);
    assert_span_equal(reply.unseal.secret, SECRET);
}

static void a_sealed_secret_opens_only_in_its_own_row(void **state)
{
    struct world *world = *state;
    const struct principal client = bench_client(&world->bench);
    struct signing_request request = unseal_of(&client);
    request.unseal.account_id = SPAN("acc_zzzzzzzzzzzz");
    assert_int_equal(token_status(world, &request), CORRUPT);
    request = unseal_of(&client);
    request.unseal.owner_id = SPAN("app_zzzzzzzzzzzz");
    assert_int_equal(token_status(world, &request), CORRUPT);
    request = unseal_of(&client);
    request.unseal.credential_id = SPAN("crd_zzzzzzzzzzzz");
    assert_int_equal(token_status(world, &request), CORRUPT);
    request.unseal.credential_id = SPAN("crd\0x");
    assert_int_equal(token_status(world, &request), INVALID);
    request.unseal.credential_id = SPAN("");
    assert_int_equal(token_status(world, &request), INVALID);
}

/* A key's box is not a secret's: the front cannot have keys handed to it. */
static void a_sealed_key_does_not_open_as_a_secret(void **state)
{
    struct world *world = *state;
    struct signing_reply made = bench_make_key(&world->bench, SIGNING_KEY_PEPPER, SPAN(""));
    const struct signing_request request = {.op = SIGNING_UNSEAL,
                                            .unseal = {.account_id = SPAN("server_key"),
                                                       .owner_id = SPAN("pepper"),
                                                       .credential_id = SPAN("pepper"),
                                                       .sealed = made.key_make.sealed}};
    assert_int_equal(token_status(world, &request), CORRUPT);
}

static void reading_back_is_capped_per_minute_over_all_lanes(void **state)
{
    struct world *world = *state;
    struct signer_worker *first = world->worker;
    struct signer_worker *second = signer_worker_new(&world->signer);
    const struct principal client = bench_client(&world->bench);
    const struct signing_request request = unseal_of(&client);
    assert_non_null(second);
    for (int i = 0; i < UNSEAL_MAX; i++) {
        world->worker = i % 2 == 0 ? first : second;
        assert_int_equal(token_status(world, &request), OK);
    }
    world->worker = first;
    assert_int_equal(token_status(world, &request), RATE_LIMITED);
    world->worker = second;
    assert_int_equal(token_status(world, &request), RATE_LIMITED);
    world->time.second += 60;
    assert_int_equal(token_status(world, &request), OK);
    world->worker = first;
    signer_worker_free(second);
}

static void an_empty_secret_is_not_protected(void **state)
{
    struct world *world = *state;
    struct signing_request request = {.op = SIGNING_PROTECT,
                                      .protect = {.account_id = SPAN("acc_1"),
                                                  .owner_id = SPAN("app_1"),
                                                  .credential_id = SPAN("crd_1")}};
    assert_int_equal(token_status(world, &request), INVALID);
    request.protect.secret = SPAN("s");
    request.protect.owner_id = SPAN("");
    assert_int_equal(token_status(world, &request), INVALID);
}

/* Workers on other lanes see new keys without being told. */
static void a_new_pepper_is_used_by_every_worker(void **state)
{
    struct world *world = *state;
    struct signer_worker *first = world->worker;
    struct signer_worker *second = signer_worker_new(&world->signer);
    struct signing_reply before;
    struct signing_reply after;
    const struct signing_request request = {.op = SIGNING_PROTECT,
                                            .protect = {.account_id = SPAN("acc_1"),
                                                        .owner_id = SPAN("app_1"),
                                                        .credential_id = SPAN("crd_1"),
                                                        .secret = SPAN("s")}};
    assert_non_null(second);
    assert_int_equal(bench_call(&world->bench, &request, &before), OK);
    world->worker = second;
    assert_int_equal(bench_call(&world->bench, &request, &after), OK);
    assert_true(span_equal(before.protect.hash, after.protect.hash));
    bench_load_keys(&world->bench, SPAN("ES256"));
    world->worker = first;
    assert_int_equal(bench_call(&world->bench, &request, &after), OK);
    assert_false(span_equal(before.protect.hash, after.protect.hash));
    signer_worker_free(second);
}

static void a_configuration_without_public_url_is_refused(void **state)
{
    (void)state;
    struct config config;
    struct signer signer;
    struct err err = {0};
    config_defaults(&config);
    assert_int_equal(signer_open(&signer, &config, span_of(bench_kek, 32), &err), INVALID);
    assert_non_null(strstr(err.detail, "public_url"));
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)
#define IN_EMPTY(test) cmocka_unit_test_setup_teardown(test, open_empty, close_world)

/* --- The clock --- */

static const int64_t now_us = (int64_t)NOW * 1000000;

static struct signing_reply ask_clock(struct world *world, struct span mark, bool is_accepted)
{
    const struct signing_request request = {.op = SIGNING_CLOCK,
                                            .clock = {.mark = mark, .is_accepted = is_accepted}};
    struct signing_reply reply;
    assert_int_equal(bench_call(&world->bench, &request, &reply), OK);
    return reply;
}

static void a_mark_holds_tokens_back_until_its_time_comes(void **state)
{
    struct world *world = *state;
    const struct principal client = bench_client(&world->bench);
    const struct signing_request token = bench_token(&world->bench, &client);
    world->time.now_us = now_us;
    struct span mark = ask_clock(world, (struct span){0}, false).clock.mark;
    assert_int_equal(token_status(world, &token), OK);

    world->time.now_us = now_us - 3600000000; /* a new process, with a clock that was set back */
    assert_int_equal(token_status(world, &token), OK);
    struct signing_reply reply = ask_clock(world, mark, false);
    assert_true(reply.clock.is_held);
    assert_int_equal(reply.clock.now_us, world->time.now_us);
    assert_int_equal(token_status(world, &token), UNAVAILABLE);
    /* The mark that is given out meanwhile still holds. */
    assert_true(span_equal(reply.clock.mark, mark));

    world->time.now_us = now_us;
    assert_int_equal(token_status(world, &token), OK);
    assert_false(ask_clock(world, mark, false).clock.is_held);
}

static void an_accepted_clock_is_held_by_no_mark(void **state)
{
    struct world *world = *state;
    const struct principal client = bench_client(&world->bench);
    const struct signing_request token = bench_token(&world->bench, &client);
    world->time.now_us = now_us;
    struct span mark = ask_clock(world, (struct span){0}, false).clock.mark;
    world->time.now_us = now_us - 3600000000;
    assert_true(ask_clock(world, mark, false).clock.is_held);
    struct signing_reply reply = ask_clock(world, (struct span){0}, true);
    assert_false(reply.clock.is_held);
    assert_false(span_equal(reply.clock.mark, mark)); /* an earlier one, to be kept from now on */
    assert_int_equal(token_status(world, &token), OK);
}

static void a_mark_that_we_did_not_make_is_corrupt(void **state)
{
    struct world *world = *state;
    struct signing_reply reply;
    world->time.now_us = now_us;
    struct span mark = ask_clock(world, (struct span){0}, false).clock.mark;
    for (size_t bit = 0; bit < mark.len * 8; bit++) {
        char bytes[64];
        assert_true(mark.len <= sizeof bytes);
        memcpy(bytes, mark.ptr, mark.len);
        bytes[bit / 8] ^= (char)(1u << bit % 8);
        const struct signing_request request = {.op = SIGNING_CLOCK,
                                                .clock = {.mark = span_of(bytes, mark.len)}};
        assert_int_equal(bench_call(&world->bench, &request, &reply), CORRUPT);
    }
    const struct signing_request shorter = {.op = SIGNING_CLOCK,
                                            .clock = {.mark = span_first(mark, mark.len - 1)}};
    assert_int_equal(bench_call(&world->bench, &shorter, &reply), CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_EMPTY(before_the_keys_are_loaded_nothing_works),
        IN_EMPTY(keys_that_are_made_have_ids_and_check_values),
        IN_EMPTY(a_token_key_of_an_unknown_algorithm_is_unsupported),
        IN_EMPTY(a_stored_key_that_was_changed_or_moved_is_corrupt),
        IN_EMPTY(another_kek_opens_no_key_and_says_so),
        IN_WORLD(a_token_says_what_it_must),
        IN_WORLD(the_payload_is_in_its_fixed_order),
        IN_WORLD(tokens_of_every_algorithm_verify),
        IN_WORLD(a_key_that_is_not_active_does_not_sign),
        IN_WORLD(the_shortest_of_record_wish_and_cap_is_the_life),
        IN_WORLD(a_wrong_secret_is_unauthenticated),
        IN_WORLD(a_secret_alone_is_judged_like_that_of_a_token),
        IN_WORLD(a_credential_that_is_not_there_is_unauthenticated),
        IN_WORLD(what_is_off_expired_or_retired_is_unauthenticated),
        IN_WORLD(a_secret_works_only_for_its_account_and_client),
        IN_WORLD(hashes_tell_their_parts_apart),
        IN_WORLD(a_record_that_we_did_not_authenticate_is_corrupt),
        IN_WORLD(every_bit_of_the_record_counts),
        IN_WORLD(a_record_that_does_not_parse_gets_no_mac),
        IN_WORLD(a_token_without_an_audience_or_too_long_is_invalid),
        IN_WORLD(a_sealed_secret_reads_back),
        IN_WORLD(a_sealed_secret_opens_only_in_its_own_row),
        IN_WORLD(a_sealed_key_does_not_open_as_a_secret),
        IN_WORLD(reading_back_is_capped_per_minute_over_all_lanes),
        IN_WORLD(an_empty_secret_is_not_protected),
        IN_WORLD(a_mark_holds_tokens_back_until_its_time_comes),
        IN_WORLD(an_accepted_clock_is_held_by_no_mark),
        IN_WORLD(a_mark_that_we_did_not_make_is_corrupt),
        IN_WORLD(a_new_pepper_is_used_by_every_worker),
        cmocka_unit_test(a_configuration_without_public_url_is_refused),
    };
    return RUN_TESTS(tests);
}
