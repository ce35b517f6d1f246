/* SPDX-License-Identifier: Apache-2.0 */
#include "base/siphash.h"

struct lanes {
    uint64_t v[4];
};

static uint64_t rotate(uint64_t value, unsigned bits)
{
    return value << bits | value >> (64 - bits);
}

static void rounds(struct lanes *s, int count)
{
    for (; count > 0; count--) {
        s->v[0] += s->v[1];
        s->v[1] = rotate(s->v[1], 13) ^ s->v[0];
        s->v[0] = rotate(s->v[0], 32);
        s->v[2] += s->v[3];
        s->v[3] = rotate(s->v[3], 16) ^ s->v[2];
        s->v[0] += s->v[3];
        s->v[3] = rotate(s->v[3], 21) ^ s->v[0];
        s->v[2] += s->v[1];
        s->v[1] = rotate(s->v[1], 17) ^ s->v[2];
        s->v[2] = rotate(s->v[2], 32);
    }
}

static uint64_t word_at(struct span text, size_t at, size_t count)
{
    uint64_t word = 0;
    for (size_t i = 0; i < count; i++)
        word |= (uint64_t)(unsigned char)text.ptr[at + i] << (8 * i);
    return word;
}

uint64_t siphash(const struct siphash_key *key, struct span text)
{
    struct lanes s = {{key->half[0] ^ 0x736f6d6570736575u, key->half[1] ^ 0x646f72616e646f6du,
                       key->half[0] ^ 0x6c7967656e657261u, key->half[1] ^ 0x7465646279746573u}};
    size_t whole = text.len / 8 * 8;
    for (size_t at = 0; at <= whole; at += 8) {
        uint64_t word = at < whole ? word_at(text, at, 8)
                                   : word_at(text, at, text.len - whole) | (uint64_t)text.len << 56;
        s.v[3] ^= word;
        rounds(&s, 2);
        s.v[0] ^= word;
    }
    s.v[2] ^= 0xff;
    rounds(&s, 4);
    return s.v[0] ^ s.v[1] ^ s.v[2] ^ s.v[3];
}
