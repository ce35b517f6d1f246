/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/rfc3339.h"

#include "base/buf.h"

#include <string.h>
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

/* Takes so many digits off the front; the value must be from min to max. */
static bool read_digits(struct span *text, size_t count, int min, int max, int *ret_value)
{
    int value = 0;
    if (text->len < count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (text->ptr[i] < '0' || text->ptr[i] > '9')
            return false;
        value = value * 10 + (text->ptr[i] - '0');
    }
    *text = span_from(*text, count);
    *ret_value = value;
    return value >= min && value <= max;
}

/* Takes one of these characters off the front. */
static bool read_one_of(struct span *text, const char *characters)
{
    if (text->len == 0 || strchr(characters, text->ptr[0]) == NULL || text->ptr[0] == '\0')
        return false;
    *text = span_from(*text, 1);
    return true;
}

/* ".5", or nothing. */
static bool read_fraction(struct span *text)
{
    size_t digits = 0;
    if (!read_one_of(text, "."))
        return true;
    while (read_one_of(text, "0123456789"))
        digits++;
    return digits > 0;
}

/* "Z" or "+01:00", in seconds. */
static bool read_offset(struct span *text, int64_t *ret_offset)
{
    int hours;
    int minutes;
    *ret_offset = 0;
    if (read_one_of(text, "Zz"))
        return true;
    int sign = text->len > 0 && text->ptr[0] == '-' ? -1 : 1;
    if (!read_one_of(text, "+-") || !read_digits(text, 2, 0, 23, &hours) ||
        !read_one_of(text, ":") || !read_digits(text, 2, 0, 59, &minutes))
        return false;
    *ret_offset = (int64_t)sign * (hours * 60 + minutes) * 60;
    return true;
}

static int days_of(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && is_leap);
}

bool rfc3339_read(struct span text, int64_t *ret_seconds)
{
    int year;
    int month;
    int64_t offset;
    struct tm utc = {0};
    if (!read_digits(&text, 4, 0, 9999, &year) || !read_one_of(&text, "-") ||
        !read_digits(&text, 2, 1, 12, &month) || !read_one_of(&text, "-") ||
        !read_digits(&text, 2, 1, 31, &utc.tm_mday) || !read_one_of(&text, "Tt ") ||
        !read_digits(&text, 2, 0, 23, &utc.tm_hour) || !read_one_of(&text, ":") ||
        !read_digits(&text, 2, 0, 59, &utc.tm_min) || !read_one_of(&text, ":") ||
        !read_digits(&text, 2, 0, 60, &utc.tm_sec) || !read_fraction(&text) ||
        !read_offset(&text, &offset) || text.len > 0)
        return false;
    utc.tm_year = year - 1900;
    utc.tm_mon = month - 1;
    if (utc.tm_mday > days_of(year, month))
        return false;
    *ret_seconds = (int64_t)timegm(&utc) - offset;
    return true;
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
