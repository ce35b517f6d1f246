/* SPDX-License-Identifier: Apache-2.0 */
/* postern: the command line and, with `serve`, the supervisor. */
#include "cli/cli.h"
#include "cli/cli_arguments.h"
#include "log/log.h"
#include "codec/json.h"

#include "base/buf.h"
#include "codec/utf8.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_BYTES_MAX = 64 << 20 };

/* --- Help
 * ------------------------------------------------------------------------------------------------
 */

static int print_help(void)
{
    (void)puts("postern: application clients, OAuth 2.0 access tokens and API keys for machines\n\n"
               "Usage: postern [--data DIR] [--config FILE] [--account ID] [--json] COMMAND …\n");
    for (size_t i = 0; i < cli_command_count; i++)
        (void)printf("  %-22s %s\n", cli_commands[i].name, cli_commands[i].help);
    (void)puts("\n  --data DIR     the server's data directory (or POSTERN_DATA)\n"
               "  --config FILE  configuration: `key = value` lines\n"
               "  --account ID   act in this account (acc_…); the oldest one when it is not given\n"
               "  --json         print JSON\n"
               "  --help         this text; after a command, that command's options\n"
               "  --version      the program's version");
    return 0;
}

/* "postern config": says which commands begin so, with --help on standard output. False: none does.
 */
static bool print_commands_of(const struct cli *cli, const char *word, bool is_help)
{
    struct buf text AUTO(buf);
    size_t len = strlen(word);
    buf_init(&text, 4096);
    for (size_t i = 0; i < cli_command_count; i++) {
        const char *name = cli_commands[i].name;
        if (strncmp(name, word, len) == 0 && name[len] == ' ')
            buf_printf(&text, "\n  postern %-20s %s", name, cli_commands[i].help);
    }
    if (!buf_ok(&text) || text.len == 0)
        return false;
    if (is_help)
        (void)printf("Usage: postern %s COMMAND …\n%.*s\n", word, (int)text.len, text.data);
    else
        (void)cli_usage(cli, "%s what? There are:%.*s", word, (int)text.len, text.data);
    return true;
}

enum { HELP_COLUMN = 35, HELP_BYTES_MAX = 4096 };

/* An option and its help, whose further lines stand below the first; all of it below an option that
 * is too long. */
static void print_option(const char *name, const char *value, const char *help)
{
    struct span rest = span_cstr(help);
    struct span line;
    char option[64];
    (void)snprintf(option, sizeof option, "--%s%s%s", name, value == NULL ? "" : " ",
                   value == NULL ? "" : value);
    int width = (int)utf8_length(span_cstr(option));
    bool goes_on = span_cut(&rest, '\n', &line);
    if (width < HELP_COLUMN - 3)
        (void)printf("  %s%*s%.*s\n", option, HELP_COLUMN - 2 - width, "", SPAN_FMT(line));
    else
        (void)printf("  %s\n%*s%.*s\n", option, HELP_COLUMN, "", SPAN_FMT(line));
    while (goes_on) {
        goes_on = span_cut(&rest, '\n', &line);
        (void)printf("%*s%.*s\n", HELP_COLUMN, "", SPAN_FMT(line));
    }
}

static int print_command_help(const struct cli_command *command)
{
    (void)printf("Usage: postern %s %s\n\n%s.\n", command->name, command->arguments, command->help);
    for (const struct cli_option_row *row = command->options; row != NULL && row->name != NULL;
         row++)
        print_option(row->name, row->value, row->help);
    if (command->takes_config)
        print_option("config", "FILE", "read `key = value` lines from this file");
    for (size_t i = 0; command->takes_config && i < config_key_count(); i++) {
        char name[64];
        struct span key = config_key_name(i);
        (void)snprintf(name, sizeof name, "%.*s", SPAN_FMT(key));
        for (char *at = name; *at != '\0'; at++)
            *at = *at == '_' ? '-' : *at;
        struct buf help AUTO(buf);
        buf_init(&help, HELP_BYTES_MAX);
        buf_printf(&help, "%s\n(", config_key_help(i));
        config_key_print_values(i, &help);
        buf_put(&help, SPAN(")"));
        buf_byte(&help, '\0');
        print_option(name, "VALUE", buf_ok(&help) ? help.data : config_key_help(i));
    }
    return 0;
}

/* There is no command: help, or what is wrong. Exit status. */
static int run_nothing(const struct cli *cli, const struct cli_named *named, int argc)
{
    if (named->word_count == 0 && (argc == 1 || named->wants_help))
        return print_help();
    if (named->word_count == 0 && named->command_option.len > 0)
        return cli_usage(cli, "--%.*s needs a command before it", SPAN_FMT(named->command_option));
    if (named->word_count == 0)
        return cli_usage(cli, "a command is missing");
    if (named->word_count == 1 && print_commands_of(cli, named->words[0], named->wants_help))
        return named->wants_help ? 0 : 2;
    return cli_usage(cli, "there is no such command: %s%s%s", named->words[0],
                     named->word_count > 1 ? " " : "",
                     named->word_count > 1 ? named->words[1] : "");
}

static int run_command(struct cli *cli, const struct cli_named *named, int argc, char **argv)
{
    struct err err = {0};
    cli->command = named->command;
    cli->argv = argv;
    int result = cli_arguments_read(cli, named, argc, argv);
    if (result != 0)
        return result;
    if (cli->wants_help)
        return print_command_help(cli->command);
    if (cli_read_config(cli, &cli->arena, &cli->config, &err) != OK)
        return cli_usage(cli, "%s", err.detail);
    log_init("postern", span_equal(cli->config.log_format, SPAN("json")));
    return cli->command->run(cli);
}

int main(int argc, char **argv)
{
    struct cli_named named = cli_arguments_command(argc, argv);
    json_init();
    if (named.word_count == 0 && named.wants_version)
        return printf("postern %s\n", POSTERN_VERSION) > 0 ? 0 : 1;
    struct cli *cli = calloc(1, sizeof *cli);
    if (cli == NULL) {
        (void)fputs("postern: no memory\n", stderr);
        return 1;
    }
    arena_init(&cli->arena, ARENA_BYTES_MAX);
    cli->is_json = named.wants_json;
    int result = named.command == NULL ? run_nothing(cli, &named, argc)
                                       : run_command(cli, &named, argc, argv);
    if ((fflush(stdout) != 0 || ferror(stdout) != 0) && result == 0)
        result = cli_fail(cli, "cannot write standard output: %s", strerror(errno));
    arena_done(&cli->arena);
    free(cli);
    return result;
}
