/* SPDX-License-Identifier: Apache-2.0 */
#include "web/deadline.h"

#include "web/reply.h"

static const struct {
    struct span name;
    int64_t nanoseconds; /* of one */
} headers[] = {
    {SPAN_INIT("request-timeout"), 1000000000},
    {SPAN_INIT("request-timeout-millis"), 1000000},
};

/* NOT_FOUND without the header; INVALID. */
static enum status read_timeout(const struct exchange *x, size_t which, int64_t *ret_ns)
{
    struct span text;
    int64_t number;
    enum status status = exchange_header(x, headers[which].name, &text);
    if (status != OK)
        return status;
    if (!span_to_int64(text, &number) || number < 1)
        return INVALID;
    int64_t unit = headers[which].nanoseconds;
    *ret_ns = number > INT64_MAX / unit ? INT64_MAX : number * unit;
    return OK;
}

bool deadline_has_passed(struct exchange *x, int64_t now_ns)
{
    for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
        int64_t timeout_ns;
        if (read_timeout(x, i, &timeout_ns) != OK || now_ns - x->began_ns <= timeout_ns)
            continue;
        (void)fail(&x->err, UNAVAILABLE, "The request waited longer than its Request-Timeout.");
        reply_error(x, UNAVAILABLE);
        return true;
    }
    return false;
}

bool deadline_is_valid(struct exchange *x)
{
    for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
        int64_t timeout_ns;
        if (read_timeout(x, i, &timeout_ns) != INVALID)
            continue;
        (void)fail(&x->err, INVALID, "%.*s must be a whole number from 1, once.",
                   SPAN_FMT(headers[i].name));
        reply_error(x, INVALID);
        return false;
    }
    return true;
}
