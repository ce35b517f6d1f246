/* SPDX-License-Identifier: Apache-2.0 */
#include "store_fixture.h"

static enum status delete_client(struct fixture *f, struct span account_id, struct span id)
{
    const struct audit_event audit = fixture_audit(AUDIT_APP_CLIENT_DELETE, id);
    return store_principal_delete(f->store, PRINCIPAL_APP_CLIENT, account_id, id, &audit,
                                   &f->revision, &f->err);
}

static enum status update_client(struct fixture *f, const struct principal *client)
{
    const struct audit_event audit = fixture_audit(AUDIT_APP_CLIENT_UPDATE, client->id);
    return store_principal_update(f->store, client, &audit, &f->revision, &f->err);
}

static enum status delete_corpus(struct fixture *f, struct span key)
{
    const struct audit_event audit = fixture_audit(AUDIT_CORPUS_DELETE, key);
    return store_corpus_delete(f->store, ACCOUNT, key, &audit, &f->revision, &f->err);
}

static struct corpus_grant grant_on(const struct corpus *corpus, enum corpus_role role)
{
    return (struct corpus_grant){.corpus_key = corpus->key, .corpus_id = corpus->id, .role = role};
}

static void what_is_created_reads_back(void **state)
{
    struct fixture *f = *state;
    struct corpus corpora[] = {fixture_corpus(f, 1), fixture_corpus(f, 2)};
    fixture_create_corpus(f, &corpora[0]);
    fixture_create_corpus(f, &corpora[1]);
    struct principal client = fixture_client(f, 1);
    struct corpus_grant grants[] = {grant_on(&corpora[1], CORPUS_ROLE_VIEWER),
                                    grant_on(&corpora[0], CORPUS_ROLE_OWNER),
                                    grant_on(&corpora[1], CORPUS_ROLE_EDITOR)};
    struct agent_grant agents[] = {{SPAN("agent-z"), AGENT_ROLE_USER},
                                   {SPAN("agent-a"), AGENT_ROLE_ADMINISTRATOR}};
    client.description = SPAN("Ünï\tcode\n");
    client.has_description = true;
    client.api_roles = 1u << API_ROLE_ADMINISTRATOR | 1u << API_ROLE_VIEWER;
    client.corpus_grants = grants;
    client.corpus_grant_count = ARRAY_LEN(grants);
    client.agent_grants = agents;
    client.agent_grant_count = ARRAY_LEN(agents);
    client.token_ttl_seconds = 900;
    fixture_create(f, &client);

    struct principal got = fixture_get(f, client.id);
    assert_span_equal(got.id, "app_1");
    assert_span_equal(got.account_id, "acc_1");
    assert_span_equal(got.client_id, "client1");
    assert_span_equal(got.name, "Client 1");
    assert_true(got.has_description);
    assert_span_equal(got.description, "Ünï\tcode\n");
    assert_true(got.is_enabled);
    assert_int_equal(got.api_roles, client.api_roles);
    assert_int_equal(got.token_ttl_seconds, 900);
    assert_int_equal(got.version, 1);
    assert_true(span_equal(got.record_mac, client.record_mac));
    assert_int_equal(got.sequence, f->revision);
    assert_int_equal(got.created_at, 1700000001);
    assert_int_equal(got.updated_at, 1700000002);
    /* In the order given: the MAC covers it. */
    assert_int_equal(got.corpus_grant_count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_true(span_equal(got.corpus_grants[i].corpus_id, grants[i].corpus_id));
        assert_true(span_equal(got.corpus_grants[i].corpus_key, grants[i].corpus_key));
        assert_int_equal(got.corpus_grants[i].role, grants[i].role);
    }
    assert_int_equal(got.agent_grant_count, 2);
    assert_span_equal(got.agent_grants[0].agent_key, "agent-z");
    assert_int_equal(got.agent_grants[0].role, AGENT_ROLE_USER);
    assert_span_equal(got.agent_grants[1].agent_key, "agent-a");
    assert_int_equal(got.credential_count, 1);
    const struct credential *credential = &got.credentials[0];
    assert_span_equal(credential->id, "crd_1");
    assert_int_equal(credential->kind, CREDENTIAL_CLIENT_SECRET);
    assert_true(span_equal(credential->hash, client.credentials[0].hash));
    assert_int_equal(credential->hash.len, CREDENTIAL_HASH_BYTES);
    assert_true(span_equal(credential->sealed, client.credentials[0].sealed));
    assert_span_equal(credential->hint, "wxyz");
    assert_int_equal(credential->created_at, 1700000001);
    assert_int_equal(credential->expires_at, 0);
    assert_int_equal(credential->retired_at, 0);
}

static void no_description_and_an_empty_one_differ(void **state)
{
    struct fixture *f = *state;
    struct principal with = fixture_client(f, 1);
    with.has_description = true;
    struct principal without = fixture_client(f, 2);
    without.description = SPAN("is not looked at");
    fixture_create(f, &with);
    fixture_create(f, &without);
    assert_true(fixture_get(f, with.id).has_description);
    assert_false(fixture_get(f, without.id).has_description);
    assert_int_equal(fixture_get(f, without.id).description.len, 0);
}

static void several_credentials_keep_their_order(void **state)
{
    struct fixture *f = *state;
    struct principal client = fixture_client(f, 1);
    struct credential credentials[CREDENTIALS_MAX + 1];
    for (unsigned i = 0; i < ARRAY_LEN(credentials); i++) {
        credentials[i] = client.credentials[0];
        credentials[i].id = fixture_text(f, "crd_x", 100 - i);
        credentials[i].kind = (enum credential_kind)(i % CREDENTIAL_KIND_COUNT);
        credentials[i].sealed = (struct span){0};
    }
    client.credentials = credentials;
    client.credential_count = ARRAY_LEN(credentials);
    assert_status(f, fixture_try_create(f, &client, NULL), INVALID);
    client.credential_count = CREDENTIALS_MAX;
    fixture_create(f, &client);
    struct principal got = fixture_get(f, client.id);
    assert_int_equal(got.credential_count, CREDENTIALS_MAX);
    for (size_t i = 0; i < got.credential_count; i++) {
        assert_true(span_equal(got.credentials[i].id, credentials[i].id));
        assert_int_equal(got.credentials[i].kind, credentials[i].kind);
        assert_int_equal(got.credentials[i].sealed.len, 0);
    }
}

static void what_is_taken_is_a_conflict(void **state)
{
    struct fixture *f = *state;
    struct principal first = fixture_client(f, 1);
    fixture_create(f, &first);
    struct principal same_id = fixture_client(f, 2);
    same_id.id = first.id;
    struct principal same_client_id = fixture_client(f, 3);
    same_client_id.client_id = first.client_id;
    struct principal same_credential = fixture_client(f, 4);
    same_credential.credentials[0].id = first.credentials[0].id;
    struct principal elsewhere = same_client_id;
    elsewhere.account_id = OTHER_ACCOUNT;
    const struct principal *const taken[] = {&same_id, &same_client_id, &same_credential,
                                              &elsewhere};
    size_t audited = fixture_audit_count(f, ACCOUNT);
    size_t heard = f->change_count;
    for (size_t i = 0; i < ARRAY_LEN(taken); i++)
        assert_status(f, fixture_try_create(f, taken[i], NULL), CONFLICT);
    assert_int_equal(fixture_audit_count(f, ACCOUNT), audited);
    assert_int_equal(f->change_count, heard);
    struct principal got;
    assert_status(f,
                  store_principal_get(f->store, PRINCIPAL_APP_CLIENT, ACCOUNT, SPAN("app_4"), &f->arena, &got, &f->err),
                  NOT_FOUND);
}

static void an_account_that_is_not_there_has_no_clients(void **state)
{
    struct fixture *f = *state;
    struct principal client = fixture_client(f, 1);
    client.account_id = SPAN("acc_none");
    assert_status(f, fixture_try_create(f, &client, NULL), INVALID);
}

static void grants_need_corpora_of_the_account(void **state)
{
    struct fixture *f = *state;
    struct corpus mine = fixture_corpus(f, 1);
    struct corpus foreign = fixture_corpus(f, 2);
    foreign.account_id = OTHER_ACCOUNT;
    fixture_create_corpus(f, &mine);
    fixture_create_corpus(f, &foreign);
    struct principal client = fixture_client(f, 1);
    struct corpus_grant grants[] = {grant_on(&mine, CORPUS_ROLE_VIEWER),
                                    grant_on(&foreign, CORPUS_ROLE_VIEWER)};
    client.corpus_grants = grants;
    client.corpus_grant_count = 2;
    assert_status(f, fixture_try_create(f, &client, NULL), INVALID);
    assert_non_null(strstr(f->err.detail, "key-2"));
    client.corpus_grant_count = 1;
    fixture_create(f, &client);
    client.corpus_grant_count = 2;
    client.version++;
    assert_status(f, update_client(f, &client), INVALID);
    assert_int_equal(fixture_get(f, client.id).version, 1);
}

static void another_accounts_client_is_not_found(void **state)
{
    struct fixture *f = *state;
    struct principal client = fixture_client(f, 1);
    fixture_create(f, &client);
    struct principal got;
    assert_status(
        f, store_principal_get(f->store, PRINCIPAL_APP_CLIENT, OTHER_ACCOUNT, client.id, &f->arena, &got, &f->err),
        NOT_FOUND);
    assert_status(f, delete_client(f, OTHER_ACCOUNT, client.id), NOT_FOUND);
    client.account_id = OTHER_ACCOUNT;
    client.version++;
    assert_status(f, update_client(f, &client), NOT_FOUND);
    const struct store_page page = {
        .account_id = OTHER_ACCOUNT, .before_sequence = INT64_MAX, .limit = 10};
    struct principal *clients;
    size_t count = 99;
    bool has_more = true;
    assert_ok(
        f, store_principal_list(f->store, &(struct store_principal_query){.page = page}, &f->arena, &clients, &count, &has_more, &f->err));
    assert_int_equal(count, 0);
    assert_false(has_more);
    assert_int_equal(fixture_get(f, client.id).version, 1);
}

static void find_answers_with_its_snapshot(void **state)
{
    struct fixture *f = *state;
    struct principal client = fixture_client(f, 1);
    fixture_create(f, &client);
    struct principal got;
    int64_t snapshot = 0;
    assert_ok(
        f, store_principal_find(f->store, PRINCIPAL_APP_CLIENT, client.client_id, &f->arena, &got, &snapshot, &f->err));
    assert_span_equal(got.id, "app_1");
    assert_int_equal(got.credential_count, 1);
    assert_int_equal(snapshot, f->revision);
    snapshot = 0;
    assert_status(
        f, store_principal_find(f->store, PRINCIPAL_APP_CLIENT, SPAN("nobody"), &f->arena, &got, &snapshot, &f->err),
        NOT_FOUND);
    assert_int_equal(snapshot, f->revision);
}

static void update_writes_what_may_change_and_no_more(void **state)
{
    struct fixture *f = *state;
    struct corpus corpus = fixture_corpus(f, 1);
    fixture_create_corpus(f, &corpus);
    struct principal client = fixture_client(f, 1);
    client.api_roles = 1u << API_ROLE_OWNER;
    fixture_create(f, &client);
    int64_t sequence = f->revision;

    struct corpus_grant grant = grant_on(&corpus, CORPUS_ROLE_EDITOR);
    struct principal wanted = client;
    wanted.name = SPAN("not taken");
    wanted.client_id = SPAN("not taken");
    wanted.credential_count = 0;
    wanted.description = SPAN("new");
    wanted.has_description = true;
    wanted.is_enabled = false;
    wanted.api_roles = 1u << API_ROLE_VIEWER;
    wanted.corpus_grants = &grant;
    wanted.corpus_grant_count = 1;
    wanted.token_ttl_seconds = 60;
    wanted.version = 2;
    wanted.record_mac = SPAN("new mac");
    wanted.updated_at = 1700000099;
    assert_ok(f, update_client(f, &wanted));
    assert_true(f->revision > sequence);
    assert_string_equal(f->last_kind, "app_client");
    assert_string_equal(f->last_id, "client1");

    struct principal got = fixture_get(f, client.id);
    assert_span_equal(got.name, "Client 1");
    assert_span_equal(got.client_id, "client1");
    assert_span_equal(got.description, "new");
    assert_false(got.is_enabled);
    assert_int_equal(got.api_roles, 1u << API_ROLE_VIEWER);
    assert_int_equal(got.corpus_grant_count, 1);
    assert_int_equal(got.token_ttl_seconds, 60);
    assert_int_equal(got.version, 2);
    assert_span_equal(got.record_mac, "new mac");
    assert_int_equal(got.sequence, sequence);
    assert_int_equal(got.created_at, 1700000001);
    assert_int_equal(got.updated_at, 1700000099);
    assert_int_equal(got.credential_count, 1);
}

static void update_of_another_version_is_a_conflict(void **state)
{
    struct fixture *f = *state;
    struct principal client = fixture_client(f, 1);
    fixture_create(f, &client);
    size_t audited = fixture_audit_count(f, ACCOUNT);
    client.api_roles = 1u << API_ROLE_OWNER;
    client.version = 1; /* not the next */
    assert_status(f, update_client(f, &client), CONFLICT);
    client.version = 3;
    assert_status(f, update_client(f, &client), CONFLICT);
    assert_int_equal(fixture_get(f, client.id).api_roles, 0);
    assert_int_equal(fixture_audit_count(f, ACCOUNT), audited);
    client.version = 2;
    assert_ok(f, update_client(f, &client));
    assert_status(f, update_client(f, &client), CONFLICT); /* of two, one wins */
    client.id = SPAN("app_none");
    assert_status(f, update_client(f, &client), NOT_FOUND);
}

static void delete_takes_all_that_hangs_on_it(void **state)
{
    struct fixture *f = *state;
    struct principal client = fixture_client(f, 1);
    client.api_roles = 1u << API_ROLE_VIEWER;
    fixture_create(f, &client);
    const struct credential_use use = {SPAN("crd_1"), 1, 2, 3, SPAN("::1"), 0};
    assert_ok(f, store_use_add(f->store, &use, 1, &f->err));
    assert_ok(f, delete_client(f, ACCOUNT, client.id));
    assert_string_equal(f->last_id, "client1");
    struct principal got;
    int64_t snapshot;
    assert_status(f, store_principal_get(f->store, PRINCIPAL_APP_CLIENT, ACCOUNT, client.id, &f->arena, &got, &f->err),
                  NOT_FOUND);
    assert_status(
        f, store_principal_find(f->store, PRINCIPAL_APP_CLIENT, client.client_id, &f->arena, &got, &snapshot, &f->err),
        NOT_FOUND);
    struct credential_use found;
    assert_status(f, store_use_get(f->store, SPAN("crd_1"), &f->arena, &found, &f->err), NOT_FOUND);
    assert_status(f, delete_client(f, ACCOUNT, client.id), NOT_FOUND);
    fixture_create(f, &client); /* nothing of it is left in the way */
    assert_int_equal(fixture_get(f, client.id).api_roles, 1u << API_ROLE_VIEWER);
}

/* The MAC covers the grant, so it has to be there when the record is made again. */
static void a_grant_outlives_its_corpus_without_its_key(void **state)
{
    struct fixture *f = *state;
    struct corpus kept = fixture_corpus(f, 1);
    struct corpus doomed = fixture_corpus(f, 2);
    fixture_create_corpus(f, &kept);
    fixture_create_corpus(f, &doomed);
    struct principal client = fixture_client(f, 1);
    struct corpus_grant grants[] = {grant_on(&doomed, CORPUS_ROLE_VIEWER),
                                    grant_on(&kept, CORPUS_ROLE_VIEWER)};
    client.corpus_grants = grants;
    client.corpus_grant_count = 2;
    fixture_create(f, &client);
    assert_ok(f, delete_corpus(f, doomed.key));
    struct principal got = fixture_get(f, client.id);
    assert_int_equal(got.corpus_grant_count, 2);
    assert_span_equal(got.corpus_grants[0].corpus_id, "crp_2");
    assert_int_equal(got.corpus_grants[0].corpus_key.len, 0);
    assert_span_equal(got.corpus_grants[1].corpus_key, "key-1");
    /* The key again, for another corpus: the old grant does not come to life. */
    struct corpus again = fixture_corpus(f, 3);
    again.key = doomed.key;
    fixture_create_corpus(f, &again);
    assert_int_equal(fixture_get(f, client.id).corpus_grants[0].corpus_key.len, 0);
    /* It may stay over an update, but nobody else may get it. */
    got.version++;
    assert_ok(f, update_client(f, &got));
    struct principal other = fixture_client(f, 2);
    other.corpus_grants = grants;
    other.corpus_grant_count = 1;
    assert_status(f, fixture_try_create(f, &other, NULL), INVALID);
    got.version++;
    got.corpus_grants++;
    got.corpus_grant_count = 1;
    assert_ok(f, update_client(f, &got));
    assert_int_equal(fixture_get(f, client.id).corpus_grant_count, 1);
    got.version++;
    got.corpus_grants--;
    got.corpus_grant_count = 2;
    assert_status(f, update_client(f, &got), INVALID); /* once let go, it is gone */
}

static void an_idempotency_key_makes_one_client(void **state)
{
    struct fixture *f = *state;
    const struct store_idempotency key = {SPAN("once"), SPAN("digest-a")};
    const struct store_idempotency other = {SPAN("once"), SPAN("digest-b")};
    struct principal first = fixture_client(f, 1);
    struct principal second = fixture_client(f, 2);
    assert_ok(f, fixture_try_create(f, &first, &key));
    assert_int_equal(f->existing_id.len, 0);
    int64_t revision = f->revision;
    size_t audited = fixture_audit_count(f, ACCOUNT);
    size_t heard = f->change_count;

    assert_ok(f, fixture_try_create(f, &second, &key));
    assert_span_equal(f->existing_id, "app_1");
    assert_int_equal(f->revision, 0);
    assert_int_equal(store_revision(f->store), revision);
    assert_int_equal(fixture_audit_count(f, ACCOUNT), audited);
    assert_int_equal(f->change_count, heard);
    assert_status(f, fixture_try_create(f, &second, &other), CONFLICT);

    second.account_id = OTHER_ACCOUNT; /* keys are an account's own */
    assert_ok(f, fixture_try_create(f, &second, &other));
    assert_int_equal(f->existing_id.len, 0);

    struct corpus corpus = fixture_corpus(f, 1);
    assert_status(f, fixture_try_create_corpus(f, &corpus, &key), CONFLICT);
    fixture_reopen(f);
    assert_ok(f, fixture_try_create(f, &first, &key));
    assert_span_equal(f->existing_id, "app_1");
}

static void an_idempotency_key_is_forgotten_after_a_day(void **state)
{
    struct fixture *f = *state;
    const struct store_idempotency key = {SPAN("once"), SPAN("digest-a")};
    const struct store_idempotency next = {SPAN("next"), SPAN("digest-b")};
    const struct store_idempotency last = {SPAN("last"), SPAN("digest-c")};
    struct principal first = fixture_client(f, 1);
    struct principal second = fixture_client(f, 2);
    struct principal third = fixture_client(f, 3);
    struct principal fourth = fixture_client(f, 4);
    assert_ok(f, fixture_try_create(f, &first, &key));
    second.created_at = first.created_at + 86400;
    assert_ok(f, fixture_try_create(f, &second, &next));
    assert_ok(f, fixture_try_create(f, &fourth, &key));
    assert_span_equal(f->existing_id, "app_1");
    third.created_at = first.created_at + 86401;
    assert_ok(f, fixture_try_create(f, &third, &last));
    fourth.created_at = third.created_at;
    assert_ok(f, fixture_try_create(f, &fourth, &key));
    assert_int_equal(f->existing_id.len, 0);
}

static void a_failed_create_uses_no_idempotency_key(void **state)
{
    struct fixture *f = *state;
    const struct store_idempotency key = {SPAN("once"), SPAN("digest-a")};
    struct principal taken = fixture_client(f, 1);
    fixture_create(f, &taken);
    assert_status(f, fixture_try_create(f, &taken, &key), CONFLICT);
    struct principal client = fixture_client(f, 2);
    assert_ok(f, fixture_try_create(f, &client, &key));
    assert_int_equal(f->existing_id.len, 0);
    char letters[321];
    memset(letters, 'k', sizeof letters);
    const struct store_idempotency longest = {span_of(letters, 320), SPAN("d")};
    const struct store_idempotency too_long = {span_of(letters, 321), SPAN("d")};
    struct principal third = fixture_client(f, 3);
    assert_status(f, fixture_try_create(f, &third, &too_long), INVALID);
    assert_ok(f, fixture_try_create(f, &third, &longest));
}

static void a_small_arena_is_no_memory(void **state)
{
    struct fixture *f = *state;
    struct principal client = fixture_client(f, 1);
    fixture_create(f, &client);
    for (size_t limit = 16; limit < 320; limit += 16) {
        struct arena small;
        arena_init(&small, limit);
        struct principal got;
        enum status status = store_principal_get(f->store, PRINCIPAL_APP_CLIENT, ACCOUNT, client.id, &small, &got, NULL);
        arena_done(&small);
        assert_true(status == NO_MEMORY || status == OK);
        if (limit == 16)
            assert_int_equal(status, NO_MEMORY);
    }
    (void)fixture_get(f, client.id); /* and the connection is none the worse */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(what_is_created_reads_back),
        store_test(no_description_and_an_empty_one_differ),
        store_test(several_credentials_keep_their_order),
        store_test(what_is_taken_is_a_conflict),
        store_test(an_account_that_is_not_there_has_no_clients),
        store_test(grants_need_corpora_of_the_account),
        store_test(another_accounts_client_is_not_found),
        store_test(find_answers_with_its_snapshot),
        store_test(update_writes_what_may_change_and_no_more),
        store_test(update_of_another_version_is_a_conflict),
        store_test(delete_takes_all_that_hangs_on_it),
        store_test(a_grant_outlives_its_corpus_without_its_key),
        store_test(an_idempotency_key_makes_one_client),
        store_test(an_idempotency_key_is_forgotten_after_a_day),
        store_test(a_failed_create_uses_no_idempotency_key),
        store_test(a_small_arena_is_no_memory),
    };
    return RUN_TESTS(tests);
}
