/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: a table of commands, options that may stand before or after the command, and
 * the conversation with the server over its control socket. */
#pragma once

#include "base/arena.h"
#include "base/attr.h"
#include "base/status.h"
#include "config/config.h"

enum { CLI_OPTIONS_MAX = 64, CLI_WORDS_MAX = 16 };

struct cli_option {
    struct span name; /* without the dashes */
    struct span value;
};

/* What was said on the command line, taken apart. */
struct cli {
    struct arena arena;
    struct config config;                       /* with flags, environment and file applied */
    struct cli_option options[CLI_OPTIONS_MAX]; /* those of the command, in order */
    size_t option_count;
    struct span words[CLI_WORDS_MAX]; /* what is no option, after the command's own words */
    size_t word_count;
    bool is_json;
    bool wants_help;
    const struct cli_command *command;
    char *const *argv; /* as the process got it */
};

/* A command's own options; flag options take no value. */
struct cli_option_row {
    const char *name;
    const char *value; /* what the value is, for help; NULL: a flag; "…" at its end: repeatable */
    const char *help;
};

struct cli_command {
    const char *name;      /* "app-client create" */
    const char *arguments; /* of the usage line */
    const char *help;
    const struct cli_option_row *options; /* ends with a NULL name; NULL: none */
    size_t word_max;                      /* of what is no option, after the command's own words */
    bool takes_config;                    /* every configuration key is an option too */
    int (*run)(struct cli *cli);          /* the process's exit status */
};

extern const struct cli_command cli_commands[];
extern const size_t cli_command_count;

/* Default < file < environment < flag, into *ret_config, whose texts are in the arena or in argv.
 */
enum status cli_read_config(const struct cli *cli, struct arena *arena, struct config *ret_config,
                            struct err *err) MUST_USE;

/* The value of an option; empty when it was not given. */
struct span cli_option(const struct cli *cli, const char *name);
bool cli_has(const struct cli *cli, const char *name);

/* "postern: " and the message on standard error, with --json {"error": "the message"}: one call for
 * each failure. Answers exit status 1. */
int cli_fail(const struct cli *cli, const char *format, ...) PRINTF_LIKE(2, 3);
/* The same for wrong use: exit status 2. */
int cli_usage(const struct cli *cli, const char *format, ...) PRINTF_LIKE(2, 3);
