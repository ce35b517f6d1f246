/* SPDX-License-Identifier: Apache-2.0 */
#include "state/state.h"

#include "signing/record.h"

#include "../store/store_fixture.h"

#include <pthread.h>
#include <stdatomic.h>

enum { ROOMY = 8 << 20, SHARDS = 64 };

struct bench {
    struct fixture *f;
    struct state *state;
};

static void on_change(void *context, const struct store_change *change)
{
    struct bench *bench = context;
    if (bench->state != NULL)
        state_apply(bench->state, change->revision, change->kind, change->id);
}

/* The store tells the state of its changes, as in the product. */
static int setup(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    assert_non_null(bench);
    (void)fixture_setup(state);
    bench->f = *state;
    store_close(bench->f->store);
    const struct store_options options = {.data_fd = bench->f->data_fd,
                                          .path = bench->f->directory,
                                          .now = bench->f->now,
                                          .readers = 4,
                                          .on_change = on_change,
                                          .change_context = bench};
    assert_ok(bench->f, store_open(&options, &bench->f->store, &bench->f->err));
    bench->state = state_new(bench->f->store, ROOMY);
    assert_non_null(bench->state);
    *state = bench;
    return 0;
}

static int teardown(void **state)
{
    struct bench *bench = *state;
    void *fixture = bench->f;
    state_free(bench->state);
    (void)fixture_teardown(&fixture);
    free(bench);
    return 0;
}

static enum status load(struct bench *bench, struct span client_id,
                        const struct state_principal **ret_client, int64_t *ret_revision)
{
    bench->f->err = (struct err){0};
    return state_principal_load(bench->state, PRINCIPAL_APP_CLIENT, client_id, &bench->f->arena, ret_client, ret_revision,
                             &bench->f->err);
}

static bool is_in_memory(struct bench *bench, struct span client_id)
{
    AUTO(state_principal) const struct state_principal *client = NULL;
    int64_t revision;
    return state_principal_find(bench->state, PRINCIPAL_APP_CLIENT, client_id, &client, &revision) == OK;
}

static struct record record_of(const struct state_principal *client)
{
    struct record record;
    assert_int_equal(record_read(client->record, &record, NULL), OK);
    return record;
}

static void update(struct bench *bench, struct principal *client)
{
    const struct audit_event audit = fixture_audit(AUDIT_APP_CLIENT_UPDATE, client->id);
    client->version++;
    assert_ok(bench->f, store_principal_update(bench->f->store, client, &audit,
                                                &bench->f->revision, &bench->f->err));
}

static void a_client_is_loaded_once_and_then_found(void **state)
{
    struct bench *bench = *state;
    struct principal stored = fixture_client(bench->f, 1);
    struct corpus corpus = fixture_corpus(bench->f, 1);
    struct corpus_grant grant = {
        .corpus_key = corpus.key, .corpus_id = corpus.id, .role = CORPUS_ROLE_EDITOR};
    fixture_create_corpus(bench->f, &corpus);
    stored.corpus_grants = &grant;
    stored.corpus_grant_count = 1;
    stored.api_roles = 1u << API_ROLE_VIEWER;
    stored.token_ttl_seconds = 60;
    fixture_create(bench->f, &stored);

    AUTO(state_principal) const struct state_principal *loaded = NULL;
    AUTO(state_principal) const struct state_principal *found = NULL;
    int64_t revision = 0;
    assert_false(is_in_memory(bench, stored.client_id));
    assert_ok(bench->f, load(bench, stored.client_id, &loaded, &revision));
    assert_int_equal(revision, bench->f->revision);
    revision = 0;
    assert_int_equal(state_principal_find(bench->state, PRINCIPAL_APP_CLIENT, stored.client_id, &found, &revision), OK);
    assert_ptr_equal(found, loaded);
    assert_int_equal(revision, bench->f->revision);
    assert_int_equal(state_count(bench->state).principals, 1);
    assert_true(state_count(bench->state).bytes > sizeof *found);

    assert_true(span_equal(found->id, stored.id));
    assert_true(span_equal(found->account_id, ACCOUNT));
    assert_true(span_equal(found->name, stored.client_id));
    assert_true(found->is_enabled);
    assert_int_equal(found->api_roles, stored.api_roles);
    assert_int_equal(found->token_ttl_seconds_max, 0);
    assert_int_equal(found->corpus_grant_count, 1);
    assert_true(span_equal(found->corpus_grants[0].corpus_id, corpus.id));
    assert_int_equal(found->corpus_grants[0].corpus_key.len, 0);
    assert_int_equal(found->corpus_grants[0].role, CORPUS_ROLE_EDITOR);
    assert_int_equal(found->credential_count, 1);
    assert_true(span_equal(found->credential_ids[0], stored.credentials[0].id));
    assert_true(span_equal(found->record_mac, stored.record_mac));
    struct record record = record_of(found);
    assert_true(span_equal(record.client_id, stored.client_id));
    assert_int_equal(record.version, 1);
    assert_true(span_equal(record.credentials[0].hash, stored.credentials[0].hash));
}

static void who_is_unknown_is_not_kept(void **state)
{
    struct bench *bench = *state;
    const struct state_principal *client = NULL;
    int64_t revision = 7;
    assert_int_equal(state_principal_find(bench->state, PRINCIPAL_APP_CLIENT, SPAN("nobody"), &client, &revision),
                     NOT_FOUND);
    assert_int_equal(load(bench, SPAN("nobody"), &client, &revision), NOT_FOUND);
    assert_int_equal(load(bench, SPAN(""), &client, &revision), NOT_FOUND);
    assert_null(client);
    assert_int_equal(revision, 7);
    /* The callers word what follows: a cause from here would reach a challenge. */
    assert_int_equal(bench->f->err.status, OK);
    assert_int_equal(state_count(bench->state).principals, 0);
}

static void a_change_forgets_the_client_before_the_write_returns(void **state)
{
    struct bench *bench = *state;
    struct principal stored = fixture_client(bench->f, 1);
    struct principal other = fixture_client(bench->f, 2);
    fixture_create(bench->f, &stored);
    fixture_create(bench->f, &other);
    const struct state_principal *client;
    int64_t revision;
    assert_ok(bench->f, load(bench, other.client_id, &client, &revision));
    state_principal_release(client);
    assert_ok(bench->f, load(bench, stored.client_id, &client, &revision));
    state_principal_release(client);

    stored.is_enabled = false;
    update(bench, &stored);
    assert_false(is_in_memory(bench, stored.client_id));
    assert_true(is_in_memory(bench, other.client_id));
    assert_ok(bench->f, load(bench, stored.client_id, &client, &revision));
    assert_false(client->is_enabled);
    assert_int_equal(record_of(client).version, 2);
    assert_int_equal(revision, bench->f->revision);
    state_principal_release(client);

    const struct audit_event audit = fixture_audit(AUDIT_APP_CLIENT_DELETE, stored.id);
    assert_ok(bench->f,
              store_principal_delete(bench->f->store, PRINCIPAL_APP_CLIENT, ACCOUNT, stored.id, &audit, &bench->f->revision, &bench->f->err));
    assert_false(is_in_memory(bench, stored.client_id));
    assert_int_equal(load(bench, stored.client_id, &client, &revision), NOT_FOUND);
}

/* After a commit of unknown fate nothing that is kept can be trusted, nor what was read before. */
static void a_database_opened_again_forgets_everything(void **state)
{
    struct bench *bench = *state;
    for (unsigned i = 1; i <= 3; i++) {
        AUTO(state_principal) const struct state_principal *loaded = NULL;
        int64_t revision;
        struct principal client = fixture_client(bench->f, i);
        fixture_create(bench->f, &client);
        assert_int_equal(load(bench, client.client_id, &loaded, &revision), OK);
        assert_true(is_in_memory(bench, client.client_id));
    }
    state_apply(bench->state, state_revision(bench->state) + 1, SPAN("*"), (struct span){0});
    assert_int_equal(state_count(bench->state).principals, 0);
    assert_int_equal(state_count(bench->state).bytes, 0);
}

static void every_change_raises_the_revision(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(state_revision(bench->state), store_revision(bench->f->store));
    int64_t before = state_revision(bench->state);
    struct principal stored = fixture_client(bench->f, 1);
    fixture_create(bench->f, &stored);
    assert_true(state_revision(bench->state) > before);
    assert_int_equal(state_revision(bench->state), bench->f->revision);
    const struct state_principal *client;
    int64_t revision;
    assert_ok(bench->f, load(bench, stored.client_id, &client, &revision));
    state_principal_release(client);

    /* Of another kind with the same id: nothing is forgotten. */
    before = state_revision(bench->state);
    struct corpus corpus = fixture_corpus(bench->f, 1);
    fixture_create_corpus(bench->f, &corpus);
    assert_true(state_revision(bench->state) > before);
    state_apply(bench->state, state_revision(bench->state) + 1, SPAN("corpus"), stored.client_id);
    assert_int_equal(state_principal_find(bench->state, PRINCIPAL_APP_CLIENT, stored.client_id, &client, &revision), OK);
    assert_int_equal(revision, bench->f->revision + 1);
    state_principal_release(client);
}

/* The change is applied here before the store shows it: what the store then answers is too old. */
static void a_fill_overtaken_by_a_change_is_not_kept(void **state)
{
    struct bench *bench = *state;
    const struct state_principal *client = NULL;
    int64_t revision;
    struct principal stored = fixture_client(bench->f, 1);
    struct principal other = fixture_client(bench->f, 2);
    fixture_create(bench->f, &stored);
    fixture_create(bench->f, &other);
    state_apply(bench->state, bench->f->revision + 1, SPAN("app_client"), stored.client_id);
    assert_int_equal(load(bench, stored.client_id, &client, &revision), UNAVAILABLE);
    assert_null(client);
    assert_int_equal(state_count(bench->state).principals, 0);
    assert_ok(bench->f, load(bench, other.client_id, &client, &revision));
    state_principal_release(client);
    update(bench, &stored); /* the store has caught up */
    assert_ok(bench->f, load(bench, stored.client_id, &client, &revision));
    assert_int_equal(record_of(client).version, 2);
    state_principal_release(client);
}

/* More changes than are remembered: whether one was of this client can no longer be told. */
static void a_fill_older_than_what_is_remembered_is_not_kept(void **state)
{
    struct bench *bench = *state;
    const struct state_principal *client = NULL;
    int64_t revision;
    struct principal stored = fixture_client(bench->f, 1);
    fixture_create(bench->f, &stored);
    for (int i = 1; i <= 1024; i++)
        state_apply(bench->state, bench->f->revision + i, SPAN("app_client"), SPAN("other"));
    assert_ok(bench->f, load(bench, stored.client_id, &client, &revision));
    state_principal_release(client);
    for (int i = 1025; i <= 1026; i++)
        state_apply(bench->state, bench->f->revision + i, SPAN("app_client"), SPAN("other"));
    state_apply(bench->state, bench->f->revision + 1027, SPAN("app_client"), stored.client_id);
    for (int i = 1028; i <= 3000; i++)
        state_apply(bench->state, bench->f->revision + i, SPAN("app_client"), SPAN("other"));
    assert_int_equal(load(bench, stored.client_id, &client, &revision), UNAVAILABLE);
}

static void the_bound_on_bytes_holds(void **state)
{
    enum { CLIENTS = 150, BYTES_MAX = 1024 * SHARDS };
    struct bench *bench = *state;
    state_free(bench->state);
    bench->state = state_new(bench->f->store, BYTES_MAX);
    for (unsigned number = 0; number < CLIENTS; number++) {
        const struct state_principal *client;
        int64_t revision;
        struct principal stored = fixture_client(bench->f, number);
        fixture_create(bench->f, &stored);
        assert_ok(bench->f, load(bench, stored.client_id, &client, &revision));
        state_principal_release(client);
        assert_true(is_in_memory(bench, stored.client_id)); /* the newest is never the victim */
        struct state_counts counts = state_count(bench->state);
        assert_true(counts.principals <= number + 1 && counts.bytes <= BYTES_MAX);
    }
    struct state_counts counts = state_count(bench->state);
    assert_true(counts.principals > SHARDS / 2 && counts.principals < CLIENTS);
}

static void what_is_larger_than_its_room_is_answered_and_not_kept(void **state)
{
    struct bench *bench = *state;
    const struct state_principal *client;
    int64_t revision;
    state_free(bench->state);
    bench->state = state_new(bench->f->store, 64 * SHARDS);
    struct principal stored = fixture_client(bench->f, 1);
    fixture_create(bench->f, &stored);
    for (int i = 0; i < 2; i++) {
        assert_ok(bench->f, load(bench, stored.client_id, &client, &revision));
        assert_true(span_equal(client->name, stored.client_id));
        assert_int_equal(revision, bench->f->revision);
        state_principal_release(client);
    }
    assert_int_equal(state_count(bench->state).principals, 0);
    assert_int_equal(state_count(bench->state).bytes, 0);
}

static void a_reference_outlives_the_entrys_removal_and_the_table(void **state)
{
    struct bench *bench = *state;
    const struct state_principal *first;
    const struct state_principal *second;
    int64_t revision;
    struct principal stored = fixture_client(bench->f, 1);
    fixture_create(bench->f, &stored);
    assert_ok(bench->f, load(bench, stored.client_id, &first, &revision));
    assert_int_equal(state_principal_find(bench->state, PRINCIPAL_APP_CLIENT, stored.client_id, &second, &revision), OK);
    update(bench, &stored);
    assert_false(is_in_memory(bench, stored.client_id));
    assert_int_equal(record_of(first).version, 1);
    state_principal_release(first);
    assert_int_equal(record_of(second).version, 1);
    state_principal_release(second);
    assert_ok(bench->f, load(bench, stored.client_id, &first, &revision));
    state_free(bench->state);
    bench->state = NULL;
    assert_int_equal(record_of(first).version, 2);
    state_principal_release(first);
    state_principal_release(NULL);
}

/* --- Threads --- */

enum { THREADS = 4, ROUNDS = 60, SHARED_CLIENTS = 3 };

struct race {
    struct bench *bench;
    _Atomic int64_t committed[SHARED_CLIENTS]; /* the version whose write has returned */
    atomic_bool is_over;
};

struct reader {
    struct race *race;
    const char *failure; /* cmocka's asserts are for the main thread */
};

/* Who looks after a write has returned must see it, or what is newer. */
static const char *look(struct race *race, unsigned number, struct arena *arena)
{
    AUTO(state_principal) const struct state_principal *client = NULL;
    struct record record;
    int64_t revision;
    struct span client_id = arena_printf(arena, "client%u", number);
    int64_t known = atomic_load(&race->committed[number]);
    int64_t applied = state_revision(race->bench->state);
    enum status status =
        state_principal_load(race->bench->state, PRINCIPAL_APP_CLIENT, client_id, arena, &client, &revision, NULL);
    if (status == UNAVAILABLE)
        return NULL; /* changed faster than it could be read: allowed */
    if (status != OK)
        return status_name(status);
    if (record_read(client->record, &record, NULL) != OK ||
        !span_equal(record.client_id, client_id))
        return "a broken entry";
    if (record.version < known)
        return "an entry older than an acknowledged write";
    return revision < applied ? "a revision that went back" : NULL;
}

static void *read_on(void *context)
{
    struct reader *reader = context;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    for (unsigned round = 0; reader->failure == NULL && !atomic_load(&reader->race->is_over);
         round++) {
        reader->failure = look(reader->race, round % SHARED_CLIENTS, &arena);
        arena_reset(&arena);
    }
    arena_done(&arena);
    return NULL;
}

static void readers_never_see_what_an_acknowledged_write_replaced(void **state)
{
    struct race race = {.bench = *state};
    struct principal clients[SHARED_CLIENTS];
    struct reader readers[THREADS];
    pthread_t threads[THREADS];
    for (unsigned i = 0; i < SHARED_CLIENTS; i++) {
        clients[i] = fixture_client(race.bench->f, i);
        fixture_create(race.bench->f, &clients[i]);
        atomic_init(&race.committed[i], 1);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        readers[i] = (struct reader){.race = &race};
        assert_int_equal(pthread_create(&threads[i], NULL, read_on, &readers[i]), 0);
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned i = round % SHARED_CLIENTS;
        update(race.bench, &clients[i]);
        atomic_store(&race.committed[i], clients[i].version);
    }
    atomic_store(&race.is_over, true);
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        if (readers[i].failure != NULL)
            fail_msg("%s", readers[i].failure);
    }
}

#define state_test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        state_test(a_client_is_loaded_once_and_then_found),
        state_test(who_is_unknown_is_not_kept),
        state_test(a_change_forgets_the_client_before_the_write_returns),
        state_test(a_database_opened_again_forgets_everything),
        state_test(every_change_raises_the_revision),
        state_test(a_fill_overtaken_by_a_change_is_not_kept),
        state_test(a_fill_older_than_what_is_remembered_is_not_kept),
        state_test(the_bound_on_bytes_holds),
        state_test(what_is_larger_than_its_room_is_answered_and_not_kept),
        state_test(a_reference_outlives_the_entrys_removal_and_the_table),
        state_test(readers_never_see_what_an_acknowledged_write_replaced),
    };
    return RUN_TESTS(tests);
}
