/* SPDX-License-Identifier: Apache-2.0 */
#include "base/random.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

const char random_base62[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

void random_bytes(void *memory, size_t size)
{
    unsigned char *at = memory;
    while (size > 0) {
        ssize_t got = getrandom(at, size, 0);
        if (got < 0 && errno != EINTR)
            abort();
        if (got > 0) {
            at += got;
            size -= (size_t)got;
        }
    }
}

void random_text(char *memory, size_t len, const char *alphabet)
{
    size_t letters = strlen(alphabet);
    /* Bytes past the largest multiple of the alphabet's size are thrown away: no letter is
     * favoured. */
    size_t fair = 256 - 256 % letters;
    unsigned char pool[64];
    size_t made = 0;
    while (made < len) {
        random_bytes(pool, sizeof pool);
        for (size_t i = 0; i < sizeof pool && made < len; i++) {
            if (pool[i] < fair)
                memory[made++] = alphabet[pool[i] % letters];
        }
    }
    explicit_bzero(pool, sizeof pool);
}

int64_t random_int63(void)
{
    uint64_t value;
    random_bytes(&value, sizeof value);
    return (int64_t)(value >> 1);
}
