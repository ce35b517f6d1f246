/* SPDX-License-Identifier: Apache-2.0 */
#include "web/exchange.h"

enum status exchange_header(const struct exchange *x, struct span name, struct span *ret_value)
{
    const struct header *found = NULL;
    for (const struct header *header = x->headers; header < x->headers + x->header_count;
         header++) {
        if (!span_equal_nocase(header->name, name))
            continue;
        if (found != NULL)
            return INVALID;
        found = header;
    }
    if (found == NULL)
        return NOT_FOUND;
    *ret_value = found->value;
    return OK;
}
