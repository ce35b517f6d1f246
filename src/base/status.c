/* SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

enum status fail(struct err *err, enum status status, const char *format, ...)
{
    assert(status != OK && status < STATUS_COUNT);
    if (err == NULL || err->status != OK)
        return status;
    err->status = status;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(err->detail, sizeof err->detail, format, arguments);
    va_end(arguments);
    return status;
}

const char *status_name(enum status status)
{
    static const char *const names[] = {
        [OK] = "ok",
        [INVALID] = "invalid",
        [UNAUTHENTICATED] = "unauthenticated",
        [FORBIDDEN] = "forbidden",
        [NOT_FOUND] = "not found",
        [CONFLICT] = "conflict",
        [TOO_LARGE] = "too large",
        [UNSUPPORTED] = "unsupported",
        [RATE_LIMITED] = "rate limited",
        [NO_MEMORY] = "no memory",
        [UNAVAILABLE] = "unavailable",
        [CORRUPT] = "corrupt",
    };
    static_assert(ARRAY_LEN(names) == STATUS_COUNT, "every status has a name");
    return status < STATUS_COUNT ? names[status] : "unknown";
}
