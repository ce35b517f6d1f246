/* SPDX-License-Identifier: Apache-2.0 */
#include "state/revoked_tokens.h"

#include "../unit.h"

#include <pthread.h>
#include <stdio.h>

static inline void auto_revoked_tokens(struct revoked_tokens **tokens)
{
    revoked_tokens_free(*tokens);
}

/* As our signer's: 22 characters. */
static struct span jti_of(char text[static 32], unsigned number)
{
    (void)snprintf(text, 32, "%022u", number * 2654435761u);
    return span_cstr(text);
}

static void what_is_added_is_there_and_nothing_else(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    char text[32];
    AUTO(revoked_tokens) struct revoked_tokens *tokens = revoked_tokens_new();
    assert_non_null(tokens);
    assert_false(revoked_tokens_has(tokens, jti_of(text, 1)));
    for (unsigned i = 0; i < COUNT; i++) {
        assert_int_equal(revoked_tokens_add(tokens, jti_of(text, i), 1000, 10), OK);
        assert_int_equal(revoked_tokens_add(tokens, jti_of(text, i), 1000, 10), OK);
    }
    for (unsigned i = 0; i < 2 * COUNT; i++)
        assert_int_equal(revoked_tokens_has(tokens, jti_of(text, i)), i < COUNT);
}

static void what_has_expired_makes_room(void **state)
{
    (void)state;
    char text[32];
    AUTO(revoked_tokens) struct revoked_tokens *tokens = revoked_tokens_new();
    for (unsigned i = 0; i < 10000; i++)
        assert_int_equal(revoked_tokens_add(tokens, jti_of(text, i), (int64_t)i + 10, i), OK);
    /* Never forgotten before its time, */
    for (unsigned i = 9991; i < 10000; i++)
        assert_true(revoked_tokens_has(tokens, jti_of(text, i)));
    /* and the first ones are long gone. */
    assert_false(revoked_tokens_has(tokens, jti_of(text, 1)));
    assert_int_equal(revoked_tokens_add(tokens, jti_of(text, 1), 10, 10), OK); /* of no use */
    assert_false(revoked_tokens_has(tokens, jti_of(text, 1)));
}

static void no_more_than_the_most_are_held(void **state)
{
    (void)state;
    char text[32];
    AUTO(revoked_tokens) struct revoked_tokens *tokens = revoked_tokens_new();
    for (unsigned i = 0; i < REVOKED_TOKENS_MAX; i++)
        assert_int_equal(revoked_tokens_add(tokens, jti_of(text, i), 1000, 10), OK);
    assert_false(revoked_tokens_have_room(tokens, 10));
    assert_int_equal(revoked_tokens_add(tokens, jti_of(text, REVOKED_TOKENS_MAX), 1000, 10),
                     NO_MEMORY);
    assert_int_equal(revoked_tokens_add(tokens, jti_of(text, 7), 1000, 10), OK); /* is there */
    assert_true(revoked_tokens_have_room(tokens, 1000));
    assert_int_equal(revoked_tokens_add(tokens, jti_of(text, REVOKED_TOKENS_MAX), 2000, 1000), OK);
    assert_true(revoked_tokens_has(tokens, jti_of(text, REVOKED_TOKENS_MAX)));
}

static void ids_that_cannot_be_ours_are_refused(void **state)
{
    (void)state;
    AUTO(revoked_tokens) struct revoked_tokens *tokens = revoked_tokens_new();
    static const char *const bad[] = {"", "a", "1234567", "1234567890123456789012345"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(revoked_tokens_add(tokens, span_cstr(bad[i]), 1000, 10), INVALID);
        assert_false(revoked_tokens_has(tokens, span_cstr(bad[i])));
    }
    assert_int_equal(revoked_tokens_add(tokens, SPAN("12345678"), 1000, 10), OK);
    assert_true(revoked_tokens_has(tokens, SPAN("12345678")));
    assert_false(revoked_tokens_has(tokens, SPAN("123456789")));
}

struct reader {
    struct revoked_tokens *tokens;
    unsigned from;
};

static void *add_and_ask(void *context)
{
    const struct reader *reader = context;
    char text[32];
    for (unsigned i = reader->from; i < reader->from + 2000; i++) {
        if (revoked_tokens_add(reader->tokens, jti_of(text, i), 1000, 10) != OK ||
            !revoked_tokens_has(reader->tokens, jti_of(text, i)))
            return reader->tokens;
    }
    return NULL;
}

static void threads_do_not_lose_each_others(void **state)
{
    (void)state;
    AUTO(revoked_tokens) struct revoked_tokens *tokens = revoked_tokens_new();
    pthread_t threads[4];
    struct reader readers[4];
    for (unsigned i = 0; i < 4; i++) {
        readers[i] = (struct reader){tokens, i * 2000};
        assert_int_equal(pthread_create(&threads[i], NULL, add_and_ask, &readers[i]), 0);
    }
    for (unsigned i = 0; i < 4; i++) {
        void *failed;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    char text[32];
    for (unsigned i = 0; i < 8000; i++)
        assert_true(revoked_tokens_has(tokens, jti_of(text, i)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_added_is_there_and_nothing_else),
        cmocka_unit_test(what_has_expired_makes_room),
        cmocka_unit_test(no_more_than_the_most_are_held),
        cmocka_unit_test(ids_that_cannot_be_ours_are_refused),
        cmocka_unit_test(threads_do_not_lose_each_others),
    };
    return RUN_TESTS(tests);
}
