/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_app_client_fields.h"

#include "model/principal.h"

#include "fields_fixture.h"

static const struct table table = {app_client_fields, APP_CLIENT_FIELD_COUNT};

static void read_client(struct reading *r, enum field_flag flag, const char *body,
                        struct principal *client)
{
    *client = (struct principal){0};
    reading_open(r, &table, flag, body, client);
}

static void a_create_body_fills_the_client(void **state)
{
    (void)state;
    struct reading r;
    struct principal client;
    read_client(&r, FIELD_CREATE,
                "{'name':'crm','type':'client_credentials','description':'',"
                "'api_roles':['owner','owner','viewer'],"
                "'corpus_roles':[{'corpus_key':'k','role':'editor'},"
                "{'role':'viewer','corpus_key':'k'}],"
                "'agent_roles':[{'agent_key':'agt_1','role':'agent_user'}]}",
                &client);
    assert_int_equal(r.status, OK);
    assert_span_equal(client.name, "crm");
    assert_true(client.has_description);
    assert_int_equal(client.api_roles, 1u << API_ROLE_OWNER | 1u << API_ROLE_VIEWER);
    assert_int_equal(client.corpus_grant_count, 2);
    assert_int_equal(client.corpus_grants[0].role, CORPUS_ROLE_EDITOR);
    assert_int_equal(client.corpus_grants[1].role, CORPUS_ROLE_VIEWER);
    assert_int_equal(client.corpus_grants[1].corpus_id.len, 0); /* bound by the handler */
    assert_int_equal(client.agent_grant_count, 1);
    assert_span_equal(client.agent_grants[0].agent_key, "agt_1");
    assert_int_equal(client.agent_grants[0].role, AGENT_ROLE_USER);
    reading_close(&r);
}

#define CREATE(members) "{'name':'a','type':'client_credentials'," members "}"

static void each_wrong_create_body_names_its_field(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        const char *field;
    } cases[] = {
        {CREATE("'token_ttl_seconds':-1"), "token_ttl_seconds"},
        {CREATE("'token_ttl_seconds':86401"), "token_ttl_seconds"},
        {CREATE("'token_ttl_seconds':60.5"), "token_ttl_seconds"},
        {CREATE("'token_ttl_seconds':'60'"), "token_ttl_seconds"},
        {"{}", "name"},
        {"{}", "type"},
        {"{'name':'a'}", "type"},
        {"{'name':'a','type':null}", "type"},
        {"{'name':'a','type':''}", "type"},
        {"{'name':'a','type':7}", "type"},
        {"{'name':'a','type':'Client_Credentials'}", "type"},
        {"{'name':'a','type':'authorization_code'}", "type"},
        {"{'type':'client_credentials','name':'\\u200b'}", "name"},
        {CREATE("'id':'app_1'"), "id"},
        {CREATE("'client_id':'x'"), "client_id"},
        {CREATE("'client_secret':'x'"), "client_secret"},
        {CREATE("'account_id':'acc_2'"), "account_id"},
        {CREATE("'enabled':true"), "enabled"},
        {CREATE("'api_roles':{}"), "api_roles"},
        {CREATE("'api_roles':'owner'"), "api_roles"},
        {CREATE("'api_roles':['Owner']"), "api_roles[0]"},
        {CREATE("'api_roles':['owner',null]"), "api_roles[1]"},
        {CREATE("'corpus_roles':['k']"), "corpus_roles[0]"},
        {CREATE("'corpus_roles':[{'corpus_key':'k'}]"), "corpus_roles[0]"},
        {CREATE("'corpus_roles':[{'role':'owner'}]"), "corpus_roles[0]"},
        {CREATE("'corpus_roles':[{'corpus_key':'k','role':null}]"), "corpus_roles[0]"},
        {CREATE("'corpus_roles':[{'corpus_key':'k','role':'agent_user'}]"), "corpus_roles[0]"},
        {CREATE("'corpus_roles':[{'corpus_key':'','role':'owner'}]"), "corpus_roles[0]"},
        {CREATE("'corpus_roles':[{'agent_key':'k','role':'owner'}]"), "corpus_roles[0]"},
        {CREATE("'agent_roles':[{'agent_key':'k','role':'owner'}]"), "agent_roles[0]"},
        {CREATE("'agent_roles':[{'agent_key':'a b','role':'agent_user'}]"), "agent_roles[0]"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct reading r;
        struct principal client;
        read_client(&r, FIELD_CREATE, cases[i].body, &client);
        if (r.status != INVALID || reading_problem(&r, cases[i].field).len == 0)
            print_error("%s\n", cases[i].body);
        assert_int_equal(r.status, INVALID);
        assert_true(reading_problem(&r, cases[i].field).len > 0);
        reading_close(&r);
    }
}

/* What a client is cannot be changed, only what it is called and what it may do. */
static void an_update_takes_description_and_roles_only(void **state)
{
    (void)state;
    static const char *const refused[] = {"id", "name", "type", "client_id", "x"};
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        char body[64];
        struct reading r;
        struct principal client;
        (void)snprintf(body, sizeof body, "{'%s':'client_credentials'}", refused[i]);
        read_client(&r, FIELD_UPDATE, body, &client);
        assert_int_equal(r.status, INVALID);
        assert_span_equal(reading_problem(&r, refused[i]), "cannot be set by an update");
        reading_close(&r);
    }
    struct reading r;
    struct principal client;
    read_client(&r, FIELD_UPDATE, "{'description':'d','api_roles':[],'corpus_roles':[]}", &client);
    assert_int_equal(r.status, OK);
    assert_span_equal(client.description, "d");
    reading_close(&r);
}

static void an_update_leaves_what_it_does_not_name(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "{}", "{'description':null,'api_roles':null,'corpus_roles':null,'agent_roles':null}"};
    struct corpus_grant grant = {.corpus_id = SPAN("crp_1"), .role = CORPUS_ROLE_OWNER};
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct principal client = {.description = SPAN("old"),
                                    .has_description = true,
                                    .api_roles = 5,
                                    .corpus_grants = &grant,
                                    .corpus_grant_count = 1};
        struct reading r;
        reading_open(&r, &table, FIELD_UPDATE, bodies[i], &client);
        assert_int_equal(r.status, OK);
        assert_int_equal(r.seen, 0);
        assert_span_equal(client.description, "old");
        assert_int_equal(client.api_roles, 5);
        assert_ptr_equal(client.corpus_grants, &grant);
        reading_close(&r);
    }
}

/* More problems than are told are still problems. */
static void many_wrong_grants_are_one_refusal(void **state)
{
    (void)state;
    struct buf body AUTO(buf);
    struct reading r;
    struct principal client;
    buf_init(&body, 1 << 16);
    buf_printf(&body, "{'name':'a','type':'client_credentials','corpus_roles':[");
    for (int i = 0; i < 100; i++)
        buf_printf(&body, "%s{'corpus_key':'k','role':'boss'}", i > 0 ? "," : "");
    buf_printf(&body, "]}");
    buf_byte(&body, '\0');
    read_client(&r, FIELD_CREATE, body.data, &client);
    assert_int_equal(r.status, INVALID);
    assert_int_equal(r.problems.count, PROBLEMS_MAX);
    reading_close(&r);
}

static void grants_have_a_limit_on_their_number(void **state)
{
    (void)state;
    static const char *const names[] = {"api_roles", "corpus_roles", "agent_roles"};
    static const char *const values[] = {"'viewer'", "{'corpus_key':'k','role':'viewer'}",
                                         "{'agent_key':'k','role':'agent_user'}"};
    for (size_t kind = 0; kind < ARRAY_LEN(names); kind++) {
        for (int count = GRANTS_MAX; count <= GRANTS_MAX + 1; count++) {
            struct buf body AUTO(buf);
            struct reading r;
            struct principal client;
            buf_init(&body, 1 << 16);
            buf_printf(&body, "{'name':'a','type':'client_credentials','%s':[", names[kind]);
            for (int i = 0; i < count; i++)
                buf_printf(&body, "%s%s", i > 0 ? "," : "", values[kind]);
            buf_printf(&body, "]}");
            buf_byte(&body, '\0');
            read_client(&r, FIELD_CREATE, body.data, &client);
            assert_int_equal(r.status, count == GRANTS_MAX ? OK : INVALID);
            reading_close(&r);
        }
    }
}

/* Neither internal ids, nor grants on corpora that are gone, nor the secret. */
static void what_is_written_has_the_names_of_the_contract(void **state)
{
    (void)state;
    struct corpus_grant corpora[] = {
        {.corpus_id = SPAN("crp_1"), .role = CORPUS_ROLE_OWNER},
        {.corpus_id = SPAN("crp_2"), .corpus_key = SPAN("k"), .role = CORPUS_ROLE_VIEWER},
    };
    struct agent_grant agents[] = {{.agent_key = SPAN("agt_1"), .role = AGENT_ROLE_USER}};
    const struct principal client = {
        .id = SPAN("app_1"),
        .account_id = SPAN("acc_1"),
        .client_id = SPAN("abc"),
        .name = SPAN("crm"),
        .api_roles = 1u << API_ROLE_VIEWER | 1u << API_ROLE_OWNER,
        .corpus_grants = corpora,
        .corpus_grant_count = 2,
        .agent_grants = agents,
        .agent_grant_count = 1,
        .record_mac = SPAN("mac"),
    };
    struct buf text AUTO(buf);
    reading_written(&table, &client, &text);
    assert_string_equal(text.data,
                        "{\"id\":\"app_1\",\"name\":\"crm\",\"client_id\":\"abc\","
                        "\"api_roles\":[\"owner\",\"viewer\"],"
                        "\"corpus_roles\":[{\"corpus_key\":\"k\",\"role\":\"viewer\"}],"
                        "\"agent_roles\":[{\"agent_key\":\"agt_1\",\"role\":\"agent_user\"}],\"enabled\":false}");
}

static void without_memory_no_wrong_body_is_taken(void **state)
{
    (void)state;
    struct principal client = {0};
    reading_without_memory(&table, CREATE("'description':7"), &client);
    reading_without_memory(&table, CREATE("'api_roles':['boss']"), &client);
    reading_without_memory(&table, CREATE("'agent_roles':[{}]"), &client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_create_body_fills_the_client),
        cmocka_unit_test(each_wrong_create_body_names_its_field),
        cmocka_unit_test(an_update_takes_description_and_roles_only),
        cmocka_unit_test(an_update_leaves_what_it_does_not_name),
        cmocka_unit_test(many_wrong_grants_are_one_refusal),
        cmocka_unit_test(grants_have_a_limit_on_their_number),
        cmocka_unit_test(what_is_written_has_the_names_of_the_contract),
        cmocka_unit_test(without_memory_no_wrong_body_is_taken),
    };
    return RUN_TESTS(tests);
}
