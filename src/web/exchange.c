/* SPDX-License-Identifier: Apache-2.0 */
#include "web/exchange.h"

enum status exchange_header(const struct exchange *x, struct span name, struct span *ret_value)
{
    const struct header *found = NULL;
    for (size_t i = 0; i < x->header_count; i++) {
        if (!span_equal_nocase(x->headers[i].name, name))
            continue;
        if (found != NULL)
            return INVALID;
        found = &x->headers[i];
    }
    if (found == NULL)
        return NOT_FOUND;
    *ret_value = found->value;
    return OK;
}
