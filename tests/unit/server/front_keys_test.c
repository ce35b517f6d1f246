/* SPDX-License-Identifier: Apache-2.0 */
/* A real store, and the signer's own code on a thread behind each lane. */
#include "server/front_keys.h"

#include "../store/store_fixture.h"

#include "config/config.h"
#include "jose/jwk.h"
#include "jose/jws.h"
#include "signer/signer_lane.h"
#include "signer/signer_ops.h"
#include "signing/signing.h"

#include "../signer/signer_bench.h"

#include <pthread.h>
#include <sys/socket.h>

#define KEK   "a key-encryption key of 32 bytes"
#define OTHER "another key of the same 32 bytes"

struct a_signer {
    struct config config;
    struct signer signer;
    atomic_bool is_ending;
    enum signer_lane_end end;
    int fd;
    struct signing_lane *lane; /* ours */
    pthread_t thread;
};

static void *run_signer(void *context)
{
    struct a_signer *s = context;
    s->end = signer_lane_run(&s->signer, s->fd, &s->is_ending);
    return NULL;
}

static void signer_start(struct a_signer *s, const char *kek)
{
    int fds[2];
    *s = (struct a_signer){0};
    config_defaults(&s->config);
    s->config.public_url = SPAN(ISSUER);
    assert_int_equal(signer_open(&s->signer, &s->config, span_cstr(kek), NULL), OK);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    s->fd = fds[0];
    s->lane = signing_lane_new(fds[1], true);
    assert_non_null(s->lane);
    assert_int_equal(pthread_create(&s->thread, NULL, run_signer, s), 0);
}

static void signer_stop(struct a_signer *s)
{
    signing_lane_free(s->lane);
    (void)pthread_join(s->thread, NULL);
    assert_int_equal(s->end, SIGNER_LANE_EOF);
    (void)close(s->fd);
    signer_close(&s->signer);
}

static size_t count_kind(const struct front_keys *keys, const char *kind)
{
    size_t count = 0;
    for (size_t i = 0; i < keys->count; i++)
        count += span_equal(keys->keys[i].kind, span_cstr(kind)) ? 1 : 0;
    return count;
}

static enum status ask(void *context, const struct signing_request *request, struct arena *arena,
                       struct signing_reply *ret_reply)
{
    return signing_call(context, request, 10000, arena, ret_reply, NULL);
}

/* Has this signer all keys, and does it sign with the active one? */
static void issues_with_the_active_key(struct fixture *f, struct a_signer *s,
                                       const struct front_keys *keys)
{
    struct bench bench = {.ask = ask, .context = s->lane};
    struct signing_reply reply;
    struct jws jws;
    arena_init(&bench.arena, 1 << 20);
    const struct principal client = bench_client(&bench);
    const struct signing_request request = bench_token(&bench, &client);
    assert_int_equal(bench_call(&bench, &request, &reply), OK);
    assert_int_equal(jws_split(reply.token.token, &f->arena, &jws, NULL), OK);
    assert_true(span_equal(jws.kid, keys->active_kid));
    arena_done(&bench.arena);
}

static void open_keys(struct fixture *f, struct a_signer *s, const char *alg,
                      struct front_keys *keys, int64_t now)
{
    memset(keys, 0xa5, sizeof *keys); /* nothing is expected of it */
    assert_ok(f, front_keys_open(keys, f->store, s->lane, span_cstr(alg), now, &f->err));
}

static void a_first_start_makes_a_key_of_each_kind(void **state)
{
    struct fixture *f = *state;
    struct a_signer s;
    struct front_keys keys;
    struct jwks *set;
    signer_start(&s, KEK);
    open_keys(f, &s, "ES256", &keys, 1700000000);
    assert_int_equal(keys.count, 3);
    assert_int_equal(count_kind(&keys, "token"), 1);
    assert_int_equal(count_kind(&keys, "pepper"), 1);
    assert_int_equal(count_kind(&keys, "record_mac"), 1);
    assert_int_equal(front_keys_public(&keys, &set, NULL), OK);
    assert_int_equal(jwks_count(set), 1);
    const struct jwk *key = jwks_find(set, keys.active_kid);
    assert_non_null(key);
    assert_int_equal(jwk_alg(key), JOSE_ES256);
    jwks_free(set);
    issues_with_the_active_key(f, &s, &keys);
    front_keys_close(&keys);
    signer_stop(&s);
}

static void a_second_start_makes_none(void **state)
{
    struct fixture *f = *state;
    struct a_signer s;
    struct front_keys keys;
    signer_start(&s, KEK);
    open_keys(f, &s, "ES256", &keys, 1700000000);
    char kid[64];
    (void)snprintf(kid, sizeof kid, "%.*s", SPAN_FMT(keys.active_kid));
    front_keys_close(&keys);
    signer_stop(&s);
    fixture_reopen(f);
    int64_t revision = store_revision(f->store);
    signer_start(&s, KEK);
    open_keys(f, &s, "ES256", &keys, 1700000001);
    assert_int_equal(keys.count, 3);
    assert_span_equal(keys.active_kid, kid);
    assert_true(store_revision(f->store) == revision);
    front_keys_close(&keys);
    signer_stop(&s);
}

/* Tokens of the old key are good until they expire. */
static void another_algorithm_adds_a_key_and_keeps_the_old_one(void **state)
{
    struct fixture *f = *state;
    struct a_signer s;
    struct front_keys keys;
    struct jwks *set;
    signer_start(&s, KEK);
    open_keys(f, &s, "ES256", &keys, 1700000000);
    front_keys_close(&keys);
    open_keys(f, &s, "EdDSA", &keys, 1700000001);
    assert_int_equal(count_kind(&keys, "token"), 2);
    assert_int_equal(keys.count, 4);
    assert_int_equal(front_keys_public(&keys, &set, NULL), OK);
    assert_int_equal(jwks_count(set), 2);
    assert_int_equal(jwk_alg(jwks_find(set, keys.active_kid)), JOSE_EDDSA);
    assert_ptr_equal(jwks_at(set, 0), jwks_find(set, keys.active_kid)); /* the one that signs */
    jwks_free(set);
    issues_with_the_active_key(f, &s, &keys);
    front_keys_close(&keys);
    open_keys(f, &s, "ES256", &keys, 1700000002); /* and back: it is there already */
    assert_int_equal(keys.count, 4);
    assert_int_equal(front_keys_public(&keys, &set, NULL), OK);
    assert_int_equal(jwk_alg(jwks_at(set, 0)), JOSE_ES256);
    assert_int_equal(jwk_alg(jwks_at(set, 1)), JOSE_EDDSA);
    jwks_free(set);
    issues_with_the_active_key(f, &s, &keys);
    front_keys_close(&keys);
    signer_stop(&s);
}

/* A database without the key-encryption key that it was made with is not touched. */
static void another_key_encryption_key_is_corrupt_and_adds_nothing(void **state)
{
    struct fixture *f = *state;
    struct a_signer s;
    struct front_keys keys;
    signer_start(&s, KEK);
    open_keys(f, &s, "ES256", &keys, 1700000000);
    front_keys_close(&keys);
    signer_stop(&s);
    int64_t revision = store_revision(f->store);
    signer_start(&s, OTHER);
    f->err = (struct err){0};
    keys = (struct front_keys){0};
    assert_int_equal(front_keys_open(&keys, f->store, s.lane, SPAN("EdDSA"), 1700000001, &f->err),
                     CORRUPT);
    assert_non_null(strstr(f->err.detail, "another key-encryption key"));
    assert_true(store_revision(f->store) == revision);
    front_keys_close(&keys);
    signer_stop(&s);
}

/* A signer that was started again gets them from memory: the store may be down just then. */
static void a_new_signer_gets_all_keys_without_the_store(void **state)
{
    struct fixture *f = *state;
    struct a_signer s;
    struct front_keys keys;
    signer_start(&s, KEK);
    open_keys(f, &s, "ES256", &keys, 1700000000);
    signer_stop(&s);
    store_close(f->store);
    f->store = NULL;
    signer_start(&s, KEK);
    assert_ok(f, front_keys_load(&keys, s.lane, &f->err));
    issues_with_the_active_key(f, &s, &keys);
    front_keys_close(&keys);
    signer_stop(&s);
}

static void a_signer_that_is_gone_is_unavailable(void **state)
{
    struct fixture *f = *state;
    struct front_keys keys = {0};
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    (void)close(fds[0]);
    struct signing_lane *lane = signing_lane_new(fds[1], true);
    int64_t revision = store_revision(f->store);
    assert_status(f, front_keys_open(&keys, f->store, lane, SPAN("ES256"), 1, &f->err),
                  UNAVAILABLE);
    assert_true(store_revision(f->store) == revision);
    front_keys_close(&keys);
    signing_lane_free(lane);
}

static void add_key(struct fixture *f, const char *kind, const char *public_jwk)
{
    const struct server_key key = {
        .id = SPAN("k1"),
        .kind = span_cstr(kind),
        .alg = SPAN("ES256"),
        .public_jwk = span_cstr(public_jwk),
        .sealed = SPAN("not sealed"),
        .check_value = SPAN("x"),
        .state = SPAN("active"),
        .created_at = 1700000000,
    };
    const struct audit_event audit = fixture_audit(AUDIT_SERVER_KEY_CREATE, key.id);
    assert_ok(f, store_server_key_add(f->store, &key, &audit, &f->revision, &f->err));
}

static void keys_that_do_not_read_are_corrupt(void **state)
{
    struct fixture *f = *state;
    struct a_signer s;
    struct front_keys keys = {0};
    struct jwks *set;
    add_key(f, "token", "{\"kty\":\"EC\"}");
    signer_start(&s, KEK);
    assert_status(f, front_keys_open(&keys, f->store, s.lane, SPAN("ES256"), 1, &f->err), CORRUPT);
    assert_int_not_equal(front_keys_public(&keys, &set, &f->err), OK);
    front_keys_close(&keys);
    signer_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(a_first_start_makes_a_key_of_each_kind),
        store_test(a_second_start_makes_none),
        store_test(another_algorithm_adds_a_key_and_keeps_the_old_one),
        store_test(another_key_encryption_key_is_corrupt_and_adds_nothing),
        store_test(a_new_signer_gets_all_keys_without_the_store),
        store_test(a_signer_that_is_gone_is_unavailable),
        store_test(keys_that_do_not_read_are_corrupt),
    };
    return RUN_TESTS(tests);
}
