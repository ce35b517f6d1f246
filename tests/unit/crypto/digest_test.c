/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/digest.h"

#include "base/buf.h"
#include "codec/hex.h"
#include "unit.h"

static void assert_hex(const unsigned char *bytes, size_t size, const char *hex)
{
    AUTO(buf) struct buf text;
    buf_init(&text, 1024);
    hex_write(&text, span_of(bytes, size));
    assert_span_equal(buf_span(&text), hex);
}

/* FIPS 180-4, the examples of NIST. */
static void sha256_of_known_texts(void **state)
{
    (void)state;
    unsigned char digest[SHA256_BYTES];
    sha256(SPAN("abc"), digest);
    assert_hex(digest, sizeof digest,
               "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sha256(SPAN("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), digest);
    assert_hex(digest, sizeof digest,
               "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void sha256_of_nothing_with_a_null_pointer(void **state)
{
    (void)state;
    unsigned char digest[SHA256_BYTES];
    sha256((struct span){0}, digest);
    assert_hex(digest, sizeof digest,
               "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

/* RFC 4231 §4.2, §4.3, §4.7. */
static void hmac_of_rfc_4231(void **state)
{
    (void)state;
    unsigned char mac[SHA256_BYTES];
    char key[131];
    memset(key, 0x0b, 20);
    hmac_sha256(span_of(key, 20), SPAN("Hi There"), mac);
    assert_hex(mac, sizeof mac, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    hmac_sha256(SPAN("Jefe"), SPAN("what do ya want for nothing?"), mac);
    assert_hex(mac, sizeof mac, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof key);
    hmac_sha256(span_of(key, sizeof key),
                SPAN("Test Using Larger Than Block-Size Key - Hash Key First"), mac);
    assert_hex(mac, sizeof mac, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void hmac_of_nothing_under_an_empty_key(void **state)
{
    (void)state;
    unsigned char mac[SHA256_BYTES];
    hmac_sha256((struct span){0}, (struct span){0}, mac);
    assert_hex(mac, sizeof mac, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void ct_equal_compares_lengths_and_bytes(void **state)
{
    (void)state;
    assert_true(ct_equal(SPAN("same"), SPAN("same")));
    assert_true(ct_equal((struct span){0}, SPAN("")));
    assert_false(ct_equal(SPAN("same"), SPAN("samf")));
    assert_false(ct_equal(SPAN("same"), SPAN("tame")));
    assert_false(ct_equal(SPAN("same"), SPAN("sam")));
    assert_false(ct_equal((struct span){0}, SPAN("s")));
    assert_false(ct_equal(SPAN("a\0b"), SPAN("a\0c"))); /* no end at a NUL */
}

static void wipe_leaves_zeros(void **state)
{
    (void)state;
    char secret[] = "secret";
    const char zeros[sizeof secret] = {0};
    wipe(secret, sizeof secret);
    assert_memory_equal(secret, zeros, sizeof secret);
    wipe(NULL, 0);
}

static void random_bytes_differ_and_fill(void **state)
{
    (void)state;
    unsigned char first[64] = {0};
    unsigned char second[64] = {0};
    size_t zeros = 0;
    crypto_random(first, sizeof first);
    crypto_random(second, sizeof second);
    assert_memory_not_equal(first, second, sizeof first);
    for (size_t i = 0; i < sizeof first; i++)
        zeros += first[i] == 0;
    assert_true(zeros < 16); /* chance: under 2^-80 */
    crypto_random(first, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_of_known_texts),
        cmocka_unit_test(sha256_of_nothing_with_a_null_pointer),
        cmocka_unit_test(hmac_of_rfc_4231),
        cmocka_unit_test(hmac_of_nothing_under_an_empty_key),
        cmocka_unit_test(ct_equal_compares_lengths_and_bytes),
        cmocka_unit_test(wipe_leaves_zeros),
        cmocka_unit_test(random_bytes_differ_and_fill),
    };
    return RUN_TESTS(tests);
}
