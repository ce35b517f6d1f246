/* SPDX-License-Identifier: Apache-2.0 */
/* Without OpenSSL: the command-line client checks secrets and does not link it. */
#include "crypto/secret.h"

#include "base/random.h"

#include <assert.h>
#include <string.h>

enum { RANDOM_PART_LEN = SECRET_ID_LEN + SECRET_RANDOM_LEN + SECRET_CRC_LEN };

/* 43 letters drawn from 62 carry 256.03 bits. */
static_assert(SECRET_RANDOM_LEN * 5954 >= 256 * 1000, "log2(62) is 5.9542");

static const char *const kind_codes[] = {
    [SECRET_CLIENT] = "cs", [SECRET_PERSONAL] = "pk", [SECRET_QUERY] = "qk",
    [SECRET_INDEX] = "ik",  [SECRET_ONE_TIME] = "oc",
};
static_assert(ARRAY_LEN(kind_codes) == SECRET_KIND_COUNT, "every kind has its code");

const char *secret_kind_code(enum secret_kind kind)
{
    assert(kind < SECRET_KIND_COUNT);
    return kind_codes[kind];
}

/* CRC-32/ISO-HDLC: reflected polynomial 0xEDB88320, four bits at a time. */
static uint32_t crc32(struct span text)
{
    static const uint32_t nibbles[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
        0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < text.len; i++) {
        crc ^= (unsigned char)text.ptr[i];
        crc = crc >> 4 ^ nibbles[crc & 15];
        crc = crc >> 4 ^ nibbles[crc & 15];
    }
    return ~crc;
}

/* Most significant letter first, with leading zeros: 62^6 is more than 2^32. */
static void write_checksum(struct span text, char letters[static SECRET_CRC_LEN])
{
    uint32_t rest = crc32(text);
    for (size_t i = SECRET_CRC_LEN; i > 0; i--) {
        letters[i - 1] = random_base62[rest % 62];
        rest /= 62;
    }
}

bool secret_base_is_valid(struct span base)
{
    return base.len >= 2 && base.len <= SECRET_BASE_LEN_MAX && base.ptr[0] >= 'a' &&
           base.ptr[0] <= 'z' && span_only(base, "abcdefghijklmnopqrstuvwxyz0123456789_");
}

static char *append(char *at, struct span piece)
{
    memcpy(at, piece.ptr, piece.len);
    return at + piece.len;
}

size_t secret_make(struct span base, enum secret_kind kind, struct span id,
                   char text[static SECRET_TEXT_LEN_MAX])
{
    assert(secret_base_is_valid(base));
    assert(id.len == SECRET_ID_LEN && span_only(id, random_base62));
    char *at = append(text, base);
    at = append(at, SPAN("_"));
    at = append(at, span_cstr(secret_kind_code(kind)));
    at = append(at, SPAN("_"));
    at = append(at, id);
    random_text(at, SECRET_RANDOM_LEN, random_base62);
    at += SECRET_RANDOM_LEN;
    write_checksum(span_of(text, (size_t)(at - text)), at);
    return (size_t)(at + SECRET_CRC_LEN - text);
}

static bool find_kind(struct span code, enum secret_kind *ret_kind)
{
    for (size_t i = 0; i < SECRET_KIND_COUNT; i++) {
        if (span_equal(code, span_cstr(kind_codes[i]))) {
            *ret_kind = (enum secret_kind)i;
            return true;
        }
    }
    return false;
}

/* The base may hold underscores, so the text is taken apart from its end, where lengths are
 * fixed. */
enum status secret_parse(struct span text, struct secret_parts *ret_parts)
{
    struct secret_parts parts;
    char checksum[SECRET_CRC_LEN];
    const size_t kind_len = SPAN("_cs_").len;
    if (text.len <= kind_len + RANDOM_PART_LEN || text.len > SECRET_TEXT_LEN_MAX)
        return INVALID;
    parts.base = span_first(text, text.len - RANDOM_PART_LEN - kind_len);
    struct span kind = span_first(span_from(text, parts.base.len), kind_len);
    struct span random_part = span_from(text, parts.base.len + kind_len);
    parts.id = span_first(random_part, SECRET_ID_LEN);
    if (!secret_base_is_valid(parts.base) || !span_only(random_part, random_base62))
        return INVALID;
    if (kind.ptr[0] != '_' || kind.ptr[3] != '_' ||
        !find_kind(span_first(span_from(kind, 1), 2), &parts.kind))
        return INVALID;
    write_checksum(span_first(text, text.len - SECRET_CRC_LEN), checksum);
    if (!span_equal(span_from(text, text.len - SECRET_CRC_LEN), span_of(checksum, sizeof checksum)))
        return INVALID;
    *ret_parts = parts;
    return OK;
}
