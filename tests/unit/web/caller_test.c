/* SPDX-License-Identifier: Apache-2.0 */
#include "web/caller.h"

#include "jose/jose_sign.h"
#include "jose/jwk.h"
#include "jose/jwt.h"
#include "state/state.h"
#include "web/route.h"

#include "../store/store_fixture.h"

#include "../exchange_fixture.h"

#include <unistd.h>

#define ISSUER   "https://as.example"
#define AUDIENCE ISSUER "/v2"

struct bench {
    struct exchange_fixture e;
    struct fixture *f;
    struct state *state;
    struct signing_key *key;
    struct jwks *keys;
    struct principal client;
    struct corpus_grant grant;
    struct route route;
};

static struct signing_key *make_key(void)
{
    struct signing_key *key = NULL;
    assert_int_equal(signing_key_make(JOSE_EDDSA, &key, NULL), OK);
    return key;
}

static void open_exchange(struct bench *bench)
{
    fixture_open(&bench->e, HTTP_GET, "/v2/app_clients");
    bench->e.x.route = &bench->route;
    bench->e.app = (struct app){
        .store = bench->f->store,
        .state = bench->state,
        .issuer = SPAN(ISSUER),
        .audience = SPAN(AUDIENCE),
        .account_id = ACCOUNT,
        .keys = bench->keys,
    };
}

static int setup(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    struct jwk *public = NULL;
    assert_non_null(bench);
    (void)fixture_setup(state);
    bench->f = *state;
    bench->state = state_new(bench->f->store, 8 << 20);
    bench->key = make_key();
    bench->keys = jwks_new();
    assert_int_equal(signing_key_public(bench->key, &public, NULL), OK);
    assert_int_equal(jwks_add(bench->keys, public), OK);
    struct corpus corpus = fixture_corpus(bench->f, 1);
    fixture_create_corpus(bench->f, &corpus);
    bench->grant = (struct corpus_grant){corpus.key, corpus.id, CORPUS_ROLE_VIEWER};
    bench->client = fixture_client(bench->f, 1);
    bench->client.api_roles = 1u << API_ROLE_ADMINISTRATOR;
    bench->client.corpus_grants = &bench->grant;
    bench->client.corpus_grant_count = 1;
    fixture_create(bench->f, &bench->client);
    bench->route = (struct route){.permission = PERMISSION_APP_CLIENT_MANAGE};
    open_exchange(bench);
    *state = bench;
    return 0;
}

static int teardown(void **state)
{
    struct bench *bench = *state;
    void *fixture = bench->f;
    fixture_close(&bench->e);
    state_free(bench->state);
    signing_key_free(bench->key);
    jwks_free(bench->keys);
    (void)fixture_teardown(&fixture);
    free(bench);
    return 0;
}

static void reopen_exchange(struct bench *bench)
{
    fixture_close(&bench->e);
    open_exchange(bench);
}

static struct jwt_claims good_claims(const struct bench *bench)
{
    return (struct jwt_claims){
        .issuer = SPAN(ISSUER),
        .subject = bench->client.client_id,
        .client_id = bench->client.client_id,
        .audiences = {SPAN_INIT(AUDIENCE)},
        .audience_count = 1,
        .issued_at = bench->e.x.now - 10,
        .expires_at = bench->e.x.now + 600,
        .token_id = SPAN("jti-1"),
        .account_id = ACCOUNT,
        .credential_id = bench->client.credentials[0].id,
        .revision = 1,
    };
}

static struct span token_of(struct bench *bench, const struct signing_key *key,
                            const struct jwt_claims *claims)
{
    struct jose_signer *signer = NULL;
    struct buf payload;
    struct buf token;
    buf_init_arena(&payload, &bench->f->arena, 4096);
    buf_init_arena(&token, &bench->f->arena, 4096);
    jwt_claims_write(claims, &payload);
    assert_int_equal(jose_signer_new(key, &signer, NULL), OK);
    assert_int_equal(jose_sign(signer, SPAN("at+jwt"), buf_span(&payload), &token, NULL), OK);
    jose_signer_free(signer);
    return buf_span(&token);
}

/* The client's record is taken as authentic: there is no signer here. */
static bool authenticate(struct bench *bench)
{
    AUTO(state_principal) const struct state_principal *client = NULL;
    int64_t revision;
    if (bench->state != NULL &&
        state_principal_load(bench->state, PRINCIPAL_APP_CLIENT, bench->client.client_id,
                             &bench->f->arena, &client, &revision, NULL) == OK)
        state_principal_prove(client, NULL);
    return caller_authenticate(&bench->e.x);
}

static void send_token(struct bench *bench, const struct signing_key *key,
                       const struct jwt_claims *claims)
{
    struct span token = token_of(bench, key, claims);
    struct span value = arena_printf(&bench->f->arena, "Bearer %.*s", SPAN_FMT(token));
    reopen_exchange(bench);
    fixture_header(&bench->e, "Authorization", arena_cstr(&bench->f->arena, value));
}

static void send_good_token(struct bench *bench)
{
    const struct jwt_claims claims = good_claims(bench);
    send_token(bench, bench->key, &claims);
}

/* 401 with a challenge that names the cause (RFC 6750 §3). */
static void assert_refused(struct bench *bench, const char *why)
{
    assert_false(authenticate(bench));
    assert_int_equal(bench->e.x.reply.status, 401);
    assert_null(bench->e.x.caller);
    struct span challenge = fixture_reply_header(&bench->e, "WWW-Authenticate");
    assert_true(span_starts(challenge, SPAN("Bearer realm=\"postern\", error=\"invalid_token\", "
                                            "error_description=\"")));
    if (memmem(challenge.ptr, challenge.len, why, strlen(why)) == NULL)
        print_error("%.*s\n", SPAN_FMT(challenge));
    assert_non_null(memmem(challenge.ptr, challenge.len, why, strlen(why)));
}

static void update_client(struct bench *bench)
{
    struct fixture *f = bench->f;
    const struct audit_event audit = fixture_audit(AUDIT_APP_CLIENT_UPDATE, bench->client.id);
    bench->client.version++;
    assert_ok(f, store_principal_update(f->store, &bench->client, &audit, &f->revision, &f->err));
    state_apply(bench->state, f->revision, SPAN("app_client"), bench->client.client_id);
}

static void a_public_route_asks_nobody(void **state)
{
    struct bench *bench = *state;
    bench->route.permission = PERMISSION_PUBLIC;
    fixture_header(&bench->e, "Authorization", "Bearer junk");
    assert_true(authenticate(bench));
    assert_null(bench->e.x.caller);
    assert_int_equal(bench->e.x.reply.status, 0);
}

static void a_token_makes_the_caller_with_the_rights_of_now(void **state)
{
    struct bench *bench = *state;
    send_good_token(bench);
    assert_true(authenticate(bench));
    const struct caller *caller = bench->e.x.caller;
    assert_int_equal(caller->kind, CALLER_APP_CLIENT);
    assert_true(span_equal(caller->account_id, ACCOUNT));
    assert_true(span_equal(caller->id, bench->client.id));
    assert_true(span_equal(caller->credential_id, bench->client.credentials[0].id));
    assert_int_equal(caller->api_roles, 1u << API_ROLE_ADMINISTRATOR);
    assert_int_equal(caller->corpus_grant_count, 1);
    assert_true(span_equal(caller->corpus_grants[0].corpus_id, bench->grant.corpus_id));
    assert_int_equal(caller->corpus_grants[0].role, CORPUS_ROLE_VIEWER);
    /* The entry may go while the handler works. */
    state_apply(bench->state, bench->f->revision, SPAN("app_client"), bench->client.client_id);
    assert_true(span_equal(caller->corpus_grants[0].corpus_id, bench->grant.corpus_id));

    /* The roles in the token do not count. */
    struct jwt_claims claims = good_claims(bench);
    claims.roles[0] = SPAN("owner");
    claims.role_count = 1;
    claims.has_roles = true;
    bench->client.api_roles = 1u << API_ROLE_VIEWER;
    bench->client.corpus_grant_count = 0;
    update_client(bench);
    send_token(bench, bench->key, &claims);
    assert_false(authenticate(bench));
    assert_int_equal(bench->e.x.reply.status, 403);
    assert_int_equal(fixture_reply_header(&bench->e, "WWW-Authenticate").len, 0);
    bench->client.api_roles = 1u << API_ROLE_OWNER;
    update_client(bench);
    send_token(bench, bench->key, &claims);
    assert_true(authenticate(bench)); /* mended on a live token */
    assert_int_equal(bench->e.x.caller->corpus_grant_count, 0);
}

static void who_sends_nothing_is_told_only_what_to_send(void **state)
{
    struct bench *bench = *state;
    assert_false(authenticate(bench));
    assert_int_equal(bench->e.x.reply.status, 401);
    assert_span_equal(fixture_reply_header(&bench->e, "WWW-Authenticate"),
                      "Bearer realm=\"postern\"");
}

static void what_is_no_bearer_token_is_401(void **state)
{
    struct bench *bench = *state;
    static const char *const values[] = {
        "",           "Bearer",           "Bearer ",     "Bearer  ",       "Basic YWJjOmRlZg==",
        "Bearer a b", "Bearer \"a.b.c\"", "Bearera.b.c", "Bearer a.b.c,d", "Bearer a\x80",
    };
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        reopen_exchange(bench);
        fixture_header(&bench->e, "Authorization", values[i]);
        assert_refused(bench, "must be one Bearer token");
    }
    reopen_exchange(bench);
    fixture_header(&bench->e, "Authorization", "Bearer a.b.c");
    fixture_header(&bench->e, "Authorization", "Bearer a.b.c");
    assert_refused(bench, "must be one Bearer token");
    reopen_exchange(bench);
    fixture_header(&bench->e, "Authorization", "Bearer a.b.c");
    assert_refused(bench, "");
}

static void the_scheme_is_read_in_any_case(void **state)
{
    struct bench *bench = *state;
    const struct jwt_claims claims = good_claims(bench);
    struct span token = token_of(bench, bench->key, &claims);
    static const char *const schemes[] = {"Bearer ", "bearer ", "BEARER  "};
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        struct span value = arena_printf(&bench->f->arena, "%s%.*s", schemes[i], SPAN_FMT(token));
        reopen_exchange(bench);
        fixture_header(&bench->e, "authorization", arena_cstr(&bench->f->arena, value));
        assert_true(authenticate(bench));
    }
}

static void a_token_of_another_kind_is_401(void **state)
{
    struct bench *bench = *state;
    struct jwt_claims claims = good_claims(bench);
    claims.expires_at = bench->e.x.now; /* RFC 7519 §4.1.4: on or after */
    send_token(bench, bench->key, &claims);
    assert_refused(bench, "expired");
    claims = good_claims(bench);
    /* The machine's clock went back since; our signer's never does. */
    claims.issued_at = bench->e.x.now + 7200;
    claims.expires_at = claims.issued_at + 1800;
    send_token(bench, bench->key, &claims);
    assert_true(authenticate(bench));
    claims = good_claims(bench);
    claims.audiences[0] = SPAN("https://other.example");
    send_token(bench, bench->key, &claims);
    assert_refused(bench, "");
    claims = good_claims(bench);
    claims.issuer = SPAN("https://other.example");
    send_token(bench, bench->key, &claims);
    assert_refused(bench, "");
    claims = good_claims(bench);
    struct signing_key *other = make_key();
    send_token(bench, other, &claims);
    signing_key_free(other);
    assert_refused(bench, "");
}

/* Deleted, disabled, or by a credential that is gone: one answer, which tells nothing of which. */
static void what_was_revoked_is_401_at_once(void **state)
{
    struct bench *bench = *state;
    static const char why[] = "\"The access token was revoked\"";
    struct jwt_claims claims = good_claims(bench);
    claims.credential_id = SPAN("crd_gone");
    send_token(bench, bench->key, &claims);
    assert_refused(bench, why);
    claims.credential_id = (struct span){0};
    send_token(bench, bench->key, &claims);
    assert_refused(bench, why);
    claims = good_claims(bench);
    claims.client_id = SPAN("nobody");
    claims.subject = SPAN("nobody");
    send_token(bench, bench->key, &claims);
    assert_refused(bench, why);

    send_good_token(bench);
    assert_true(authenticate(bench));
    bench->client.is_enabled = false;
    update_client(bench);
    send_good_token(bench);
    assert_refused(bench, why);

    struct fixture *f = bench->f;
    const struct audit_event audit = fixture_audit(AUDIT_APP_CLIENT_DELETE, bench->client.id);
    assert_ok(f, store_principal_delete(f->store, PRINCIPAL_APP_CLIENT, ACCOUNT, bench->client.id, &audit, &f->revision, &f->err));
    state_apply(bench->state, f->revision, SPAN("app_client"), bench->client.client_id);
    send_good_token(bench);
    assert_refused(bench, why);
}

/* R3: what cannot be looked up is neither let in nor refused. */
static void a_client_that_cannot_be_read_is_503(void **state)
{
    struct bench *bench = *state;
    state_apply(bench->state, bench->f->revision + 1, SPAN("app_client"),
                bench->client.client_id); /* what the store has is too old, for ever */
    send_good_token(bench);
    assert_false(authenticate(bench));
    assert_int_equal(bench->e.x.reply.status, 503);
    assert_true(fixture_reply_header(&bench->e, "Retry-After").len > 0);
    assert_int_equal(fixture_reply_header(&bench->e, "WWW-Authenticate").len, 0);
}

static void no_memory_is_503(void **state)
{
    struct bench *bench = *state;
    bool is_enough = false;
    for (size_t bytes = 0; !is_enough; bytes += 64) {
        send_good_token(bench);
        struct arena inputs = bench->e.x.arena;
        arena_init(&bench->e.x.arena, bytes);
        is_enough = authenticate(bench);
        assert_int_equal(bench->e.x.reply.status, is_enough ? 0 : 503);
        arena_done(&bench->e.x.arena);
        bench->e.x.arena = inputs;
        assert_true(bytes < 1 << 16);
    }
}

static void a_permission_that_no_role_gives_is_403(void **state)
{
    struct bench *bench = *state;
    bench->client.api_roles = 0;
    update_client(bench);
    static const struct {
        enum permission permission;
        bool is_let_in;
    } permissions[] = {
        {PERMISSION_UNSET, false},
        {PERMISSION_AUTHENTICATED, true},
        {PERMISSION_APP_CLIENT_MANAGE, false},
        {PERMISSION_CORPUS_CREATE, false},
        {PERMISSION_CORPUS_READ, true}, /* left to the handler: a role on the corpus may do */
        {PERMISSION_CORPUS_DELETE, true},
    };
    for (size_t i = 0; i < ARRAY_LEN(permissions); i++) {
        bench->route.permission = permissions[i].permission;
        send_good_token(bench);
        assert_int_equal(authenticate(bench), permissions[i].is_let_in);
        assert_int_equal(bench->e.x.reply.status, permissions[i].is_let_in ? 0 : 403);
    }
}

static void the_control_socket_is_the_hosts_administrator(void **state)
{
    struct bench *bench = *state;
    bench->e.x.peer = (struct peer){.is_control = true, .uid = 0, .pid = 42};
    fixture_header(&bench->e, "Authorization", "Bearer junk"); /* not looked at */
    assert_true(authenticate(bench));
    const struct caller *caller = bench->e.x.caller;
    assert_int_equal(caller->kind, CALLER_CONTROL);
    assert_span_equal(caller->id, "uid 0 pid 42");
    assert_true(span_equal(caller->account_id, ACCOUNT));
    assert_int_equal(caller->api_roles, 1u << API_ROLE_OWNER);
    assert_int_equal(caller->credential_id.len, 0);

    /* Another user of this machine is not. */
    reopen_exchange(bench);
    bench->e.x.peer = (struct peer){.is_control = true, .uid = geteuid() + 1, .pid = 42};
    assert_false(authenticate(bench));
    assert_int_equal(bench->e.x.reply.status, 403);

    reopen_exchange(bench);
    bench->e.x.peer = (struct peer){.is_control = true, .uid = 0};
    assert_true(authenticate(bench));
    /* A mode changed by mistake lets nobody else in, not even with a token. */
    send_good_token(bench);
    bench->e.x.peer = (struct peer){.is_control = true, .uid = geteuid() + 1};
    assert_false(authenticate(bench));
    assert_int_equal(bench->e.x.reply.status, 403);
    assert_null(bench->e.x.caller);

    /* A row without a permission is for nobody. */
    bench->route.permission = PERMISSION_UNSET;
    reopen_exchange(bench);
    bench->e.x.peer = (struct peer){.is_control = true};
    assert_false(authenticate(bench));
    assert_int_equal(bench->e.x.reply.status, 403);
}

#define caller_case(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        caller_case(a_public_route_asks_nobody),
        caller_case(a_token_makes_the_caller_with_the_rights_of_now),
        caller_case(who_sends_nothing_is_told_only_what_to_send),
        caller_case(what_is_no_bearer_token_is_401),
        caller_case(the_scheme_is_read_in_any_case),
        caller_case(a_token_of_another_kind_is_401),
        caller_case(what_was_revoked_is_401_at_once),
        caller_case(a_client_that_cannot_be_read_is_503),
        caller_case(no_memory_is_503),
        caller_case(a_permission_that_no_role_gives_is_403),
        caller_case(the_control_socket_is_the_hosts_administrator),
    };
    return RUN_TESTS(tests);
}
