/* SPDX-License-Identifier: Apache-2.0 */
#include "store_fixture.h"

static void there_is_none_before_the_first(void **state)
{
    struct fixture *f = *state;
    struct span id;
    assert_status(f, store_account_first(f->store, &f->arena, &id, &f->err), NOT_FOUND);
    fixture_account(f, OTHER_ACCOUNT);
    assert_string_equal(f->last_kind, "account");
    assert_string_equal(f->last_id, "acc_2");
    assert_int_equal(f->last_change, f->revision);
    fixture_account(f, ACCOUNT);
    assert_ok(f, store_account_first(f->store, &f->arena, &id, &f->err));
    assert_span_equal(id, "acc_2"); /* the first, not the least */
    assert_int_equal(fixture_audit_count(f, OTHER_ACCOUNT), 1);
}

static void a_taken_id_is_a_conflict_and_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    fixture_account(f, ACCOUNT);
    const struct principal other = fixture_owner(SPAN("usr_9"), ACCOUNT);
    const struct principal owner = fixture_owner(SPAN("usr_1"), SPAN("acc_9"));
    const struct account_new again = {.account_id = ACCOUNT, .name = SPAN("x"), .owner = &other};
    const struct account_new same_user = {
        .account_id = SPAN("acc_9"), .name = SPAN("x"), .owner = &owner};
    const struct audit_event audit = fixture_audit(AUDIT_ACCOUNT_CREATE, ACCOUNT);
    assert_status(f, store_account_create(f->store, &again, &audit, &f->revision, &f->err),
                  CONFLICT);
    assert_status(f, store_account_create(f->store, &same_user, &audit, &f->revision, &f->err),
                  CONFLICT);
    assert_int_equal(fixture_audit_count(f, ACCOUNT), 1);
    struct principal client = fixture_client(f, 1);
    client.account_id = SPAN("acc_9");
    assert_status(f, fixture_try_create(f, &client, NULL), INVALID);
}

static void its_name_and_token_life_change(void **state)
{
    struct fixture *f = *state;
    fixture_account(f, ACCOUNT);
    fixture_account(f, OTHER_ACCOUNT);
    struct principal client = fixture_client(f, 1);
    fixture_create(f, &client);
    struct account account;
    assert_ok(f, store_account_get(f->store, ACCOUNT, &f->arena, &account, &f->err));
    assert_span_equal(account.name, "Main");
    assert_int_equal(account.token_ttl_seconds, 0);

    account.name = SPAN("Other");
    account.token_ttl_seconds = 300;
    account.version++;
    const struct audit_event audit = fixture_audit(AUDIT_ACCOUNT_UPDATE, ACCOUNT);
    assert_ok(f, store_account_update(f->store, &account, &audit, &f->revision, &f->err));
    assert_string_equal(f->last_kind, "account");
    assert_int_equal(f->last_change, f->revision);
    fixture_reopen(f);
    assert_ok(f, store_account_get(f->store, ACCOUNT, &f->arena, &account, &f->err));
    assert_span_equal(account.name, "Other");
    assert_int_equal(account.token_ttl_seconds, 300);
    assert_ok(f, store_account_get(f->store, OTHER_ACCOUNT, &f->arena, &account, &f->err));
    assert_int_equal(account.token_ttl_seconds, 0);

    struct principal found;
    int64_t snapshot;
    assert_ok(f, store_principal_find(f->store, PRINCIPAL_APP_CLIENT, client.client_id, &f->arena, &found, &snapshot,
                                       &f->err));
    assert_int_equal(found.account_token_ttl_seconds, 300);

    account.id = SPAN("acc_9");
    assert_status(f, store_account_update(f->store, &account, &audit, &f->revision, &f->err),
                  CONFLICT);
    assert_status(f, store_account_get(f->store, SPAN("acc_9"), &f->arena, &account, &f->err),
                  NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        empty_store_test(there_is_none_before_the_first),
        empty_store_test(its_name_and_token_life_change),
        empty_store_test(a_taken_id_is_a_conflict_and_leaves_nothing),
    };
    return RUN_TESTS(tests);
}
