/* SPDX-License-Identifier: Apache-2.0 */
/* Network addresses as values: IPv4 as IPv6-mapped (RFC 4291 §2.5.5.2), so that one form is
 * compared. */
#pragma once

#include "base/attr.h"
#include "base/span.h"

#include <stdbool.h>

enum { ADDRESS_BYTES = 16, ADDRESS_TEXT_MAX = 46 }; /* with its NUL: INET6_ADDRSTRLEN */

struct address {
    unsigned char bytes[ADDRESS_BYTES]; /* network order */
};

/* "192.0.2.1/24": the addresses that share the first bits of base. */
struct address_range {
    struct address base;
    unsigned bits; /* of 128 */
};

/* "192.0.2.1" in four plain decimal parts, or IPv6 without brackets and zone. False: neither. */
bool address_parse(struct span text, struct address *ret_address) MUST_USE;

/* An address, or ADDRESS/BITS, whose remaining bits must be zero. */
bool address_range_parse(struct span text, struct address_range *ret_range) MUST_USE;

bool address_is_in(const struct address *address, const struct address_range *range);

/* As people write it: 192.0.2.1, 2001:db8::1. Answers the length. */
size_t address_text(const struct address *address, char text[static ADDRESS_TEXT_MAX]);
