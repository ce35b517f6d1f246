/* SPDX-License-Identifier: Apache-2.0 */
/* postern: the command line and, with `serve`, the supervisor. */
#include "cli/cli.h"
#include "cli/cli_arguments.h"
#include "log/log.h"

#include "base/buf.h"

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

/* "postern config": says which commands begin so. False: none does. */
static bool print_commands_of(const char *word)
{
    size_t len = strlen(word);
    bool has_any = false;
    for (size_t i = 0; i < cli_command_count; i++) {
        const char *name = cli_commands[i].name;
        if (strncmp(name, word, len) != 0 || name[len] != ' ')
            continue;
        if (!has_any)
            (void)fprintf(stderr, "postern: %s what? There are:\n", word);
        has_any = true;
        (void)fprintf(stderr, "  postern %-20s %s\n", name, cli_commands[i].help);
    }
    return has_any;
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
    if (command->takes_config)
        (void)printf("  %-32s %s\n", "--config FILE", "read `key = value` lines from this file");
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

int main(int argc, char **argv)
{
    struct err err = {0};
    struct cli_named named = cli_arguments_command(argc, argv);
    const struct cli_command *command = named.command;
    if (named.word_count == 0 && named.wants_version)
        return printf("postern %s\n", POSTERN_VERSION) > 0 ? 0 : 1;
    if (command == NULL && named.word_count == 0 && (argc == 1 || named.wants_help))
        return print_help();
    if (command == NULL && named.word_count == 1 && print_commands_of(named.words[0]))
        return 2;
    if (command == NULL)
        return cli_usage(
            "there is no such command: %s%s%s", named.word_count > 0 ? named.words[0] : argv[1],
            named.word_count > 1 ? " " : "", named.word_count > 1 ? named.words[1] : "");
    struct cli *cli = calloc(1, sizeof *cli);
    if (cli == NULL)
        return cli_fail("no memory");
    arena_init(&cli->arena, ARENA_BYTES_MAX);
    cli->command = command;
    cli->argv = argv;
    int result = cli_arguments_read(cli, &named, argc, argv);
    if (result == 0 && cli->wants_help) {
        result = print_command_help(command);
    } else if (result == 0) {
        enum status status = cli_read_config(cli, &cli->arena, &cli->config, &err);
        log_init("postern", span_equal(cli->config.log_format, SPAN("json")));
        result = status == OK ? command->run(cli) : cli_usage("%s", err.detail);
    }
    arena_done(&cli->arena);
    free(cli);
    if ((fflush(stdout) != 0 || ferror(stdout) != 0) && result == 0)
        result = cli_fail("cannot write standard output: %s", strerror(errno));
    return result;
}
