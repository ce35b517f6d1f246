/* SPDX-License-Identifier: Apache-2.0 */
/* What the corpora's handlers refuse before they ask the store: there is none here. */
#include "api/api_corpus.h"

#include "../exchange_fixture.h"

#include "authz/permission.h"
#include "web/route.h"

static const struct route route = {.path = SPAN_INIT("/v2/corpora"),
                                   .permission = PERMISSION_CORPUS_READ};

struct corpus_fixture {
    struct exchange_fixture f;
    struct caller caller;
};

static void open_corpora(struct corpus_fixture *c, enum http_method method)
{
    fixture_open(&c->f, method, "/v2/corpora");
    c->caller = (struct caller){.account_id = SPAN("acc_1"), .api_roles = 1u << API_ROLE_OWNER};
    c->f.x.caller = &c->caller;
    c->f.x.route = &route;
    c->f.app.cursor_key = SPAN("0123456789abcdef0123456789abcdef");
}

static void bodies_that_cannot_be_read_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        const char *body;
        int status;
        const char *says;
    } cases[] = {
        {"text/plain", "{\"key\":\"k\"}", 415, "application/json"},
        {"application/json-patch+json", "{\"key\":\"k\"}", 415, "application/json"},
        {"application/x-www-form-urlencoded", "key=k", 415, "application/json"},
        {"application/json", "", 400, "field_errors"},
        {"application/json", "[]", 400, "must be a JSON object"},
        {"application/json", "null", 400, "must be a JSON object"},
        {"application/json", "{\"key\":\"k\"", 400, "field_errors"},
        {"application/json", "{\"key\":\"k\",\"key\":\"l\"}", 400, "field_errors"},
        {"application/json", "{\"key\":\"k\"} x", 400, "field_errors"},
        {"application/json", "{}", 400, "\"key\":\"is required\""},
        {"APPLICATION/JSON ; charset=utf-8", "{\"key\":\"!\",\"save_history\":3}", 400,
         "\"save_history\":"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct corpus_fixture c;
        open_corpora(&c, HTTP_POST);
        fixture_body(&c.f, cases[i].type, cases[i].body);
        api_corpus_create(&c.f.x);
        assert_int_equal(c.f.x.reply.status, cases[i].status);
        assert_true(fixture_reply_has(&c.f, cases[i].says));
        fixture_close(&c.f);
    }
}

static void list_parameters_that_are_wrong_are_400_with_their_name(void **state)
{
    (void)state;
    static const struct {
        const char *query;
        const char *field;
    } cases[] = {
        {"limit=0", "\"limit\":"},
        {"page_key=zzz", "\"page_key\":"},
        {"filter=(", "\"filter\":"},
        {"corpus_id=crp_1&corpus_id=1", "\"corpus_id\":"},
        {"corpus_id=", "\"corpus_id\":"},
        {"corpus_id=crp_", "\"corpus_id\":"},
        {"corpus_id=crp_-1", "\"corpus_id\":"},
        {"corpus_id=crp_9223372036854775808", "\"corpus_id\":"},
        {"filter=%zz", "messages"},
        {"filter=%ff", "messages"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct corpus_fixture c;
        open_corpora(&c, HTTP_GET);
        c.f.x.query = span_cstr(cases[i].query);
        api_corpus_list(&c.f.x);
        if (c.f.x.reply.status != 400)
            print_error("%s\n", cases[i].query);
        assert_int_equal(c.f.x.reply.status, 400);
        assert_true(fixture_reply_has(&c.f, cases[i].field));
        fixture_close(&c.f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_that_cannot_be_read_are_refused),
        cmocka_unit_test(list_parameters_that_are_wrong_are_400_with_their_name),
    };
    return RUN_TESTS(tests);
}
