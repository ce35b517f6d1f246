/* SPDX-License-Identifier: Apache-2.0 */
/* Writers and readers at once, more of them than there are connections. */
#include "store_fixture.h"

#include <pthread.h>

enum { WRITERS = 3, READERS = 4, ROUNDS = 40 };

struct worker {
    struct store *store;
    unsigned number;
    bool is_writer;
    const char *failure; /* cmocka's asserts are for the main thread */
};

static enum status write_round(struct worker *worker, unsigned round, struct arena *arena)
{
    struct credential credential = {.id = arena_printf(arena, "crd_%u_%u", worker->number, round),
                                    .hash = SPAN("h"),
                                    .hint = SPAN("wxyz")};
    struct principal client = {
        .id = arena_printf(arena, "app_%u_%u", worker->number, round),
        .account_id = ACCOUNT,
        .client_id = arena_printf(arena, "client_%u_%u", worker->number, round),
        .name = SPAN("x"),
        .version = 1,
        .api_roles = 1,
        .credentials = &credential,
        .credential_count = 1,
    };
    const struct audit_event audit = fixture_audit(AUDIT_APP_CLIENT_CREATE, client.id);
    struct span existing_id;
    int64_t created;
    int64_t updated;
    enum status status = store_principal_create(worker->store, &client, NULL, &audit, arena,
                                                 &existing_id, &created, NULL);
    const struct credential_use use = {credential.id, 1, 2, 3, SPAN("::1"), 0};
    if (status == OK)
        status = store_use_add(worker->store, &use, 1, NULL);
    client.version++;
    if (status == OK)
        status = store_principal_update(worker->store, &client, &audit, &updated, NULL);
    if (status == OK && (updated <= created || store_revision(worker->store) < updated))
        worker->failure = "revisions do not rise";
    if (status == OK && round % 2 == 0)
        status = store_principal_delete(worker->store, PRINCIPAL_APP_CLIENT, ACCOUNT, client.id, &audit, &updated, NULL);
    return status;
}

static enum status read_round(struct worker *worker, unsigned round, struct arena *arena)
{
    const struct store_page page = {
        .account_id = ACCOUNT, .before_sequence = INT64_MAX, .limit = 20};
    struct principal *clients;
    size_t count;
    bool has_more;
    enum status status =
        store_principal_list(worker->store, &(struct store_principal_query){.page = page}, arena, &clients, &count, &has_more, NULL);
    for (size_t i = 0; status == OK && i < count; i++) {
        if (clients[i].credential_count != 1 || clients[i].api_roles != 1)
            worker->failure = "a client was read in parts";
    }
    struct principal client;
    int64_t snapshot;
    enum status found = store_principal_find(worker->store, PRINCIPAL_APP_CLIENT, arena_printf(arena, "client_%u_%u", worker->number % WRITERS, round), arena,
        &client, &snapshot, NULL);
    if (found == OK && client.sequence > snapshot)
        worker->failure = "a row is newer than its snapshot";
    if (found != OK && found != NOT_FOUND)
        status = found;
    return status == OK ? store_ping(worker->store, NULL) : status;
}

static void *work(void *context)
{
    struct worker *worker = context;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    for (unsigned round = 0; worker->failure == NULL && round < ROUNDS; round++) {
        enum status status = worker->is_writer ? write_round(worker, round, &arena)
                                               : read_round(worker, round, &arena);
        if (status != OK)
            worker->failure = status_name(status);
        arena_reset(&arena);
    }
    arena_done(&arena);
    return NULL;
}

static void writers_and_readers_do_not_disturb_each_other(void **state)
{
    struct fixture *f = *state;
    struct worker workers[WRITERS + READERS];
    pthread_t threads[WRITERS + READERS];
    size_t heard = f->change_count;
    for (unsigned i = 0; i < ARRAY_LEN(workers); i++) {
        workers[i] = (struct worker){.store = f->store, .number = i, .is_writer = i < WRITERS};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (unsigned i = 0; i < ARRAY_LEN(workers); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (unsigned i = 0; i < ARRAY_LEN(workers); i++) {
        if (workers[i].failure != NULL)
            fail_msg("worker %u: %s", i, workers[i].failure);
    }
    assert_int_equal(f->change_count - heard, WRITERS * (2 * ROUNDS + ROUNDS / 2));
    assert_int_equal(f->last_change, store_revision(f->store));
    assert_int_equal(fixture_audit_count(f, ACCOUNT), f->change_count - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(writers_and_readers_do_not_disturb_each_other),
    };
    return RUN_TESTS(tests);
}
