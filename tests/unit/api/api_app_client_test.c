/* SPDX-License-Identifier: Apache-2.0 */
/* What creating a client refuses before it asks store or signer: there are none here. */
#include "api/api_app_client.h"

#include "../exchange_fixture.h"

#include "authz/permission.h"

struct client_fixture {
    struct exchange_fixture f;
    struct caller caller;
};

static void create(struct client_fixture *c, api_role_set held, const char *body)
{
    fixture_open(&c->f, HTTP_POST, "/v2/app_clients");
    c->caller = (struct caller){.account_id = SPAN("acc_1"), .api_roles = held};
    c->f.x.caller = &c->caller;
    fixture_body(&c->f, "application/json", body);
    api_app_client_create(&c->f.x);
}

#define BODY(members) "{\"name\":\"a\",\"type\":\"client_credentials\"" members "}"

/* Rule R7: nobody hands on more than it holds. */
static void roles_above_the_callers_own_are_403(void **state)
{
    (void)state;
    static const struct {
        enum api_role held;
        const char *body;
    } cases[] = {
        {API_ROLE_ADMINISTRATOR, BODY(",\"api_roles\":[\"owner\"]")},
        {API_ROLE_ADMINISTRATOR, BODY(",\"api_roles\":[\"viewer\",\"billing_administrator\"]")},
        {API_ROLE_CORPUS_ADMINISTRATOR, BODY(",\"api_roles\":[\"viewer\"]")},
        {API_ROLE_CORPUS_ADMINISTRATOR,
         BODY(",\"agent_roles\":[{\"agent_key\":\"a\",\"role\":\"agent_user\"}]")},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct client_fixture c;
        create(&c, 1u << cases[i].held, cases[i].body);
        assert_int_equal(c.f.x.reply.status, 403);
        assert_true(fixture_reply_has(&c.f, "above the caller's own"));
        fixture_close(&c.f);
    }
}

static void wrong_bodies_are_400_with_every_field_that_is_wrong(void **state)
{
    (void)state;
    struct client_fixture c;
    create(&c, 1u << API_ROLE_OWNER, "{\"type\":\"x\",\"api_roles\":[\"boss\"],\"secret\":1}");
    assert_int_equal(c.f.x.reply.status, 400);
    static const char *const fields[] = {
        "\"name\":", "\"type\":", "\"api_roles[0]\":", "\"secret\":"};
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        assert_true(fixture_reply_has(&c.f, fields[i]));
    assert_false(fixture_reply_has(&c.f, "boss")); /* input is not echoed */
    fixture_close(&c.f);
}

static void a_wrong_idempotency_key_is_400(void **state)
{
    (void)state;
    struct exchange_fixture f;
    fixture_open(&f, HTTP_POST, "/v2/app_clients");
    struct caller caller = {.api_roles = 1u << API_ROLE_OWNER};
    f.x.caller = &caller;
    fixture_body(&f, "application/json", BODY(""));
    fixture_header(&f, "Idempotency-Key", "");
    api_app_client_create(&f.x);
    assert_int_equal(f.x.reply.status, 400);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roles_above_the_callers_own_are_403),
        cmocka_unit_test(wrong_bodies_are_400_with_every_field_that_is_wrong),
        cmocka_unit_test(a_wrong_idempotency_key_is_400),
    };
    return RUN_TESTS(tests);
}
