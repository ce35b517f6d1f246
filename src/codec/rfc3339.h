/* SPDX-License-Identifier: Apache-2.0 */
/* Times on the wire: RFC 3339 in UTC with whole seconds, "2026-11-25T02:15:00Z".
 *
 * Years 0000 to 9999; another time fails the buf. */
#pragma once

#include "base/span.h"

struct buf;

enum { RFC3339_LEN = 20 };

void rfc3339_write(struct buf *out, int64_t seconds);

/* A date-time of RFC 3339 §5.6, also with another offset and with a fraction, which is cut. A leap
 * second is the one after it. False: it is none. */
bool rfc3339_read(struct span text, int64_t *ret_seconds);

/* The date of an HTTP header, RFC 9110 §5.6.7: "Wed, 25 Nov 2026 02:15:00 GMT". */
void http_date_write(struct buf *out, int64_t seconds);
