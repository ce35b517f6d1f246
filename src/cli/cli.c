/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include <stdarg.h>
#include <stdio.h>

int cli_fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)fputs("postern: ", stderr);
    (void)vfprintf(stderr, format, arguments);
    (void)fputc('\n', stderr);
    va_end(arguments);
    return 1;
}

int cli_usage(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)fputs("postern: ", stderr);
    (void)vfprintf(stderr, format, arguments);
    (void)fputs("\nSee `postern --help`, or --help after a command.\n", stderr);
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
