/* SPDX-License-Identifier: Apache-2.0 */
/* Taking a command line apart: the command's words, its options and what is neither. Options may
 * stand before or after the command; after "--" nothing is an option. */
#pragma once

#include "cli/cli.h"

enum { CLI_COMMAND_WORDS_MAX = 2 };

/* Which command argv names, and how it can be told when it names none. */
struct cli_named {
    const struct cli_command *command;        /* NULL: none of that name */
    size_t command_words;                     /* how many words its name has */
    const char *words[CLI_COMMAND_WORDS_MAX]; /* the first words of argv */
    size_t word_count;
    bool wants_help; /* --help or --version stand where a command's options would */
    bool wants_version;
    bool wants_json;
    struct span command_option; /* the first that needs a command; empty: none */
};

struct cli_named cli_arguments_command(int argc, char **argv);

/* Reads options and words into cli. Exit status: 0, or 2 with a message. */
int cli_arguments_read(struct cli *cli, const struct cli_named *named, int argc,
                       char **argv) MUST_USE;

/* The row of a command's own option; NULL when it has none of that name. */
const struct cli_option_row *cli_arguments_row(const struct cli_command *command, struct span name);
