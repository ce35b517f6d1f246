/* SPDX-License-Identifier: Apache-2.0 */
#include "store_fixture.h"

#include <string.h>

static enum status revoke_token(struct fixture *f, const char *jti, int64_t expires_at, int64_t now)
{
    const struct audit_event audit = fixture_audit(AUDIT_TOKEN_REVOKE, span_cstr(jti));
    const struct revoked_token token = {.account_id = ACCOUNT,
                                        .client_id = SPAN("abcdefghijklmnopqrstuvwxyz"),
                                        .jti = span_cstr(jti),
                                        .expires_at = expires_at,
                                        .now = now};
    return store_token_revoke(f->store, &token, &audit, &f->err);
}

struct found {
    char text[256]; /* "jti=expires_at " of each */
    enum status answer;
};

static enum status add_found(void *context, struct span jti, int64_t expires_at)
{
    struct found *found = context;
    size_t len = strlen(found->text);
    (void)snprintf(found->text + len, sizeof found->text - len, "%.*s=%lld ", SPAN_FMT(jti),
                   (long long)expires_at);
    return found->answer;
}

static void assert_revoked(struct fixture *f, const char *expected)
{
    struct found found = {.answer = OK};
    assert_ok(f, store_revoked_tokens(f->store, add_found, &found, &f->err));
    assert_string_equal(found.text, expected);
}

static void revoked_tokens_read_back_also_after_a_restart(void **state)
{
    struct fixture *f = *state;
    assert_revoked(f, "");
    assert_ok(f, revoke_token(f, "one", 100, 10));
    assert_string_equal(f->last_kind, "token");
    assert_string_equal(f->last_id, "abcdefghijklmnopqrstuvwxyz");
    assert_revoked(f, "one=100 ");
    fixture_reopen(f);
    assert_revoked(f, "one=100 ");
}

static void revoking_again_is_nothing(void **state)
{
    struct fixture *f = *state;
    assert_ok(f, revoke_token(f, "one", 100, 10));
    size_t changes = f->change_count;
    assert_ok(f, revoke_token(f, "one", 100, 10));
    assert_int_equal(f->change_count, changes);
    assert_revoked(f, "one=100 ");
}

static void what_has_expired_goes_with_the_next_one(void **state)
{
    struct fixture *f = *state;
    assert_ok(f, revoke_token(f, "one", 100, 10));
    assert_ok(f, revoke_token(f, "two", 101, 99));
    assert_ok(f, revoke_token(f, "three", 200, 100));
    assert_revoked(f, "two=101 three=200 ");
}

static void the_reader_may_end_it(void **state)
{
    struct fixture *f = *state;
    struct found found = {.answer = NO_MEMORY};
    assert_ok(f, revoke_token(f, "one", 100, 10));
    assert_ok(f, revoke_token(f, "two", 101, 10));
    assert_status(f, store_revoked_tokens(f->store, add_found, &found, &f->err), NO_MEMORY);
    assert_string_equal(found.text, "one=100 ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(revoked_tokens_read_back_also_after_a_restart),
        store_test(revoking_again_is_nothing),
        store_test(what_has_expired_goes_with_the_next_one),
        store_test(the_reader_may_end_it),
    };
    return RUN_TESTS(tests);
}
