/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's log: one line per message on standard error, as text or JSON. Only processes log;
 * libraries return. Never a secret, never raw input: control characters and quotes are escaped.
 *
 * The sink is the one state of a process that does not hang from its composition root. */
#pragma once

#include "base/attr.h"
#include "base/span.h"

#include <stdbool.h>

enum log_level { LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

/* Once, before any thread; program is a literal ("posternd"). Text, without times, before it is
 * called. */
void log_init(const char *program, bool is_json);

void log_info(const char *format, ...) PRINTF_LIKE(1, 2);
void log_warn(const char *format, ...) PRINTF_LIKE(1, 2);
void log_error(const char *format, ...) PRINTF_LIKE(1, 2);

/* A line about one request, named by its id. */
void log_request(enum log_level level, struct span request_id, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* Formats one line with its line end into text; answers its length. For log.c and its test. */
struct log_line {
    const char *program;
    bool is_json;
    enum log_level level;
    long long seconds;      /* since the epoch */
    struct span request_id; /* base62; empty: about no request */
    const char *message;
};

enum { LOG_LINE_MAX = 1024 };

unsigned log_format(const struct log_line *line, char text[static LOG_LINE_MAX]);
