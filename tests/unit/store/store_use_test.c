/* SPDX-License-Identifier: Apache-2.0 */
#include "store_fixture.h"

static struct credential_use get(struct fixture *f, struct span id)
{
    struct credential_use use = {0};
    assert_ok(f, store_use_get(f->store, id, &f->arena, &use, &f->err));
    return use;
}

static void batches_add_up(void **state)
{
    struct fixture *f = *state;
    struct principal clients[] = {fixture_client(f, 1), fixture_client(f, 2)};
    fixture_create(f, &clients[0]);
    fixture_create(f, &clients[1]);
    struct credential_use found;
    assert_status(f, store_use_get(f->store, SPAN("crd_1"), &f->arena, &found, &f->err), NOT_FOUND);
    int64_t revision = store_revision(f->store);
    const struct credential_use first[] = {{SPAN("crd_1"), 100, 200, 10, SPAN("192.0.2.1"), 0},
                                           {SPAN("crd_gone"), 1, 1, 1, SPAN("192.0.2.2"), 0},
                                           {SPAN("crd_2"), 150, 150, 1, SPAN("192.0.2.3"), 0}};
    const struct credential_use later[] = {{SPAN("crd_1"), 250, 300, 5, SPAN("::1"), 0}};
    const struct credential_use late[] = {{SPAN("crd_1"), 50, 60, 2, SPAN("::2"), 0}};
    assert_ok(f, store_use_add(f->store, first, ARRAY_LEN(first), &f->err));
    found = get(f, SPAN("crd_1"));
    assert_span_equal(found.credential_id, "crd_1");
    assert_int_equal(found.first_at, 100);
    assert_int_equal(found.last_at, 200);
    assert_int_equal(found.count, 10);
    assert_span_equal(found.last_address, "192.0.2.1");
    assert_ok(f, store_use_add(f->store, later, ARRAY_LEN(later), &f->err));
    assert_ok(f, store_use_add(f->store, late, ARRAY_LEN(late), &f->err));
    assert_ok(f, store_use_add(f->store, NULL, 0, &f->err));
    found = get(f, SPAN("crd_1"));
    assert_int_equal(found.first_at, 50);
    assert_int_equal(found.last_at, 300);
    assert_int_equal(found.count, 17);
    assert_span_equal(found.last_address, "::1");
    assert_int_equal(get(f, SPAN("crd_2")).count, 1);
    assert_status(f, store_use_get(f->store, SPAN("crd_gone"), &f->arena, &found, &f->err),
                  NOT_FOUND);
    assert_int_equal(store_revision(f->store), revision);
}

static void a_secret_in_a_page_is_an_audit_event_once_a_day(void **state)
{
    struct fixture *f = *state;
    struct principal client = fixture_client(f, 1);
    fixture_create(f, &client);
    size_t before = fixture_audit_count(f, ACCOUNT);
    struct credential_use use = {SPAN("crd_1"), 100000, 100000, 0, SPAN("192.0.2.1"), 100000};
    assert_ok(f, store_use_add(f->store, &use, 1, &f->err));
    assert_int_equal(fixture_audit_count(f, ACCOUNT), before + 1);
    assert_int_equal(get(f, SPAN("crd_1")).page_at, 100000);
    assert_int_equal(get(f, SPAN("crd_1")).count, 0);
    use.page_at += 86399;
    assert_ok(f, store_use_add(f->store, &use, 1, &f->err));
    use.page_at = 0; /* an ordinary use says nothing of pages */
    assert_ok(f, store_use_add(f->store, &use, 1, &f->err));
    assert_int_equal(fixture_audit_count(f, ACCOUNT), before + 1);
    assert_int_equal(get(f, SPAN("crd_1")).page_at, 186399);
    use.page_at = 186399 + 86400;
    assert_ok(f, store_use_add(f->store, &use, 1, &f->err));
    assert_int_equal(fixture_audit_count(f, ACCOUNT), before + 2);
    use.credential_id = SPAN("crd_gone");
    assert_ok(f, store_use_add(f->store, &use, 1, &f->err));
    assert_int_equal(fixture_audit_count(f, ACCOUNT), before + 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {store_test(batches_add_up),
                                       store_test(a_secret_in_a_page_is_an_audit_event_once_a_day)};
    return RUN_TESTS(tests);
}
