/* SPDX-License-Identifier: Apache-2.0 */
/* Is it UTF-8 (RFC 3629: shortest form, no surrogates, at most U+10FFFF)? */
#pragma once

#include "base/span.h"

bool utf8_is_valid(struct span text);

/* Number of code points in valid UTF-8. */
size_t utf8_length(struct span text);

/* Text that people will read on one line: valid UTF-8 without control characters (C0, C1, DEL),
 * line or paragraph separators, bidirectional overrides and isolates, zero-width characters or
 * U+FEFF. */
bool utf8_is_plain(struct span text);
