/* SPDX-License-Identifier: Apache-2.0 */
#include "model/role.h"

#include "base/attr.h"
#include "model/principal.h"
#include "../unit.h"

struct table {
    const struct span *names;
    size_t count;
};

static const struct table tables[] = {
    {api_role_names, API_ROLE_COUNT},
    {corpus_role_names, CORPUS_ROLE_COUNT},
    {agent_role_names, AGENT_ROLE_COUNT},
    {principal_credential_kinds, CREDENTIAL_KIND_COUNT},
};

static void every_name_is_there_once_and_found(void **state)
{
    (void)state;
    for (size_t t = 0; t < ARRAY_LEN(tables); t++) {
        for (size_t i = 0; i < tables[t].count; i++) {
            size_t found = SIZE_MAX;
            assert_true(tables[t].names[i].len > 0);
            assert_true(role_find(tables[t].names, tables[t].count, tables[t].names[i], &found));
            assert_int_equal(found, i); /* the first of two equal names would be found for both */
        }
    }
}

static void names_are_the_contracts(void **state)
{
    (void)state;
    assert_span_equal(api_role_names[API_ROLE_OWNER], "owner");
    assert_span_equal(api_role_names[API_ROLE_CORPUS_DEVELOPER], "corpus_developer");
    assert_span_equal(api_role_names[API_ROLE_VIEWER], "viewer");
    assert_span_equal(corpus_role_names[CORPUS_ROLE_EDITOR], "editor");
    assert_span_equal(agent_role_names[AGENT_ROLE_USER], "agent_user");
    assert_span_equal(principal_credential_kinds[CREDENTIAL_FEDERATED], "federated");
}

static void other_names_are_not_found(void **state)
{
    (void)state;
    size_t found = 77;
    assert_false(role_find(api_role_names, API_ROLE_COUNT, SPAN("Owner"), &found));
    assert_false(role_find(api_role_names, API_ROLE_COUNT, SPAN("own"), &found));
    assert_false(role_find(api_role_names, API_ROLE_COUNT, SPAN(""), &found));
    assert_false(role_find(api_role_names, 0, SPAN("owner"), &found));
    assert_false(role_find(agent_role_names, AGENT_ROLE_COUNT, SPAN("owner"), &found));
    assert_int_equal(found, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_is_there_once_and_found),
        cmocka_unit_test(names_are_the_contracts),
        cmocka_unit_test(other_names_are_not_found),
    };
    return RUN_TESTS(tests);
}
