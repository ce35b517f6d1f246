/* SPDX-License-Identifier: Apache-2.0 */
#include "store_fixture.h"

static void a_fact_is_kept_and_replaced(void **state)
{
    struct fixture *f = *state;
    struct span value;
    assert_status(f, store_meta_get(f->store, SPAN("issuer"), &f->arena, &value, &f->err),
                  NOT_FOUND);
    assert_ok(f, store_meta_set(f->store, SPAN("issuer"), SPAN("a\0b"), &f->err));
    assert_ok(f, store_meta_get(f->store, SPAN("issuer"), &f->arena, &value, &f->err));
    assert_true(span_equal(value, SPAN("a\0b")));
    assert_ok(f, store_meta_set(f->store, SPAN("issuer"), (struct span){0}, &f->err));
    fixture_reopen(f);
    assert_ok(f, store_meta_get(f->store, SPAN("issuer"), &f->arena, &value, &f->err));
    assert_int_equal(value.len, 0);
    assert_int_equal(f->change_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {empty_store_test(a_fact_is_kept_and_replaced)};
    return RUN_TESTS(tests);
}
