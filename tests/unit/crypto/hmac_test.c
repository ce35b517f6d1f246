/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/hmac.h"

#include "unit.h"

#include <string.h>

static void assert_same_as_one_shot(struct hmac *hmac, struct span key, struct span text)
{
    unsigned char expected[SHA256_BYTES];
    unsigned char mac[SHA256_BYTES] = {0};
    hmac_sha256(key, text, expected);
    hmac_write(hmac, text, mac);
    assert_memory_equal(mac, expected, sizeof mac);
}

/* One context, many texts: nothing of one is left for the next. Lengths around SHA-256's blocks. */
static void every_use_starts_anew(void **state)
{
    (void)state;
    char text[200];
    struct span key = SPAN("0123456789abcdef0123456789abcdef");
    struct hmac *hmac = hmac_new(key);
    assert_non_null(hmac);
    memset(text, 'x', sizeof text);
    for (size_t len = 0; len <= sizeof text; len++)
        assert_same_as_one_shot(hmac, key, span_of(text, len));
    assert_same_as_one_shot(hmac, key, (struct span){0});
    hmac_free(hmac);
}

/* RFC 4231 §4.3 and §4.7: a short key, and one longer than a block. */
static void keys_of_any_length(void **state)
{
    (void)state;
    char long_key[131];
    memset(long_key, 0xaa, sizeof long_key);
    const struct span keys[] = {SPAN("Jefe"), span_of(long_key, sizeof long_key)};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        struct hmac *hmac = hmac_new(keys[i]);
        assert_non_null(hmac);
        assert_same_as_one_shot(hmac, keys[i], SPAN("what do ya want for nothing?"));
        hmac_free(hmac);
    }
}

/* The key is copied, and two contexts do not share one. */
static void keys_stay_apart(void **state)
{
    (void)state;
    char key[] = "first key";
    struct hmac *first = hmac_new(span_of(key, sizeof key - 1));
    assert_non_null(first);
    memset(key, 0, sizeof key);
    struct hmac *second = hmac_new(SPAN("second key"));
    assert_non_null(second);
    assert_same_as_one_shot(second, SPAN("second key"), SPAN("text"));
    assert_same_as_one_shot(first, SPAN("first key"), SPAN("text"));
    hmac_free(first);
    hmac_free(second);
    hmac_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_use_starts_anew),
        cmocka_unit_test(keys_of_any_length),
        cmocka_unit_test(keys_stay_apart),
    };
    return RUN_TESTS(tests);
}
