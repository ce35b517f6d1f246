/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/rfc3339.h"

#include "base/buf.h"

#include <time.h>

/* Both forms have years of four digits. */
static bool utc_of(int64_t seconds, struct tm *utc)
{
    time_t time = (time_t)seconds;
    return gmtime_r(&time, utc) != NULL && utc->tm_year >= 0 - 1900 && utc->tm_year <= 9999 - 1900;
}

void rfc3339_write(struct buf *out, int64_t seconds)
{
    struct tm utc;
    if (!utc_of(seconds, &utc)) {
        out->has_failed = true;
        return;
    }
    buf_printf(out, "%04d-%02d-%02dT%02d:%02d:%02dZ", utc.tm_year + 1900, utc.tm_mon + 1,
               utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

void http_date_write(struct buf *out, int64_t seconds)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct tm utc;
    if (!utc_of(seconds, &utc)) {
        out->has_failed = true;
        return;
    }
    buf_printf(out, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[utc.tm_wday], utc.tm_mday,
               months[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
}
