/* SPDX-License-Identifier: Apache-2.0 */
/* postern: the command line and, with `serve`, the supervisor. */
#include "cli/cli.h"
#include "log/log.h"

#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ARENA_BYTES_MAX = 64 << 20, CONFIG_FILE_BYTES_MAX = 65536 };

extern char **environ;

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

/* --- Help
 * ------------------------------------------------------------------------------------------------
 */

static int print_help(void)
{
    (void)puts("postern: application clients, OAuth 2.0 access tokens and API keys for machines\n\n"
               "Usage: postern [--data DIR] [--config FILE] [--json] COMMAND …\n");
    for (size_t i = 0; i < cli_command_count; i++)
        (void)printf("  %-22s %s\n", cli_commands[i].name, cli_commands[i].help);
    (void)puts("\n  --data DIR     the server's data directory (or POSTERN_DATA)\n"
               "  --config FILE  configuration: `key = value` lines\n"
               "  --json         print JSON\n"
               "  --help         this text; after a command, that command's options\n"
               "  --version      the program's version");
    return 0;
}

static int print_command_help(const struct cli_command *command)
{
    (void)printf("Usage: postern %s %s\n\n%s.\n", command->name, command->arguments, command->help);
    for (const struct cli_option_row *row = command->options; row != NULL && row->name != NULL;
         row++) {
        char option[64];
        (void)snprintf(option, sizeof option, "--%s%s%s", row->name, row->value == NULL ? "" : " ",
                       row->value == NULL ? "" : row->value);
        (void)printf("  %-32s %s\n", option, row->help);
    }
    for (size_t i = 0; command->takes_config && i < config_key_count(); i++) {
        char option[64];
        struct span name = config_key_name(i);
        (void)snprintf(option, sizeof option, "--%.*s", SPAN_FMT(name));
        for (char *at = option; *at != '\0'; at++)
            *at = *at == '_' ? '-' : *at;
        (void)printf("  %-32s %s\n", option, config_key_help(i));
    }
    return 0;
}

/* --- Reading the command line
 * ------------------------------------------------------------------------------ */

static const struct cli_option_row *find_option(const struct cli_command *command, struct span name)
{
    for (const struct cli_option_row *row = command->options; row != NULL && row->name != NULL;
         row++) {
        if (span_equal(name, span_cstr(row->name)))
            return row;
    }
    return NULL;
}

/* Does an option take a value? Global ones and configuration keys do, but for the flags. */
static bool takes_value(const struct cli_command *command, struct span name)
{
    const struct cli_option_row *row = command == NULL ? NULL : find_option(command, name);
    if (row != NULL)
        return row->value != NULL;
    return !span_equal(name, SPAN("json")) && !span_equal(name, SPAN("help")) &&
           !span_equal(name, SPAN("version"));
}

/* The first words of argv that are no options, nor values of global ones: at most max. */
static size_t first_words(int argc, char **argv, const char **words, size_t max)
{
    size_t count = 0;
    for (int i = 1; i < argc && count < max; i++) {
        struct span argument = span_cstr(argv[i]);
        if (!span_starts(argument, SPAN("--")))
            words[count++] = argv[i];
        else if (span_find(argument, '=') == argument.len &&
                 takes_value(NULL, span_from(argument, 2)))
            i++;
    }
    return count;
}

/* The command whose name these words begin with; the longest name wins. *ret_words: how many it
 * has. */
static const struct cli_command *find_command(const char *const *words, size_t count,
                                              size_t *ret_words)
{
    char name[64];
    for (size_t used = count; used > 0; used--) {
        (void)snprintf(name, sizeof name, "%s%s%s", words[0], used > 1 ? " " : "",
                       used > 1 ? words[1] : "");
        for (size_t i = 0; i < cli_command_count; i++) {
            if (strcmp(cli_commands[i].name, name) == 0) {
                *ret_words = used;
                return &cli_commands[i];
            }
        }
    }
    return NULL;
}

static int add_option(struct cli *cli, const struct cli_command *command, struct span name,
                      struct span value)
{
    bool is_global = span_equal(name, SPAN("data")) || span_equal(name, SPAN("config"));
    if (span_equal(name, SPAN("json"))) {
        cli->is_json = true;
        return 0;
    }
    if (span_equal(name, SPAN("help"))) {
        cli->wants_help = true;
        return 0;
    }
    if (!is_global && find_option(command, name) == NULL && !command->takes_config)
        return cli_usage("`postern %s` has no option --%.*s", command->name, SPAN_FMT(name));
    if (cli->option_count == CLI_OPTIONS_MAX)
        return cli_usage("too many options");
    cli->options[cli->option_count++] = (struct cli_option){name, value};
    return 0;
}

static int read_arguments(struct cli *cli, const struct cli_command *command, size_t command_words,
                          int argc, char **argv)
{
    size_t words = 0;
    for (int i = 1; i < argc; i++) {
        struct span rest = span_cstr(argv[i]);
        if (!span_starts(rest, SPAN("--")) || rest.len == 2) {
            if (words++ < command_words)
                continue;
            if (cli->word_count == CLI_WORDS_MAX)
                return cli_usage("too many arguments");
            cli->words[cli->word_count++] = rest;
            continue;
        }
        struct span name;
        struct span value = {0};
        rest = span_from(rest, 2);
        if (span_cut(&rest, '=', &name)) {
            value = rest;
        } else if (takes_value(command, name)) {
            if (i + 1 == argc)
                return cli_usage("--%.*s needs a value", SPAN_FMT(name));
            value = span_cstr(argv[++i]);
        }
        int result = add_option(cli, command, name, value);
        if (result != 0)
            return result;
    }
    return 0;
}

/* --- Configuration: default < file < environment < flag
 * ---------------------------------------------------- */

static enum status read_config_file(struct cli *cli, struct span path, struct err *err)
{
    char *text = arena_alloc(&cli->arena, CONFIG_FILE_BYTES_MAX);
    int fd = open(path.ptr, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail(err, NOT_FOUND, "cannot open %.60s: %s", path.ptr, strerror(errno));
    ssize_t len = text == NULL ? -1 : read(fd, text, CONFIG_FILE_BYTES_MAX);
    (void)close(fd);
    if (len < 0 || len == CONFIG_FILE_BYTES_MAX)
        return fail(err, INVALID, "cannot read %.60s, or it is longer than 64 KiB", path.ptr);
    return config_read_file(&cli->config, span_of(text, (size_t)len), path.ptr, &cli->arena, err);
}

static enum status set_flag(struct cli *cli, const struct cli_option *option, struct err *err)
{
    char name[64];
    if (option->name.len >= sizeof name)
        return fail(err, NOT_FOUND, "unknown option");
    for (size_t i = 0; i < option->name.len; i++)
        name[i] = option->name.ptr[i] == '-' ? '_' : option->name.ptr[i];
    return config_set(&cli->config, span_of(name, option->name.len), option->value, &cli->arena,
                      err);
}

static enum status read_config(struct cli *cli, const struct cli_command *command, struct err *err)
{
    struct span file = cli_option(cli, "config");
    config_defaults(&cli->config);
    enum status status = file.len == 0 ? OK : read_config_file(cli, file, err);
    if (status == OK)
        status =
            config_read_environment(&cli->config, (const char *const *)environ, &cli->arena, err);
    config_source_begin(&cli->config);
    for (size_t i = 0; i < cli->option_count && status == OK; i++) {
        struct span name = cli->options[i].name;
        bool is_own = find_option(command, name) != NULL || span_equal(name, SPAN("config"));
        if (!is_own)
            status = set_flag(cli, &cli->options[i], err);
    }
    return status == OK ? config_check(&cli->config, err) : status;
}

int main(int argc, char **argv)
{
    struct err err = {0};
    size_t command_words = 0;
    const char *words[2];
    size_t word_count = first_words(argc, argv, words, ARRAY_LEN(words));
    const struct cli_command *command = find_command(words, word_count, &command_words);
    if (argc == 2 && strcmp(argv[1], "--version") == 0)
        return printf("postern %s\n", POSTERN_VERSION) > 0 ? 0 : 1;
    if (command == NULL && (argc == 1 || strcmp(argv[1], "--help") == 0))
        return print_help();
    if (command == NULL)
        return cli_usage("there is no such command: %s%s%s", word_count > 0 ? words[0] : argv[1],
                         word_count > 1 ? " " : "", word_count > 1 ? words[1] : "");
    struct cli *cli = calloc(1, sizeof *cli);
    if (cli == NULL)
        return cli_fail("no memory");
    arena_init(&cli->arena, ARENA_BYTES_MAX);
    int result = read_arguments(cli, command, command_words, argc, argv);
    if (result == 0 && cli->wants_help) {
        result = print_command_help(command);
    } else if (result == 0) {
        enum status status = read_config(cli, command, &err);
        log_init("postern", span_equal(cli->config.log_format, SPAN("json")));
        result = status == OK ? command->run(cli) : cli_usage("%s", err.detail);
    }
    arena_done(&cli->arena);
    free(cli);
    return result;
}
