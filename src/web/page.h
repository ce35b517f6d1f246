/* SPDX-License-Identifier: Apache-2.0 */
/* Paging of every list: limit 1 to 100 (default 10) and an opaque, authenticated page_key.
 *
 * A page_key says "below this sequence" for one list of one account with one filter; it cannot be
 * made by a caller, nor used for another list (A13). */
#pragma once

#include "codec/form.h"
#include "web/exchange.h"

enum { PAGE_LIMIT_MAX = 100, PAGE_LIMIT_DEFAULT = 10, PAGE_KEY_BYTES = 8 + 16 };

struct page {
    int64_t before_sequence; /* INT64_MAX: from the newest */
    size_t limit;
    struct span filter; /* the filter parameter; empty for none */
};

/* Reads limit, page_key and filter. When one is wrong the reply (400) is made and the answer is not
 * OK. */
enum status page_read(struct exchange *x, const struct form *query, struct page *ret_page) MUST_USE;

/* The page_key for what follows the row with this sequence; empty without memory. */
struct span page_key_make(struct exchange *x, struct span filter, int64_t last_sequence);

/* The sequence in a page_key of this list. INVALID: not ours. For page_read() and the fuzzer. */
enum status page_key_read(struct exchange *x, struct span filter, struct span page_key,
                          int64_t *ret_sequence) MUST_USE;
