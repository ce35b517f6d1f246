/* SPDX-License-Identifier: Apache-2.0 */
#include "log/log.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static struct {
    const char *program;
    bool is_json;
} sink = {.program = "postern"};

static const char *const level_names[] = {
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_WARN] = "warning",
    [LOG_LEVEL_ERROR] = "error",
};

void log_init(const char *program, bool is_json)
{
    sink.program = program;
    sink.is_json = is_json;
}

/* Every byte that could end the line, a JSON string or the reader's terminal state becomes \u00XX.
 */
static unsigned escape(const char *from, char *to, unsigned room)
{
    unsigned len = 0;
    for (; *from != '\0' && len + 6 < room; from++) {
        unsigned char byte = (unsigned char)*from;
        if (byte < 0x20 || byte == 0x7f || byte == '"' || byte == '\\')
            len += (unsigned)snprintf(to + len, room - len, "\\u%04x", byte);
        else
            to[len++] = (char)byte;
    }
    return len;
}

unsigned log_format(const struct log_line *line, char text[static LOG_LINE_MAX])
{
    struct tm utc;
    time_t seconds = (time_t)line->seconds;
    char when[32] = "";
    if (gmtime_r(&seconds, &utc) != NULL)
        (void)strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &utc);
    int head = line->is_json
                   ? snprintf(text, LOG_LINE_MAX,
                              "{\"time\":\"%s\",\"level\":\"%s\",\"program\":\"%s\",\"message\":\"",
                              when, level_names[line->level], line->program)
                   : snprintf(text, LOG_LINE_MAX, "%s %s %s: ", when, line->program,
                              level_names[line->level]);
    unsigned len = head < 0 ? 0 : (unsigned)head;
    char tail[64] = "";
    if (line->request_id.len > 0)
        (void)snprintf(tail, sizeof tail,
                       line->is_json ? "\",\"request_id\":\"%.*s" : " (request %.*s)",
                       SPAN_FMT(span_first(line->request_id, 32)));
    len += escape(line->message, text + len, LOG_LINE_MAX - len - (unsigned)sizeof tail);
    len += (unsigned)snprintf(text + len, LOG_LINE_MAX - len, "%s%s", tail,
                              line->is_json ? "\"}\n" : "\n");
    return len;
}

PRINTF_LIKE(3, 0)
static void write_line(enum log_level level, struct span request_id, const char *format,
                       va_list arguments)
{
    char message[LOG_LINE_MAX / 2];
    char text[LOG_LINE_MAX];
    (void)vsnprintf(message, sizeof message, format, arguments);
    const struct log_line line = {.program = sink.program,
                                  .is_json = sink.is_json,
                                  .level = level,
                                  .seconds = clock_wall_seconds(),
                                  .request_id = request_id,
                                  .message = message};
    unsigned len = log_format(&line, text);
    /* One write, so that lines of several processes do not mix. A log that cannot be written is not
     * a reason to stop serving. */
    ssize_t written = write(STDERR_FILENO, text, len);
    (void)written;
}

void log_info(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_line(LOG_LEVEL_INFO, (struct span){0}, format, arguments);
    va_end(arguments);
}

void log_warn(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_line(LOG_LEVEL_WARN, (struct span){0}, format, arguments);
    va_end(arguments);
}

void log_error(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_line(LOG_LEVEL_ERROR, (struct span){0}, format, arguments);
    va_end(arguments);
}

void log_request(enum log_level level, struct span request_id, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_line(level, request_id, format, arguments);
    va_end(arguments);
}
