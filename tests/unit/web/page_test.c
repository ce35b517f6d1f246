/* SPDX-License-Identifier: Apache-2.0 */
#include "web/page.h"

#include "../exchange_fixture.h"

#include "authz/permission.h"
#include "web/route.h"

static const struct route list_route = {.path = SPAN_INIT("/v2/things")};
static const struct route other_route = {.path = SPAN_INIT("/v2/others")};

struct page_fixture {
    struct exchange_fixture f;
    struct caller caller;
};

static void open_list(struct page_fixture *p, const char *query)
{
    fixture_open(&p->f, HTTP_GET, "/v2/things");
    p->caller = (struct caller){.account_id = SPAN("acc_1")};
    p->f.app.cursor_key = SPAN("0123456789abcdef0123456789abcdef");
    p->f.x.caller = &p->caller;
    p->f.x.route = &list_route;
    p->f.x.query = span_cstr(query);
}

static enum status read_page(struct page_fixture *p, struct page *page)
{
    struct form form;
    assert_int_equal(form_parse(p->f.x.query, &p->f.x.arena, &form, NULL), OK);
    return page_read(&p->f.x, &form, page);
}

static void without_parameters_the_defaults_hold(void **state)
{
    (void)state;
    struct page_fixture p;
    struct page page;
    open_list(&p, "");
    assert_int_equal(read_page(&p, &page), OK);
    assert_int_equal(page.limit, 10);
    assert_true(page.before_sequence == INT64_MAX);
    fixture_close(&p.f);
}

/* Clients send what they leave empty. */
static void empty_parameters_are_absent_ones(void **state)
{
    (void)state;
    static const char *const queries[] = {"limit=", "limit=&page_key=&filter=", "limit&page_key",
                                          "limit=10&limit="};
    for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
        struct page_fixture p;
        struct page page;
        open_list(&p, queries[i]);
        assert_int_equal(read_page(&p, &page), OK);
        assert_int_equal(page.limit, 10);
        assert_int_equal(page.filter.len, 0);
        assert_true(page.before_sequence == INT64_MAX);
        assert_int_equal(p.f.x.reply.status, 0);
        fixture_close(&p.f);
    }
}

static void wrong_parameters_are_400_with_their_name(void **state)
{
    (void)state;
    static const struct {
        const char *query;
        const char *field;
    } cases[] = {
        {"limit=0", "limit"},
        {"limit=101", "limit"},
        {"limit=-1", "limit"},
        {"limit=ten", "limit"},
        {"limit=1&limit=2", "limit"},
        {"limit=1000000000", "limit"},
        {"page_key=x", "page_key"},
        {"page_key=AAAA", "page_key"},
        {"page_key=a&page_key=b", "page_key"},
        {"filter=a&filter=b", "filter"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct page_fixture p;
        struct page page;
        char field[32];
        open_list(&p, cases[i].query);
        assert_int_equal(read_page(&p, &page), INVALID);
        assert_int_equal(p.f.x.reply.status, 400);
        (void)snprintf(field, sizeof field, "\"%s\":", cases[i].field);
        assert_true(fixture_reply_has(&p.f, field));
        fixture_close(&p.f);
    }
}

static void a_page_key_is_read_back_for_its_own_list_only(void **state)
{
    (void)state;
    struct page_fixture p;
    int64_t sequence = 0;
    open_list(&p, "");
    struct span key = page_key_make(&p.f.x, SPAN("f"), 1234567890123);
    assert_int_equal(page_key_read(&p.f.x, SPAN("f"), key, &sequence), OK);
    assert_true(sequence == 1234567890123);
    assert_int_equal(page_key_read(&p.f.x, SPAN("g"), key, &sequence), INVALID);
    p.f.x.route = &other_route;
    assert_int_equal(page_key_read(&p.f.x, SPAN("f"), key, &sequence), INVALID);
    p.f.x.route = &list_route;
    p.caller.account_id = SPAN("acc_2");
    assert_int_equal(page_key_read(&p.f.x, SPAN("f"), key, &sequence), INVALID);
    p.caller.account_id = SPAN("acc_1");
    p.f.app.cursor_key = SPAN("another key of the same length!!");
    assert_int_equal(page_key_read(&p.f.x, SPAN("f"), key, &sequence), INVALID);
    fixture_close(&p.f);
}

static void every_altered_page_key_is_refused(void **state)
{
    (void)state;
    struct page_fixture p;
    open_list(&p, "");
    struct span key = page_key_make(&p.f.x, SPAN(""), 42);
    for (size_t i = 0; i < key.len; i++) {
        int64_t sequence;
        struct span altered = arena_copy(&p.f.x.arena, key);
        ((char *)(uintptr_t)altered.ptr)[i] = key.ptr[i] == 'A' ? 'B' : 'A';
        assert_int_equal(page_key_read(&p.f.x, SPAN(""), altered, &sequence), INVALID);
        assert_int_equal(page_key_read(&p.f.x, SPAN(""), span_first(key, i), &sequence), INVALID);
    }
    fixture_close(&p.f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_parameters_the_defaults_hold),
        cmocka_unit_test(empty_parameters_are_absent_ones),
        cmocka_unit_test(wrong_parameters_are_400_with_their_name),
        cmocka_unit_test(a_page_key_is_read_back_for_its_own_list_only),
        cmocka_unit_test(every_altered_page_key_is_refused),
    };
    return RUN_TESTS(tests);
}
