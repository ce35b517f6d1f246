/* SPDX-License-Identifier: Apache-2.0 */
#include "state/use.h"

#include "../store/store_fixture.h"

static void add_number(struct use_table *table, unsigned number, int64_t now)
{
    char id[24];
    int len = snprintf(id, sizeof id, "crd_%012u", number);
    use_table_add(table, span_of(id, (size_t)len), SPAN("192.0.2.1"), now);
}

static void uses_are_counted_by_credential(void **state)
{
    (void)state;
    struct use_table *table = use_table_new();
    size_t count = 0;
    use_table_add(table, SPAN("crd_a"), SPAN("192.0.2.1"), 100);
    use_table_add(table, SPAN("crd_b"), SPAN(""), 101);
    use_table_add(table, SPAN("crd_a"), SPAN("2001:db8::1"), 102);
    use_table_add(table, SPAN("crd_a"), SPAN("::1"), 103);
    assert_int_equal(use_table_count(table), 2);
    struct credential_use *uses = use_table_take(table, &count);
    assert_int_equal(count, 2);
    const struct credential_use *a = &uses[span_equal(uses[0].credential_id, SPAN("crd_b"))];
    const struct credential_use *b = &uses[a == &uses[0]];
    assert_span_equal(a->credential_id, "crd_a");
    assert_span_equal(a->last_address, "::1"); /* nothing of the longer one before */
    assert_int_equal(a->first_at, 100);
    assert_int_equal(a->last_at, 103);
    assert_int_equal(a->count, 3);
    assert_span_equal(b->credential_id, "crd_b");
    assert_span_equal(b->last_address, "");
    assert_int_equal(b->first_at, 101);
    assert_int_equal(b->last_at, 101);
    assert_int_equal(b->count, 1);
    free(uses);
    use_table_free(table);
}

static void what_was_taken_is_out_of_the_table(void **state)
{
    (void)state;
    struct use_table *table = use_table_new();
    size_t count = 7;
    assert_null(use_table_take(table, &count));
    assert_int_equal(count, 7);
    add_number(table, 1, 100);
    struct credential_use *first = use_table_take(table, &count);
    assert_int_equal(count, 1);
    assert_int_equal(use_table_count(table), 0);
    assert_null(use_table_take(table, &count));
    add_number(table, 1, 200);
    struct credential_use *second = use_table_take(table, &count);
    use_table_free(table);
    /* Batches hold their own text. */
    assert_span_equal(first->credential_id, "crd_000000000001");
    assert_int_equal(first->first_at, 100);
    assert_span_equal(second->credential_id, "crd_000000000001");
    assert_int_equal(second->first_at, 200);
    assert_int_equal(second->count, 1);
    free(first);
    free(second);
    use_table_free(NULL);
}

static void what_is_no_id_is_not_counted_and_long_addresses_are_cut(void **state)
{
    (void)state;
    struct use_table *table = use_table_new();
    size_t count;
    use_table_add(table, SPAN(""), SPAN("::1"), 1);
    use_table_add(table, SPAN("crd_0123456789abcdefghijk"), SPAN("::1"), 1); /* 25 */
    assert_int_equal(use_table_count(table), 0);
    use_table_add(table, SPAN("crd_0123456789abcdefghij"),
                  SPAN("0123456789012345678901234567890123456789012345678901234567890123"), 1);
    struct credential_use *uses = use_table_take(table, &count);
    assert_int_equal(count, 1);
    assert_span_equal(uses->credential_id, "crd_0123456789abcdefghij");
    assert_span_equal(uses->last_address, "0123456789012345678901234567890123456789012345");
    free(uses);
    use_table_free(table);
}

static void a_full_table_goes_on_counting_whom_it_knows(void **state)
{
    (void)state;
    struct use_table *table = use_table_new();
    size_t count;
    for (unsigned number = 0; number < USE_TABLE_MAX + 100; number++)
        add_number(table, number, 1);
    assert_int_equal(use_table_count(table), USE_TABLE_MAX);
    for (unsigned number = 0; number < USE_TABLE_MAX + 100; number++)
        add_number(table, number, 2);
    assert_int_equal(use_table_count(table), USE_TABLE_MAX);
    struct credential_use *uses = use_table_take(table, &count);
    assert_int_equal(count, USE_TABLE_MAX);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(uses[i].count, 2);
        assert_int_equal(uses[i].first_at, 1);
        assert_int_equal(uses[i].last_at, 2);
    }
    free(uses);
    add_number(table, USE_TABLE_MAX + 1, 3);
    assert_int_equal(use_table_count(table), 1);
    use_table_free(table);
}

static void a_batch_is_what_the_store_takes(void **state)
{
    struct fixture *f = *state;
    struct use_table *table = use_table_new();
    struct principal client = fixture_client(f, 1);
    size_t count;
    fixture_create(f, &client);
    for (int64_t now = 10; now < 15; now++)
        use_table_add(table, client.credentials[0].id, SPAN("192.0.2.7"), now);
    use_table_add(table, SPAN("crd_gone"), SPAN("192.0.2.7"), 10);
    struct credential_use *uses = use_table_take(table, &count);
    assert_ok(f, store_use_add(f->store, uses, count, &f->err));
    free(uses);
    struct credential_use use;
    assert_ok(f, store_use_get(f->store, client.credentials[0].id, &f->arena, &use, &f->err));
    assert_int_equal(use.first_at, 10);
    assert_int_equal(use.last_at, 14);
    assert_int_equal(use.count, 5);
    assert_span_equal(use.last_address, "192.0.2.7");
    use_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uses_are_counted_by_credential),
        cmocka_unit_test(what_was_taken_is_out_of_the_table),
        cmocka_unit_test(what_is_no_id_is_not_counted_and_long_addresses_are_cut),
        cmocka_unit_test(a_full_table_goes_on_counting_whom_it_knows),
        store_test(a_batch_is_what_the_store_takes),
    };
    return RUN_TESTS(tests);
}
