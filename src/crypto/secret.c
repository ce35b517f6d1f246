/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/secret.h"

#include "base/random.h"

#include <assert.h>
#include <string.h>

static const struct span kind_codes[SECRET_KIND_COUNT] = {
    [SECRET_CLIENT] = SPAN_INIT("cs"),
    [SECRET_PERSONAL] = SPAN_INIT("pk"),
    [SECRET_QUERY] = SPAN_INIT("qk"),
    [SECRET_INDEX] = SPAN_INIT("ik"),
};

enum {
    /* What stands behind the base: _cs_ id secret crc. */
    TAIL_LEN = 4 + SECRET_ID_LEN + SECRET_RANDOM_LEN + SECRET_CRC_LEN,
};
static_assert(SECRET_TEXT_LEN_MAX == SECRET_BASE_LEN_MAX + TAIL_LEN,
              "the longest base and the tail");

/* CRC-32/ISO-HDLC, the one of zlib and PNG: bit by bit, since secrets are short and checked rarely
 * compared with what follows. */
static uint32_t crc32_of(struct span bytes)
{
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < bytes.len; i++) {
        crc ^= (unsigned char)bytes.ptr[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (0xedb88320u & (0u - (crc & 1)));
    }
    return ~crc;
}

/* 62^6 > 2^32: six digits hold any CRC. */
static void write_crc(struct span bytes, char text[static SECRET_CRC_LEN])
{
    uint32_t crc = crc32_of(bytes);
    for (size_t i = SECRET_CRC_LEN; i > 0; i--) {
        text[i - 1] = random_base62[crc % 62];
        crc /= 62;
    }
}

bool secret_base_is_valid(struct span base)
{
    return base.len >= 2 && base.len <= SECRET_BASE_LEN_MAX && base.ptr[0] >= 'a' &&
           base.ptr[0] <= 'z' && span_only(base, "abcdefghijklmnopqrstuvwxyz0123456789_");
}

size_t secret_make(struct span base, enum secret_kind kind, struct span id,
                   char text[static SECRET_TEXT_LEN_MAX])
{
    assert(secret_base_is_valid(base) && id.len == SECRET_ID_LEN);
    char *at = text;
    memcpy(at, base.ptr, base.len);
    at += base.len;
    *at++ = '_';
    memcpy(at, kind_codes[kind].ptr, 2);
    at += 2;
    *at++ = '_';
    memcpy(at, id.ptr, SECRET_ID_LEN);
    at += SECRET_ID_LEN;
    random_text(at, SECRET_RANDOM_LEN, random_base62); /* 62^43 > 2^256 */
    at += SECRET_RANDOM_LEN;
    write_crc(span_of(text, (size_t)(at - text)), at);
    return (size_t)(at - text) + SECRET_CRC_LEN;
}

enum status secret_parse(struct span text, struct secret_parts *ret_parts)
{
    if (text.len < TAIL_LEN + 2 || text.len > SECRET_TEXT_LEN_MAX ||
        !span_only(text, "_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"))
        return INVALID;
    char crc[SECRET_CRC_LEN];
    struct span body = span_first(text, text.len - SECRET_CRC_LEN);
    write_crc(body, crc);
    if (!span_equal(span_from(text, body.len), span_of(crc, sizeof crc)))
        return INVALID;
    struct secret_parts parts = {.base = span_first(text, text.len - TAIL_LEN)};
    struct span tail = span_from(text, parts.base.len);
    struct span code = span_first(span_from(tail, 1), 2);
    unsigned kind = 0;
    while (kind < SECRET_KIND_COUNT && !span_equal(kind_codes[kind], code))
        kind++;
    if (kind == SECRET_KIND_COUNT || tail.ptr[0] != '_' || tail.ptr[3] != '_' ||
        !secret_base_is_valid(parts.base))
        return INVALID;
    parts.kind = (enum secret_kind)kind;
    parts.id = span_first(span_from(tail, 4), SECRET_ID_LEN);
    if (span_find(span_from(tail, 4), '_') < tail.len - 4)
        return INVALID;
    *ret_parts = parts;
    return OK;
}

const char *secret_kind_code(enum secret_kind kind)
{
    return kind_codes[kind].ptr;
}
