/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_bulk.h"

#include "store_fixture.h"

static void all_are_made_as_if_one_by_one(void **state)
{
    struct fixture *f = *state;
    struct principal clients[30];
    for (unsigned i = 0; i < ARRAY_LEN(clients); i++) {
        clients[i] = fixture_client(f, i);
        clients[i].api_roles = 1u << API_ROLE_VIEWER;
    }
    size_t audited = fixture_audit_count(f, ACCOUNT);
    size_t heard = f->change_count;
    assert_ok(f, store_app_client_create_many(f->store, clients, 0, &f->err));
    assert_ok(f, store_app_client_create_many(f->store, clients, ARRAY_LEN(clients), &f->err));
    assert_int_equal(f->change_count, heard + 1);
    assert_string_equal(f->last_kind, "bulk");
    assert_int_equal(fixture_audit_count(f, ACCOUNT), audited + 1);
    const struct store_page page = {
        .account_id = ACCOUNT, .before_sequence = INT64_MAX, .limit = 100};
    struct principal *listed;
    size_t count;
    bool has_more;
    assert_ok(
        f, store_principal_list(f->store, &(struct store_principal_query){.page = page}, &f->arena, &listed, &count, &has_more, &f->err));
    assert_int_equal(count, 30);
    assert_span_equal(listed[0].id, "app_29");
    assert_span_equal(listed[29].id, "app_0");
    assert_int_equal(listed[0].credential_count, 1);
    assert_true(listed[0].sequence < f->last_change);
    int64_t bulk = f->last_change;
    struct principal next = fixture_client(f, 100);
    fixture_create(f, &next);
    assert_int_equal(f->revision, bulk + 1);
}

static void one_that_is_taken_undoes_all(void **state)
{
    struct fixture *f = *state;
    struct principal clients[] = {fixture_client(f, 1), fixture_client(f, 2),
                                   fixture_client(f, 1)};
    assert_status(f, store_app_client_create_many(f->store, clients, 3, &f->err), CONFLICT);
    struct principal got;
    assert_status(f,
                  store_principal_get(f->store, PRINCIPAL_APP_CLIENT, ACCOUNT, SPAN("app_2"), &f->arena, &got, &f->err),
                  NOT_FOUND);
    assert_ok(f, store_app_client_create_many(f->store, clients, 2, &f->err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(all_are_made_as_if_one_by_one),
        store_test(one_that_is_taken_undoes_all),
    };
    return RUN_TESTS(tests);
}
