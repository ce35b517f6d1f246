/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include "codec/utf8.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>

enum { MESSAGE_LEN_MAX = 4096 };

/* {"error": text} on one line. What is not UTF-8 came from the command line: '?' stands for it. */
static void print_json_error(char *text)
{
    bool is_utf8 = utf8_is_valid(span_cstr(text));
    for (char *at = text; !is_utf8 && *at != '\0'; at++)
        *at = (*at & 0x80) != 0 ? '?' : *at;
    json_t *error = json_pack("{s:s}", "error", text);
    (void)json_dumpf(error, stderr, JSON_COMPACT | JSON_ENSURE_ASCII);
    (void)fputc('\n', stderr);
    json_decref(error);
}

PRINTF_LIKE(3, 0)
static void print_message(const struct cli *cli, const char *more, const char *format,
                          va_list arguments)
{
    char text[MESSAGE_LEN_MAX];
    (void)vsnprintf(text, sizeof text, format, arguments);
    if (cli->is_json)
        print_json_error(text);
    else
        (void)fprintf(stderr, "postern: %s\n%s", text, more);
}

int cli_fail(const struct cli *cli, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_message(cli, "", format, arguments);
    va_end(arguments);
    return 1;
}

int cli_usage(const struct cli *cli, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_message(cli, "See `postern --help`, or --help after a command.\n", format, arguments);
    va_end(arguments);
    return 2;
}

struct span cli_option(const struct cli *cli, const char *name)
{
    struct span value = {0};
    for (size_t i = 0; i < cli->option_count; i++) {
        if (span_equal(cli->options[i].name, span_cstr(name)))
            value = cli->options[i].value;
    }
    return value;
}

bool cli_has(const struct cli *cli, const char *name)
{
    for (size_t i = 0; i < cli->option_count; i++) {
        if (span_equal(cli->options[i].name, span_cstr(name)))
            return true;
    }
    return false;
}
