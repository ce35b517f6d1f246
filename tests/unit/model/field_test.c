/* SPDX-License-Identifier: Apache-2.0 */
#include "model/field.h"

#include "../unit.h"

#include "base/arena.h"
#include "codec/json.h"
#include "model/principal.h"

#define AT(member) offsetof(struct principal, member)

static const struct field fields[] = {
    {.name = SPAN_INIT("id"), .type = FIELD_TEXT, .flags = FIELD_OUT, .offset = AT(id)},
    {.name = SPAN_INIT("name"),
     .type = FIELD_TEXT,
     .flags = FIELD_OUT | FIELD_CREATE | FIELD_REQUIRED,
     .offset = AT(name),
     .len_max = 8},
    {.name = SPAN_INIT("description"),
     .type = FIELD_LONG_TEXT,
     .flags = FIELD_OUT_FILLED | FIELD_CREATE | FIELD_UPDATE,
     .offset = AT(description),
     .presence_offset = AT(has_description),
     .len_max = 64},
    {.name = SPAN_INIT("enabled"),
     .type = FIELD_BOOL,
     .flags = FIELD_UPDATE,
     .offset = AT(is_enabled)},
    {.name = SPAN_INIT("api_roles"),
     .type = FIELD_API_ROLES,
     .flags = FIELD_OUT | FIELD_CREATE,
     .offset = AT(api_roles)},
    {.name = SPAN_INIT("corpus_roles"),
     .type = FIELD_CORPUS_ROLES,
     .flags = FIELD_OUT | FIELD_CREATE,
     .offset = AT(corpus_grants),
     .presence_offset = AT(corpus_grant_count)},
};

struct reading {
    struct arena arena;
    struct principal client;
    struct problems problems;
    uint32_t seen;
    enum status status;
};

static void read_text(struct reading *r, enum field_flag flag, const char *text)
{
    *r = (struct reading){0};
    AUTO(json) json_t *body = NULL;
    arena_init(&r->arena, 1 << 20);
    r->problems.arena = &r->arena;
    assert_int_equal(json_parse(span_cstr(text), &json_limits_default, &body, NULL), OK);
    r->status = fields_read(fields, ARRAY_LEN(fields), flag, body, &r->arena, &r->client, &r->seen,
                            &r->problems);
}

static bool has_problem(const struct reading *r, const char *field)
{
    for (size_t i = 0; i < r->problems.count; i++) {
        if (span_equal(r->problems.items[i].field, span_cstr(field)))
            return true;
    }
    return false;
}

static void a_good_body_fills_the_struct(void **state)
{
    (void)state;
    struct reading r;
    read_text(
        &r, FIELD_CREATE,
        "{\"name\":\"crm\",\"description\":\"two\\nlines\",\"api_roles\":[\"viewer\",\"owner\"],"
        "\"corpus_roles\":[{\"corpus_key\":\"k\",\"role\":\"editor\"}]}");
    assert_int_equal(r.status, OK);
    assert_span_equal(r.client.name, "crm");
    assert_true(r.client.has_description);
    assert_int_equal(r.client.api_roles, 1u << API_ROLE_VIEWER | 1u << API_ROLE_OWNER);
    assert_int_equal(r.client.corpus_grant_count, 1);
    assert_span_equal(r.client.corpus_grants[0].corpus_key, "k");
    assert_int_equal(r.client.corpus_grants[0].role, CORPUS_ROLE_EDITOR);
    assert_int_equal(r.seen, 2 | 4 | 16 | 32);
    arena_done(&r.arena);
}

static void each_wrong_body_names_its_field(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        const char *field;
    } cases[] = {
        {"{}", "name"},
        {"{\"name\":null}", "name"},
        {"{\"name\":\"\"}", "name"},
        {"{\"name\":7}", "name"},
        {"{\"name\":\"too long to be one\"}", "name"},
        {"{\"name\":\"a\\u202eb\"}", "name"},
        {"{\"name\":\"a\\nb\"}", "name"},
        {"{\"name\":\"a\",\"description\":\"\\u0007\"}", "description"},
        {"{\"name\":\"a\",\"id\":\"app_1\"}", "id"},
        {"{\"name\":\"a\",\"enabled\":true}", "enabled"},
        {"{\"name\":\"a\",\"account_id\":\"acc_other\"}", "account_id"},
        {"{\"name\":\"a\",\"api_roles\":\"owner\"}", "api_roles"},
        {"{\"name\":\"a\",\"api_roles\":[\"owner\",\"root\"]}", "api_roles[1]"},
        {"{\"name\":\"a\",\"api_roles\":[1]}", "api_roles[0]"},
        {"{\"name\":\"a\",\"corpus_roles\":[{}]}", "corpus_roles[0]"},
        {"{\"name\":\"a\",\"corpus_roles\":[{\"corpus_key\":\"!\",\"role\":\"editor\"}]}",
         "corpus_roles[0]"},
        {"{\"name\":\"a\",\"corpus_roles\":[{\"corpus_key\":\"k\",\"role\":\"boss\"}]}",
         "corpus_roles[0]"},
        {"{\"name\":\"a\",\"corpus_roles\":[{\"corpus_key\":\"k\",\"role\":\"editor\",\"x\":1}]}",
         "corpus_roles[0]"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct reading r;
        read_text(&r, FIELD_CREATE, cases[i].body);
        assert_int_equal(r.status, INVALID);
        assert_true(has_problem(&r, cases[i].field));
        arena_done(&r.arena);
    }
}

static void an_update_leaves_what_it_does_not_name(void **state)
{
    (void)state;
    struct reading r;
    read_text(&r, FIELD_UPDATE, "{\"enabled\":true,\"description\":null}");
    assert_int_equal(r.status, OK);
    assert_true(r.client.is_enabled);
    assert_false(r.client.has_description);
    arena_done(&r.arena);
    read_text(&r, FIELD_UPDATE, "{\"name\":\"b\"}");
    assert_int_equal(r.status, INVALID);
    arena_done(&r.arena);
}

static void more_roles_than_the_limit_are_refused(void **state)
{
    (void)state;
    static char body[8192] = "{\"name\":\"a\",\"api_roles\":[\"viewer\"";
    size_t len = strlen(body);
    for (int i = 0; i < GRANTS_MAX; i++) {
        memcpy(body + len, ",\"viewer\"", 9);
        len += 9;
    }
    memcpy(body + len, "]}", 3);
    struct reading r;
    read_text(&r, FIELD_CREATE, body);
    assert_int_equal(r.status, INVALID);
    assert_true(has_problem(&r, "api_roles"));
    arena_done(&r.arena);
}

static void writing_leaves_out_what_is_empty_or_gone(void **state)
{
    (void)state;
    struct buf text AUTO(buf);
    struct json_writer writer;
    struct corpus_grant grants[] = {{.corpus_key = SPAN("k"), .role = CORPUS_ROLE_VIEWER},
                                    {.corpus_id = SPAN("crp_1"), .role = CORPUS_ROLE_OWNER}};
    const struct principal client = {.id = SPAN("app_1"),
                                      .name = SPAN("a"),
                                      .api_roles = 1u << API_ROLE_VIEWER,
                                      .corpus_grants = grants,
                                      .corpus_grant_count = 2};
    buf_init(&text, 4096);
    json_writer_init(&writer, &text);
    json_object_open(&writer);
    fields_write(fields, ARRAY_LEN(fields), &client, &writer);
    json_object_close(&writer);
    assert_span_equal(buf_span(&text),
                      "{\"id\":\"app_1\",\"name\":\"a\",\"api_roles\":[\"viewer\"],"
                      "\"corpus_roles\":[{\"corpus_key\":\"k\",\"role\":\"viewer\"}]}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_body_fills_the_struct),
        cmocka_unit_test(each_wrong_body_names_its_field),
        cmocka_unit_test(an_update_leaves_what_it_does_not_name),
        cmocka_unit_test(more_roles_than_the_limit_are_refused),
        cmocka_unit_test(writing_leaves_out_what_is_empty_or_gone),
    };
    return RUN_TESTS(tests);
}
