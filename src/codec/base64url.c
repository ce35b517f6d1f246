/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/base64url.h"

#include "base/arena.h"
#include "base/buf.h"

static const char url_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char standard_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t base64url_encoded_len(size_t size)
{
    return size / 3 * 4 + (size % 3 == 0 ? 0 : size % 3 + 1);
}

/* Up to three bytes as up to four characters. */
static void write_group(char *room, struct span bytes, const char *alphabet)
{
    size_t size = bytes.len < 3 ? bytes.len : 3;
    uint32_t group = 0;
    for (size_t i = 0; i < 3; i++)
        group = group << 8 | (i < size ? (unsigned char)bytes.ptr[i] : 0);
    for (size_t i = 0; i <= size; i++)
        room[i] = alphabet[group >> (18 - 6 * i) & 63];
}

/* Room is made once: a token is some 150 groups. */
static void write_groups(struct buf *out, struct span bytes, const char *alphabet)
{
    char *room = buf_reserve(out, base64url_encoded_len(bytes.len));
    if (room == NULL)
        return;
    for (; bytes.len > 0; bytes = span_from(bytes, 3), room += 4)
        write_group(room, bytes, alphabet);
}

void base64url_write(struct buf *out, struct span bytes)
{
    write_groups(out, bytes, url_alphabet);
}

void base64_write(struct buf *out, struct span bytes)
{
    size_t padding = (3 - bytes.len % 3) % 3;
    write_groups(out, bytes, standard_alphabet);
    buf_put(out, span_first(SPAN("=="), padding));
}

/* The value of a character, or -1. Both alphabets differ in their last two only. */
static int value_of(char character, const char *alphabet)
{
    if (character >= 'A' && character <= 'Z')
        return character - 'A';
    if (character >= 'a' && character <= 'z')
        return character - 'a' + 26;
    if (character >= '0' && character <= '9')
        return character - '0' + 52;
    if (character == alphabet[62])
        return 62;
    return character == alphabet[63] ? 63 : -1;
}

static enum status decode(struct span text, const char *alphabet, struct arena *arena,
                          struct span *ret_bytes)
{
    if (text.len % 4 == 1)
        return INVALID;
    size_t size = text.len / 4 * 3 + (text.len % 4 == 0 ? 0 : text.len % 4 - 1);
    char *bytes = arena_alloc(arena, size + 1);
    if (bytes == NULL)
        return NO_MEMORY;
    uint32_t bits = 0;
    unsigned held = 0;
    size_t made = 0;
    for (size_t i = 0; i < text.len; i++) {
        int value = value_of(text.ptr[i], alphabet);
        if (value < 0)
            return INVALID;
        bits = bits << 6 | (uint32_t)value;
        held += 6;
        if (held >= 8) {
            held -= 8;
            bytes[made++] = (char)(bits >> held);
            bits &= (1u << held) - 1;
        }
    }
    if (bits != 0)
        return INVALID;
    *ret_bytes = span_of(bytes, made);
    return OK;
}

enum status base64url_decode(struct span text, struct arena *arena, struct span *ret_bytes)
{
    return decode(text, url_alphabet, arena, ret_bytes);
}

enum status base64_decode(struct span text, struct arena *arena, struct span *ret_bytes)
{
    if (text.len % 4 != 0)
        return INVALID;
    for (int padding = 0; padding < 2 && text.len > 0 && text.ptr[text.len - 1] == '='; padding++)
        text.len--;
    return decode(text, standard_alphabet, arena, ret_bytes);
}
