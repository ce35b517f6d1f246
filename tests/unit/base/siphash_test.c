/* SPDX-License-Identifier: Apache-2.0 */
#include "base/siphash.h"

#include "../unit.h"

/* The authors' vectors for SipHash-2-4: key 00 01 … 0f, message 00 01 … */
static void the_published_vectors_are_met(void **state)
{
    (void)state;
    static const struct {
        size_t len;
        uint64_t hash;
    } vectors[] = {
        {0, 0x726fdb47dd0e0e31u},
        {1, 0x74f839c593dc67fdu},
        {8, 0x93f5f5799a932462u},
        {15, 0xa129ca6149be45e5u},
    };
    static const char message[] = "\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16";
    const struct siphash_key key = {{0x0706050403020100u, 0x0f0e0d0c0b0a0908u}};
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++)
        assert_true(siphash(&key, span_of(message, vectors[i].len)) == vectors[i].hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_published_vectors_are_met)};
    return RUN_TESTS(tests);
}
