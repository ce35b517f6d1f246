/* SPDX-License-Identifier: Apache-2.0 */
/* postern: the command line and, with `serve`, the supervisor. */
#include "cli/cli.h"
#include "cli/cli_arguments.h"
#include "log/log.h"

#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ARENA_BYTES_MAX = 64 << 20, CONFIG_FILE_BYTES_MAX = 65536 };

extern char **environ;

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
        bool is_own = cli_arguments_row(command, name) != NULL || span_equal(name, SPAN("config"));
        if (!is_own)
            status = set_flag(cli, &cli->options[i], err);
    }
    return status == OK ? config_check(&cli->config, err) : status;
}

int main(int argc, char **argv)
{
    struct err err = {0};
    struct cli_named named = cli_arguments_command(argc, argv);
    const struct cli_command *command = named.command;
    if (named.word_count == 0 && named.wants_version)
        return printf("postern %s\n", POSTERN_VERSION) > 0 ? 0 : 1;
    if (command == NULL && (argc == 1 || named.wants_help))
        return print_help();
    if (command == NULL)
        return cli_usage(
            "there is no such command: %s%s%s", named.word_count > 0 ? named.words[0] : argv[1],
            named.word_count > 1 ? " " : "", named.word_count > 1 ? named.words[1] : "");
    struct cli *cli = calloc(1, sizeof *cli);
    if (cli == NULL)
        return cli_fail("no memory");
    arena_init(&cli->arena, ARENA_BYTES_MAX);
    int result = cli_arguments_read(cli, &named, argc, argv);
    if (result == 0 && cli->wants_help) {
        result = print_command_help(command);
    } else if (result == 0) {
        enum status status = read_config(cli, command, &err);
        log_init("postern", span_equal(cli->config.log_format, SPAN("json")));
        result = status == OK ? command->run(cli) : cli_usage("%s", err.detail);
    }
    arena_done(&cli->arena);
    free(cli);
    if ((fflush(stdout) != 0 || ferror(stdout) != 0) && result == 0)
        result = cli_fail("cannot write standard output: %s", strerror(errno));
    return result;
}
