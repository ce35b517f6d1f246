/* SPDX-License-Identifier: Apache-2.0 */
#include "oauth/oauth_token.h"

#include "codec/form.h"
#include "signing/signing.h"
#include "state/state.h"
#include "state/use.h"
#include "store/store.h"

#include "../store/store_fixture.h"
#include "oauth_fixture.h"

#define AUDIENCE "https://as.example/v2"
/* Put into every input that a reply could echo. */
#define MARK "zzMARKzz"

struct refused {
    const char *type;          /* NULL: no Content-Type */
    const char *basic;         /* the pair, before base64; NULL: none */
    const char *authorization; /* as it is; NULL: none */
    const char *query;
    const char *body;
    int http;
    const char *error;
};

#define FORM(text, http, error)                                                                    \
    {                                                                                              \
        FORM_TYPE, NULL, NULL, "", text, http, error                                               \
    }
#define JSON(text, http, error)                                                                    \
    {                                                                                              \
        "application/json", NULL, NULL, "", text, http, error                                      \
    }
#define BASIC(pair, body, http, error)                                                             \
    {                                                                                              \
        FORM_TYPE, pair, NULL, "", body, http, error                                               \
    }
#define CLIENT "client_id=" MARK "&client_secret=$"
#define GRANT  "grant_type=client_credentials"

static const struct refused refusals[] = {
    {NULL, NULL, NULL, "", GRANT "&" CLIENT, 400, "invalid_request"},
    {"text/plain", NULL, NULL, "", GRANT "&" CLIENT, 400, "invalid_request"},
    {"multipart/form-data; boundary=" MARK, NULL, NULL, "", CLIENT, 400, "invalid_request"},
    FORM("", 401, "invalid_client"),
    FORM(GRANT, 401, "invalid_client"),
    FORM(GRANT "&client_id=" MARK, 401, "invalid_client"),
    FORM(GRANT "&client_secret=$", 401, "invalid_client"),
    FORM(GRANT "&client_id=" MARK "&client_secret=" MARK, 401, "invalid_client"),
    FORM(GRANT "&client_id=" MARK "&client_secret=$0", 401, "invalid_client"),
    FORM(GRANT "&client_id=" MARK "&client_secret=@", 401, "invalid_client"),
    FORM(GRANT "&client_id=&client_secret=$", 401, "invalid_client"),
    FORM("grant_type=" MARK, 401, "invalid_client"),
    FORM(CLIENT "&client_id=" MARK, 400, "invalid_request"),
    FORM(CLIENT "&client_secret=$", 400, "invalid_request"),
    FORM(GRANT "&" GRANT "&" CLIENT, 400, "invalid_request"),
    FORM("scope=" MARK "&scope=" MARK "&" CLIENT, 400, "invalid_request"),
    FORM(CLIENT "&x=%4", 400, "invalid_request"),
    FORM(CLIENT "&x=%zz", 400, "invalid_request"),
    FORM(CLIENT "&x=%00", 400, "invalid_request"),
    FORM(CLIENT "&x=%ff", 400, "invalid_request"),
    FORM(CLIENT "&x=\xc0\x80", 400, "invalid_request"),
    {FORM_TYPE, NULL, NULL, "client_secret=$", GRANT, 400, "invalid_request"},
    {FORM_TYPE, NULL, NULL, "client_%73ecret=" MARK, CLIENT, 400, "invalid_request"},
    {FORM_TYPE, NULL, NULL, "access_token=" MARK, CLIENT, 400, "invalid_request"},
    {FORM_TYPE, NULL, NULL, "%", CLIENT, 400, "invalid_request"},
    BASIC(MARK ":$", "client_secret=$", 400, "invalid_request"),
    BASIC(MARK ":$", "client_id=another", 400, "invalid_request"),
    BASIC(MARK ":$", GRANT "&" GRANT, 400, "invalid_request"),
    BASIC(MARK "$", GRANT, 401, "invalid_client"),
    BASIC(":$", GRANT, 401, "invalid_client"),
    BASIC(MARK ":", GRANT, 401, "invalid_client"),
    BASIC(MARK ":$:", GRANT, 401, "invalid_client"),
    BASIC(MARK ":@", GRANT, 401, "invalid_client"),
    BASIC(MARK "%00:$", GRANT, 401, "invalid_client"),
    BASIC(MARK "%ff:$", GRANT, 401, "invalid_client"),
    BASIC(MARK "%4:$", GRANT, 401, "invalid_client"),
    {FORM_TYPE, NULL, "Bearer " MARK, "", CLIENT, 401, "invalid_client"},
    {FORM_TYPE, NULL, "Basic", "", GRANT, 401, "invalid_client"},
    {FORM_TYPE, NULL, "Basic ", "", GRANT, 401, "invalid_client"},
    {FORM_TYPE, NULL, "Basic " MARK "%", "", GRANT, 401, "invalid_client"},
    JSON("", 400, "invalid_request"),
    JSON("[]", 400, "invalid_request"),
    JSON("{", 400, "invalid_request"),
    JSON("{}{}", 400, "invalid_request"),
    JSON("{\"client_id\":{\"" MARK "\":1}}", 400, "invalid_request"),
    JSON("{\"client_id\":1,\"client_secret\":\"$\"}", 400, "invalid_request"),
    JSON("{\"client_id\":\"a\",\"client_id\":\"a\",\"client_secret\":\"$\"}", 400,
         "invalid_request"),
    JSON("{\"client_id\":\"" MARK "\\u0000\",\"client_secret\":\"$\"}", 400, "invalid_request"),
    JSON("{}", 401, "invalid_client"),
    JSON("{\"client_id\":null,\"client_secret\":\"$\"}", 401, "invalid_client"),
    JSON("{\"client_id\":\"" MARK "\",\"client_secret\":\"\"}", 401, "invalid_client"),
    JSON("{\"client_id\":\"" MARK "\",\"client_secret\":\"" MARK "\"}", 401, "invalid_client"),
};

static void bad_requests_are_refused_without_an_echo(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        const struct refused *refused = &refusals[i];
        struct exchange_fixture f;
        fixture_open(&f, HTTP_POST, "/oauth2/token");
        f.x.query = oauth_fixture_text(&f, refused->query);
        if (refused->basic != NULL)
            oauth_fixture_basic(&f, oauth_fixture_text(&f, refused->basic));
        if (refused->authorization != NULL)
            oauth_fixture_authorization(&f, span_cstr(refused->authorization));
        if (refused->type != NULL)
            oauth_fixture_body(&f, refused->type, refused->body);
        oauth_token(&f.x);
        if (f.x.reply.status != refused->http)
            print_error("case %zu: %s\n", i, refused->body);
        assert_oauth_error(&f, refused->http, refused->error);
        assert_null(f.x.ask);
        assert_false(fixture_reply_has(&f, MARK));
        assert_false(fixture_reply_has(&f, "pst_"));
        fixture_close(&f);
    }
}

static void two_authorization_headers_are_a_bad_request(void **state)
{
    (void)state;
    struct exchange_fixture f;
    fixture_open(&f, HTTP_POST, "/oauth2/token");
    oauth_fixture_basic(&f, oauth_fixture_text(&f, "abc:$"));
    oauth_fixture_basic(&f, oauth_fixture_text(&f, "abc:$"));
    oauth_fixture_body(&f, FORM_TYPE, GRANT);
    oauth_token(&f.x);
    assert_oauth_error(&f, 400, "invalid_request");
    fixture_close(&f);
}

static void more_parameters_than_are_read_are_a_bad_request(void **state)
{
    (void)state;
    struct exchange_fixture f;
    struct buf body;
    fixture_open(&f, HTTP_POST, "/oauth2/token");
    buf_init_arena(&body, &f.x.arena, 65536);
    buf_put(&body, oauth_fixture_text(&f, CLIENT));
    for (int i = 0; i < FORM_FIELDS_MAX; i++)
        buf_printf(&body, "&x%d=1", i);
    fixture_header(&f, "Content-Type", FORM_TYPE);
    f.x.body = buf_span(&body);
    oauth_token(&f.x);
    assert_oauth_error(&f, 400, "invalid_request");
    struct span reply = buf_span(&f.x.reply.body);
    assert_non_null(memmem(reply.ptr, reply.len, "more than 64 ", 13)); /* the limit is named */
    fixture_close(&f);
}

static void a_client_id_longer_than_any_costs_no_look_up(void **state)
{
    (void)state;
    struct exchange_fixture f;
    struct buf pair;
    fixture_open(&f, HTTP_POST, "/oauth2/token");
    buf_init_arena(&pair, &f.x.arena, 4096);
    for (int i = 0; i < 256; i++)
        buf_byte(&pair, 'a');
    buf_put(&pair, oauth_fixture_text(&f, ":$"));
    oauth_fixture_basic(&f, buf_span(&pair));
    oauth_fixture_body(&f, FORM_TYPE, GRANT);
    oauth_token(&f.x); /* without a state: a look-up would be the end */
    assert_oauth_error(&f, 401, "invalid_client");
    fixture_close(&f);
}

/* Without memory the answer is 503, whatever was being done: never a refusal of the client. */
static void no_memory_is_not_a_refusal(void **state)
{
    (void)state;
    bool is_enough = false;
    for (size_t bytes = 0; !is_enough; bytes += 16) {
        struct exchange_fixture f;
        fixture_open(&f, HTTP_POST, "/oauth2/token");
        f.app.state = state_new(NULL, 0);
        f.x.query = SPAN("x=%41");
        oauth_fixture_basic(&f, oauth_fixture_text(&f, "a%62c:$"));
        oauth_fixture_body(&f, FORM_TYPE, GRANT "&x=%41%42%43");
        struct arena inputs = f.x.arena;
        arena_init(&f.x.arena, bytes);
        oauth_token(&f.x);
        is_enough = f.x.next == NEXT_WORKER;
        assert_int_equal(f.x.reply.status, is_enough ? 0 : 503);
        arena_done(&f.x.arena);
        f.x.arena = inputs;
        state_free(f.app.state);
        fixture_close(&f);
        assert_true(bytes < 65536);
    }
}

/* --- With a store that has one client --- */

struct token_bench {
    struct exchange_fixture e;
    struct fixture *store;
    struct state_principal decoy;
};

static void bench_open(struct token_bench *bench, void **state, const char *type, const char *body)
{
    *bench = (struct token_bench){.store = *state};
    fixture_open(&bench->e, HTTP_POST, "/oauth2/token");
    bench->decoy.record = SPAN("decoy's record");
    bench->decoy.record_mac = SPAN("decoy's mac");
    bench->e.app.store = bench->store->store;
    bench->e.app.state = state_new(bench->store->store, 1 << 20);
    bench->e.app.audience = SPAN(AUDIENCE);
    bench->e.app.decoy_client = &bench->decoy;
    oauth_fixture_body(&bench->e, type, body);
}

static void bench_close(struct token_bench *bench)
{
    state_free(bench->e.app.state);
    fixture_close(&bench->e);
}

/* As the edge does: again on a worker when the loop's memory does not have the client. */
static void bench_run(struct token_bench *bench)
{
    oauth_token(&bench->e.x);
    if (bench->e.x.next != NEXT_WORKER)
        return;
    bench->e.x.may_block = true;
    oauth_token(&bench->e.x);
}

static int setup(void **state)
{
    (void)fixture_setup(state);
    const struct principal client = fixture_client(*state, 1);
    fixture_create(*state, &client);
    return 0;
}

#define KNOWN "client_id=client1&client_secret=$"

static void a_client_unknown_to_the_loop_is_looked_for_by_a_worker(void **state)
{
    struct token_bench bench;
    bench_open(&bench, state, FORM_TYPE, GRANT "&" KNOWN);
    struct exchange *x = &bench.e.x;
    oauth_token(x);
    assert_int_equal(x->next, NEXT_WORKER);
    assert_int_equal(x->reply.status, 0);
    assert_null(x->ask);

    x->may_block = true;
    oauth_token(x);
    assert_int_equal(x->next, NEXT_SIGNER);
    assert_int_equal(x->ask->op, SIGNING_TOKEN);

    /* From now on the loop has it. */
    x->may_block = false;
    x->next = NEXT_REPLY;
    x->ask = NULL;
    oauth_token(x);
    assert_int_equal(x->next, NEXT_SIGNER);
    const struct signing_request *ask = x->ask;
    const struct state_principal *client;
    int64_t revision;
    assert_int_equal(state_principal_find(bench.e.app.state, PRINCIPAL_APP_CLIENT, SPAN("client1"), &client, &revision), OK);
    assert_int_equal(ask->op, SIGNING_TOKEN);
    assert_true(span_equal(ask->token.record, client->record));
    assert_true(ask->token.record.ptr != client->record.ptr); /* the entry may go meanwhile */
    assert_true(span_equal(ask->token.record_mac, client->record_mac));
    assert_span_equal(ask->token.credential_id, CREDENTIAL_ID);
    assert_true(span_starts(ask->token.secret, SPAN("pst_cs_0123456789ab")));
    assert_int_equal(ask->token.secret.len, SPAN("pst_cs_").len + 12 + 43 + 6);
    assert_span_equal(ask->token.audience, AUDIENCE);
    assert_int_equal(ask->token.revision, revision);
    assert_int_equal(ask->token.revision, bench.store->revision);
    assert_int_equal(ask->token.ttl_seconds, 0);
    state_principal_release(client);
    bench_close(&bench);
}

static void a_client_that_is_not_there_gets_the_decoys_work(void **state)
{
    struct token_bench bench;
    bench_open(&bench, state, FORM_TYPE, GRANT "&client_id=nobody&client_secret=$");
    bench_run(&bench);
    assert_int_equal(bench.e.x.next, NEXT_SIGNER);
    assert_span_equal(bench.e.x.ask->token.record, "decoy's record");
    assert_span_equal(bench.e.x.ask->token.record_mac, "decoy's mac");
    assert_span_equal(bench.e.x.ask->token.credential_id, CREDENTIAL_ID);
    bench_close(&bench);
}

/* Every way that the contract's clients send it. */
static void all_forms_of_a_good_request_ask_the_same(void **state)
{
    static const struct {
        const char *type;
        const char *basic;
        const char *body;
    } good[] = {
        {FORM_TYPE, NULL, GRANT "&" KNOWN},
        {"Application/X-WWW-Form-URLencoded;charset=utf-8", NULL, KNOWN "&" GRANT},
        {FORM_TYPE, NULL, GRANT "&" KNOWN "&scope=&scope=&resource=&unknown=1&unknown=2"},
        {FORM_TYPE, NULL, GRANT "&" KNOWN "&scope=+"},
        {FORM_TYPE, NULL, GRANT "&" KNOWN "&resource=https%3A%2F%2Fas.example%2Fv2"},
        {FORM_TYPE, NULL, GRANT "&" KNOWN "&audience=" AUDIENCE "&resource=" AUDIENCE},
        {FORM_TYPE, "client1:$", GRANT},
        {FORM_TYPE, "%63lient1:$", GRANT "&client_id=client1"},
        {"application/json", NULL, "{\"client_id\":\"client1\",\"client_secret\":\"$\"}"},
        {"application/json", "client1:$", "{}"},
        {"application/json", NULL,
         "{\"client_id\":\"client1\",\"client_secret\":\"$\",\"grant_type\":null,\"scope\":\"\"}"},
        {"application/json", NULL,
         "{\"client_id\":\"client1\",\"client_secret\":\"$\","
         "\"grant_type\":\"client_credentials\",\"audience\":\"" AUDIENCE "\"}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct token_bench bench;
        bench_open(&bench, state, good[i].type, good[i].body);
        if (good[i].basic != NULL)
            oauth_fixture_basic(&bench.e, oauth_fixture_text(&bench.e, good[i].basic));
        bench_run(&bench);
        if (bench.e.x.next != NEXT_SIGNER)
            print_error("case %zu: %s\n", i, good[i].body);
        assert_int_equal(bench.e.x.next, NEXT_SIGNER);
        assert_true(memmem(bench.e.x.ask->token.record.ptr, bench.e.x.ask->token.record.len,
                           "client1", 7) != NULL);
        const struct signing_reply reply = {
            .op = SIGNING_TOKEN,
            .token = {.token = SPAN("a.b.c"), .expires_in = 1800, .token_id = SPAN("jti")},
        };
        oauth_token_resume(&bench.e.x, &reply);
        assert_int_equal(bench.e.x.reply.status, 200);
        assert_span_equal(
            buf_span(&bench.e.x.reply.body),
            "{\"access_token\":\"a.b.c\",\"token_type\":\"Bearer\",\"expires_in\":1800}");
        assert_span_equal(fixture_reply_header(&bench.e, "Cache-Control"), "no-store");
        assert_span_equal(fixture_reply_header(&bench.e, "Pragma"), "no-cache");
        bench_close(&bench);
    }
}

/* What an authenticated client did wrong is told to nobody else. */
static void a_kept_refusal_is_told_only_after_the_signer_said_ok(void **state)
{
    static const struct {
        const char *type;
        const char *body;
        const char *error;
    } kept[] = {
        {FORM_TYPE, KNOWN, "invalid_request"},
        {FORM_TYPE, KNOWN "&grant_type=", "invalid_request"},
        {FORM_TYPE, KNOWN "&grant_type=" MARK, "unsupported_grant_type"},
        {FORM_TYPE, KNOWN "&grant_type=Client_Credentials", "unsupported_grant_type"},
        {FORM_TYPE, KNOWN "&" GRANT "&scope=" MARK, "invalid_scope"},
        {FORM_TYPE, KNOWN "&" GRANT "&resource=https://" MARK, "invalid_target"},
        {FORM_TYPE, KNOWN "&" GRANT "&resource=" AUDIENCE "/", "invalid_target"},
        {FORM_TYPE, KNOWN "&" GRANT "&resource=" AUDIENCE "&resource=" MARK, "invalid_target"},
        {FORM_TYPE, KNOWN "&" GRANT "&audience=" MARK, "invalid_target"},
        /* The first in the order of standards' steps, when there are several. */
        {FORM_TYPE, KNOWN "&grant_type=" MARK "&scope=" MARK, "unsupported_grant_type"},
        {"application/json",
         "{\"client_id\":\"client1\",\"client_secret\":\"$\",\"grant_type\":\"\"}",
         "invalid_request"},
        {"application/json",
         "{\"client_id\":\"client1\",\"client_secret\":\"$\",\"grant_type\":\"" MARK "\"}",
         "unsupported_grant_type"},
        {"application/json",
         "{\"client_id\":\"client1\",\"client_secret\":\"$\",\"scope\":\"" MARK "\"}",
         "invalid_scope"},
    };
    for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
        for (int is_right = 0; is_right < 2; is_right++) {
            struct token_bench bench;
            struct use_table *uses = use_table_new();
            bench_open(&bench, state, kept[i].type, kept[i].body);
            bench.e.x.uses = uses;
            bench_run(&bench);
            assert_int_equal(bench.e.x.next, NEXT_SIGNER);
            const struct signing_reply reply = {
                .op = SIGNING_TOKEN,
                .status = is_right ? OK : UNAUTHENTICATED,
                .token = {.token = SPAN("a.b.c"), .expires_in = 1800},
            };
            oauth_token_resume(&bench.e.x, &reply);
            assert_oauth_error(&bench.e, is_right ? 400 : 401,
                               is_right ? kept[i].error : "invalid_client");
            assert_false(fixture_reply_has(&bench.e, MARK));
            assert_false(fixture_reply_has(&bench.e, "a.b.c"));
            assert_int_equal(use_table_count(uses), 0);
            use_table_free(uses);
            bench_close(&bench);
        }
    }
}

static void each_answer_of_the_signer_has_its_error(void **state)
{
    static const struct {
        enum status status;
        int http;
        const char *error;
    } answers[] = {
        {UNAUTHENTICATED, 401, "invalid_client"},
        {CORRUPT, 500, "server_error"},
        {UNAVAILABLE, 503, "temporarily_unavailable"},
        {RATE_LIMITED, 503, "temporarily_unavailable"},
        {NO_MEMORY, 503, "temporarily_unavailable"},
        {INVALID, 503, "temporarily_unavailable"},
        {UNSUPPORTED, 503, "temporarily_unavailable"},
    };
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        struct token_bench bench;
        bench_open(&bench, state, FORM_TYPE, GRANT "&" KNOWN);
        bench_run(&bench);
        const struct signing_reply reply = {.op = SIGNING_TOKEN, .status = answers[i].status};
        oauth_token_resume(&bench.e.x, &reply);
        assert_oauth_error(&bench.e, answers[i].http, answers[i].error);
        bench_close(&bench);
    }
}

static void an_issued_token_counts_as_use_of_its_credential(void **state)
{
    struct token_bench bench;
    struct use_table *uses = use_table_new();
    bench_open(&bench, state, FORM_TYPE, GRANT "&" KNOWN);
    bench.e.x.uses = uses;
    bench.e.x.peer.address = SPAN("192.0.2.1");
    bench_run(&bench);
    const struct signing_reply refused = {.op = SIGNING_TOKEN, .status = UNAUTHENTICATED};
    oauth_token_resume(&bench.e.x, &refused);
    assert_int_equal(use_table_count(uses), 0);
    const struct signing_reply reply = {.op = SIGNING_TOKEN, .token = {.token = SPAN("a.b.c")}};
    oauth_token_resume(&bench.e.x, &reply);
    assert_int_equal(use_table_count(uses), 1);
    size_t count;
    struct credential_use *use = use_table_take(uses, &count);
    assert_span_equal(use[0].credential_id, CREDENTIAL_ID);
    assert_span_equal(use[0].last_address, "192.0.2.1");
    assert_int_equal(use[0].last_at, bench.e.x.now);
    free(use);
    use_table_free(uses);
    bench_close(&bench);
}

#define token_test(function) cmocka_unit_test_setup_teardown(function, setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_requests_are_refused_without_an_echo),
        cmocka_unit_test(two_authorization_headers_are_a_bad_request),
        cmocka_unit_test(more_parameters_than_are_read_are_a_bad_request),
        cmocka_unit_test(a_client_id_longer_than_any_costs_no_look_up),
        cmocka_unit_test(no_memory_is_not_a_refusal),
        token_test(a_client_unknown_to_the_loop_is_looked_for_by_a_worker),
        token_test(a_client_that_is_not_there_gets_the_decoys_work),
        token_test(all_forms_of_a_good_request_ask_the_same),
        token_test(a_kept_refusal_is_told_only_after_the_signer_said_ok),
        token_test(each_answer_of_the_signer_has_its_error),
        token_test(an_issued_token_counts_as_use_of_its_credential),
    };
    return RUN_TESTS(tests);
}
