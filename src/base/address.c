/* SPDX-License-Identifier: Apache-2.0 */
#include "base/address.h"

#include <arpa/inet.h>
#include <string.h>

enum { V4_AT = 12, V4_BITS_BEFORE = 96 };

static const unsigned char mapped[V4_AT] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static bool is_v4(const struct address *address)
{
    return memcmp(address->bytes, mapped, sizeof mapped) == 0;
}

bool address_parse(struct span text, struct address *ret_address)
{
    char copy[ADDRESS_TEXT_MAX];
    struct address address;
    if (text.len == 0 || text.len >= sizeof copy)
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    if (strlen(copy) != text.len)
        return false;
    memcpy(address.bytes, mapped, sizeof mapped);
    if (inet_pton(AF_INET, copy, address.bytes + V4_AT) != 1 &&
        inet_pton(AF_INET6, copy, address.bytes) != 1)
        return false;
    *ret_address = address;
    return true;
}

static bool bit_of(const struct address *address, unsigned bit)
{
    return (address->bytes[bit / 8] >> (7 - bit % 8) & 1) != 0;
}

bool address_range_parse(struct span text, struct address_range *ret_range)
{
    struct address_range range = {.bits = 8 * ADDRESS_BYTES};
    struct span name;
    int64_t bits;
    bool has_bits = span_cut(&text, '/', &name);
    if (!address_parse(name, &range.base))
        return false;
    if (has_bits) {
        unsigned before =
            is_v4(&range.base) && span_find(name, ':') == name.len ? V4_BITS_BEFORE : 0;
        if (text.len > 3 || !span_to_int64(text, &bits) || bits > 8 * ADDRESS_BYTES - before)
            return false;
        range.bits = before + (unsigned)bits;
    }
    for (unsigned bit = range.bits; bit < 8 * ADDRESS_BYTES; bit++) {
        if (bit_of(&range.base, bit))
            return false;
    }
    *ret_range = range;
    return true;
}

bool address_is_in(const struct address *address, const struct address_range *range)
{
    size_t whole = range->bits / 8;
    unsigned rest = range->bits % 8;
    if (memcmp(address->bytes, range->base.bytes, whole) != 0)
        return false;
    unsigned differ = rest == 0 ? 0u : address->bytes[whole] ^ range->base.bytes[whole];
    return differ >> (8 - rest) == 0;
}

size_t address_text(const struct address *address, char text[static ADDRESS_TEXT_MAX])
{
    bool is_mapped = is_v4(address);
    const void *bytes = address->bytes + (is_mapped ? V4_AT : 0);
    (void)inet_ntop(is_mapped ? AF_INET : AF_INET6, bytes, text, ADDRESS_TEXT_MAX);
    return strlen(text);
}
