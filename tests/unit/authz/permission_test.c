/* SPDX-License-Identifier: Apache-2.0 */
#include "authz/permission.h"

#include "../unit.h"

/* By hand from the contract's required roles (App Clients, Corpora and Documents API), not from the
 * code's table: rows in the order of enum api_role, columns manage clients, create, read, delete,
 * reset, measure corpora, write documents.
 */
static const bool expected[API_ROLE_COUNT][7] = {
    {true, true, true, true, true, true, true},        /* owner */
    {true, true, true, true, true, true, true},        /* administrator */
    {false, false, false, false, false, false, false}, /* billing_administrator */
    {false, true, true, true, true, true, true},       /* corpus_administrator */
    {false, false, true, false, false, true, true},    /* corpus_developer */
    {false, false, true, false, false, false, false},  /* corpus_viewer */
    {false, false, false, false, false, false, false}, /* agent_administrator */
    {false, false, false, false, false, false, false}, /* agent_developer */
    {false, false, false, false, false, false, false}, /* agent_viewer */
    {false, false, false, false, false, false, false}, /* agent_user */
    {false, false, false, false, false, false, false}, /* pipeline_administrator */
    {false, false, false, false, false, false, false}, /* pipeline_viewer */
    {false, false, true, false, false, false, false},  /* viewer */
};

static const enum permission columns[] = {
    PERMISSION_APP_CLIENT_MANAGE, PERMISSION_CORPUS_CREATE, PERMISSION_CORPUS_READ,
    PERMISSION_CORPUS_DELETE,     PERMISSION_CORPUS_RESET,  PERMISSION_CORPUS_COMPUTE_SIZE,
    PERMISSION_DOCUMENT_WRITE};

static void each_api_role_has_the_contracts_permissions(void **state)
{
    (void)state;
    for (unsigned role = 0; role < API_ROLE_COUNT; role++) {
        const struct caller caller = {.api_roles = 1u << role};
        for (size_t i = 0; i < ARRAY_LEN(columns); i++)
            assert_int_equal(authz_has(&caller, columns[i]), expected[role][i]);
        assert_true(authz_has(&caller, PERMISSION_AUTHENTICATED));
        assert_false(authz_has(&caller, PERMISSION_UNSET));
    }
}

static void corpus_roles_count_on_their_own_corpus_only(void **state)
{
    (void)state;
    const struct corpus_grant grants[] = {
        {.corpus_id = SPAN("crp_1"), .role = CORPUS_ROLE_VIEWER},
        {.corpus_id = SPAN("crp_2"), .role = CORPUS_ROLE_OWNER},
    };
    const struct caller caller = {.corpus_grants = grants, .corpus_grant_count = 2};
    assert_true(authz_has_on_corpus(&caller, PERMISSION_CORPUS_READ, SPAN("crp_1")));
    assert_false(authz_has_on_corpus(&caller, PERMISSION_DOCUMENT_WRITE, SPAN("crp_1")));
    assert_true(authz_has_on_corpus(&caller, PERMISSION_DOCUMENT_WRITE, SPAN("crp_2")));
    assert_true(authz_has_on_corpus(&caller, PERMISSION_CORPUS_RESET, SPAN("crp_2")));
    assert_false(authz_has_on_corpus(&caller, PERMISSION_CORPUS_COMPUTE_SIZE, SPAN("crp_2")));
    assert_false(authz_has_on_corpus(&caller, PERMISSION_CORPUS_DELETE, SPAN("crp_1")));
    assert_true(authz_has_on_corpus(&caller, PERMISSION_CORPUS_DELETE, SPAN("crp_2")));
    assert_false(authz_has_on_corpus(&caller, PERMISSION_CORPUS_READ, SPAN("crp_3")));
    assert_false(authz_has_on_corpus(&caller, PERMISSION_CORPUS_CREATE, SPAN("crp_2")));
}

static void only_owners_grant_owner_and_billing(void **state)
{
    (void)state;
    api_role_set owner = authz_grantable(1u << API_ROLE_OWNER);
    api_role_set administrator = authz_grantable(1u << API_ROLE_ADMINISTRATOR);
    assert_int_equal(owner, (1u << API_ROLE_COUNT) - 1);
    assert_false(administrator & 1u << API_ROLE_OWNER);
    assert_false(administrator & 1u << API_ROLE_BILLING_ADMINISTRATOR);
    assert_true(administrator & 1u << API_ROLE_ADMINISTRATOR);
    assert_true(administrator & 1u << API_ROLE_PIPELINE_VIEWER);
}

static void nobody_grants_more_than_it_holds(void **state)
{
    (void)state;
    for (unsigned role = 0; role < API_ROLE_COUNT; role++) {
        api_role_set grantable = authz_grantable(1u << role);
        assert_true(grantable & 1u << role);
        const struct caller giver = {.api_roles = 1u << role};
        for (unsigned given = 0; given < API_ROLE_COUNT; given++) {
            const struct caller taker = {.api_roles = 1u << given};
            if ((grantable & 1u << given) == 0)
                continue;
            for (size_t i = 0; i < ARRAY_LEN(columns); i++)
                assert_true(authz_has(&giver, columns[i]) || !authz_has(&taker, columns[i]));
        }
    }
    assert_int_equal(authz_grantable(0), 0);
}

static void covers_compares_corpus_roles_by_rank(void **state)
{
    (void)state;
    const struct corpus_grant held[] = {{.corpus_id = SPAN("crp_1"), .role = CORPUS_ROLE_EDITOR}};
    const struct caller caller = {.corpus_grants = held, .corpus_grant_count = 1};
    struct corpus_grant wanted = {.corpus_id = SPAN("crp_1"), .role = CORPUS_ROLE_VIEWER};
    const struct principal target = {.corpus_grants = &wanted, .corpus_grant_count = 1};
    assert_true(authz_covers(&caller, &target));
    wanted.role = CORPUS_ROLE_ADMINISTRATOR;
    assert_false(authz_covers(&caller, &target));
    wanted = (struct corpus_grant){.corpus_id = SPAN("crp_2"), .role = CORPUS_ROLE_VIEWER};
    assert_false(authz_covers(&caller, &target));
    const struct caller administrator = {.api_roles = 1u << API_ROLE_ADMINISTRATOR};
    assert_true(authz_covers(&administrator, &target));
}

static void administrators_do_not_cover_owners(void **state)
{
    (void)state;
    const struct caller administrator = {.api_roles = 1u << API_ROLE_ADMINISTRATOR};
    const struct caller owner = {.api_roles = 1u << API_ROLE_OWNER};
    const struct principal target = {.api_roles = 1u << API_ROLE_OWNER};
    assert_false(authz_covers(&administrator, &target));
    assert_true(authz_covers(&owner, &target));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_api_role_has_the_contracts_permissions),
        cmocka_unit_test(corpus_roles_count_on_their_own_corpus_only),
        cmocka_unit_test(only_owners_grant_owner_and_billing),
        cmocka_unit_test(nobody_grants_more_than_it_holds),
        cmocka_unit_test(covers_compares_corpus_roles_by_rank),
        cmocka_unit_test(administrators_do_not_cover_owners),
    };
    return RUN_TESTS(tests);
}
