/* SPDX-License-Identifier: Apache-2.0 */
#include "store_fixture.h"

static enum status add(struct fixture *f, const struct server_key *key)
{
    struct audit_event audit = fixture_audit(AUDIT_SERVER_KEY_CREATE, key->id);
    audit.account_id = (struct span){0};
    return store_server_key_add(f->store, key, &audit, &f->revision, &f->err);
}

static void keys_are_listed_in_the_order_they_came(void **state)
{
    struct fixture *f = *state;
    struct server_key *keys;
    size_t count = 9;
    assert_ok(f, store_server_key_list(f->store, &f->arena, &keys, &count, &f->err));
    assert_int_equal(count, 0);
    const struct server_key pepper = {.id = SPAN("pepper"),
                                      .kind = SPAN("pepper"),
                                      .sealed = SPAN("s\0s"),
                                      .check_value = SPAN("c\0c"),
                                      .state = SPAN("active"),
                                      .created_at = 5};
    const struct server_key token = {.id = SPAN("kid-1"),
                                     .kind = SPAN("token"),
                                     .alg = SPAN("RS256"),
                                     .public_jwk = SPAN("{}"),
                                     .sealed = SPAN("t"),
                                     .state = SPAN("retired"),
                                     .created_at = 4};
    assert_ok(f, add(f, &pepper));
    int64_t first = f->revision;
    assert_ok(f, add(f, &token));
    assert_true(f->revision > first);
    assert_string_equal(f->last_kind, "server_key");
    assert_status(f, add(f, &token), CONFLICT);
    fixture_reopen(f);
    assert_ok(f, store_server_key_list(f->store, &f->arena, &keys, &count, &f->err));
    assert_int_equal(count, 2);
    assert_span_equal(keys[0].id, "pepper");
    assert_span_equal(keys[0].alg, "");
    assert_true(span_equal(keys[0].sealed, pepper.sealed));
    assert_true(span_equal(keys[0].check_value, pepper.check_value));
    assert_int_equal(keys[0].created_at, 5);
    assert_span_equal(keys[1].id, "kid-1");
    assert_span_equal(keys[1].kind, "token");
    assert_span_equal(keys[1].alg, "RS256");
    assert_span_equal(keys[1].public_jwk, "{}");
    assert_int_equal(keys[1].check_value.len, 0);
    assert_span_equal(keys[1].state, "retired");
    assert_int_equal(fixture_audit_count(f, (struct span){0}), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {empty_store_test(keys_are_listed_in_the_order_they_came)};
    return RUN_TESTS(tests);
}
