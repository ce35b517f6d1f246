/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli_arguments.h"

#include "codec/utf8.h"

#include <stdio.h>
#include <string.h>

const struct cli_option_row *cli_arguments_row(const struct cli_command *command, struct span name)
{
    for (const struct cli_option_row *row = command->options; row != NULL && row->name != NULL;
         row++) {
        if (span_equal(name, span_cstr(row->name)))
            return row;
    }
    return NULL;
}

/* The flags of all commands: their own, and those that every command has. Any other option takes a
 * value. No command takes a value for what is another's flag. */
static bool is_flag(struct span name)
{
    for (size_t i = 0; i < cli_command_count; i++) {
        const struct cli_option_row *row = cli_arguments_row(&cli_commands[i], name);
        if (row != NULL)
            return row->value == NULL;
    }
    return span_equal(name, SPAN("json")) || span_equal(name, SPAN("help")) ||
           span_equal(name, SPAN("version"));
}

/* One argument, with its value when that is the next one. */
struct argument {
    bool is_option;
    struct span text; /* the word, or the option's name */
    struct span value;
    bool has_value;
};

struct reader {
    int argc;
    char **argv;
    int next;
    bool is_past_options; /* "--" has been read */
};

static bool read_argument(struct reader *reader, struct argument *ret_argument)
{
    struct argument argument = {0};
    if (!reader->is_past_options && reader->next < reader->argc &&
        strcmp(reader->argv[reader->next], "--") == 0) {
        reader->is_past_options = true;
        reader->next++;
    }
    if (reader->next >= reader->argc)
        return false;
    struct span text = span_cstr(reader->argv[reader->next++]);
    argument.is_option = !reader->is_past_options && span_starts(text, SPAN("--"));
    if (!argument.is_option) {
        argument.text = text;
    } else {
        argument.value = span_from(text, 2);
        argument.has_value = span_cut(&argument.value, '=', &argument.text);
        if (!argument.has_value && !is_flag(argument.text) && reader->next < reader->argc) {
            argument.value = span_cstr(reader->argv[reader->next++]);
            argument.has_value = true;
        }
    }
    *ret_argument = argument;
    return true;
}

/* The command whose name these words begin with; the longest name wins. */
static void find_command(struct cli_named *named)
{
    char name[64];
    for (size_t used = named->word_count; used > 0; used--) {
        (void)snprintf(name, sizeof name, "%s%s%s", named->words[0], used > 1 ? " " : "",
                       used > 1 ? named->words[1] : "");
        for (size_t i = 0; i < cli_command_count; i++) {
            if (strcmp(cli_commands[i].name, name) == 0) {
                named->command = &cli_commands[i];
                named->command_words = used;
                return;
            }
        }
    }
}

/* An option of every command. */
static bool is_common(struct span name)
{
    return span_equal(name, SPAN("json")) || span_equal(name, SPAN("help")) ||
           span_equal(name, SPAN("version")) || span_equal(name, SPAN("data")) ||
           span_equal(name, SPAN("config")) || span_equal(name, SPAN("account"));
}

struct cli_named cli_arguments_command(int argc, char **argv)
{
    struct cli_named named = {0};
    struct reader reader = {.argc = argc, .argv = argv, .next = 1};
    struct argument argument;
    while (read_argument(&reader, &argument)) {
        if (!argument.is_option && named.word_count < CLI_COMMAND_WORDS_MAX)
            named.words[named.word_count++] = argument.text.ptr;
        if (argument.is_option && named.command_option.len == 0 && !is_common(argument.text))
            named.command_option = argument.text;
        named.wants_help |= argument.is_option && span_equal(argument.text, SPAN("help"));
        named.wants_json |= argument.is_option && span_equal(argument.text, SPAN("json"));
        named.wants_version |= argument.is_option && span_equal(argument.text, SPAN("version"));
    }
    find_command(&named);
    return named;
}

static bool is_repeatable_row(const struct cli_option_row *row)
{
    static const char mark[] = "…";
    size_t len = row->value == NULL ? 0 : strlen(row->value);
    return len >= sizeof mark && strcmp(row->value + len - (sizeof mark - 1), mark) == 0;
}

/* Texts become JSON, which takes nothing but UTF-8; a path may be any bytes. */
static bool is_bad_text(const struct cli_option_row *row, struct span value)
{
    return row != NULL && row->value != NULL && strcmp(row->value, "FILE") != 0 &&
           !utf8_is_valid(value);
}

/* --token-alg is token_alg; so is --token_alg. */
static bool is_config_key(struct span name)
{
    for (size_t i = 0; i < config_key_count(); i++) {
        struct span key = config_key_name(i);
        size_t same = 0;
        while (key.len == name.len && same < key.len &&
               (key.ptr[same] == name.ptr[same] || (key.ptr[same] == '_' && name.ptr[same] == '-')))
            same++;
        if (same == key.len && key.len == name.len)
            return true;
    }
    return false;
}

static int add_option(struct cli *cli, const struct cli_command *command,
                      const struct argument *argument)
{
    struct span name = argument->text;
    bool is_global = span_equal(name, SPAN("data")) || span_equal(name, SPAN("config")) ||
                     span_equal(name, SPAN("account"));
    bool is_common_flag = span_equal(name, SPAN("json")) || span_equal(name, SPAN("help"));
    if (!is_global && !is_common_flag && cli_arguments_row(command, name) == NULL &&
        !(command->takes_config && is_config_key(name)))
        return cli_usage(cli, "`postern %s` has no option --%.*s", command->name, SPAN_FMT(name));
    if (is_flag(name) && argument->has_value)
        return cli_usage(cli, "--%.*s takes no value", SPAN_FMT(name));
    if (!is_flag(name) && !argument->has_value)
        return cli_usage(cli, "--%.*s needs a value", SPAN_FMT(name));
    cli->wants_help |= span_equal(name, SPAN("help"));
    if (is_common_flag)
        return 0;
    if (span_equal(name, SPAN("account")) && argument->value.len == 0)
        return cli_usage(cli, "--account needs an account's id (acc_…), or leave it out");
    if (cli->option_count == CLI_OPTIONS_MAX)
        return cli_usage(cli, "too many options");
    const struct cli_option_row *row = cli_arguments_row(command, name);
    if (is_bad_text(row, argument->value))
        return cli_usage(cli, "--%.*s is not UTF-8 text", SPAN_FMT(name));
    bool is_repeatable = row != NULL ? is_repeatable_row(row) : span_equal(name, SPAN("listen"));
    for (size_t i = 0; !is_repeatable && i < cli->option_count; i++) {
        if (span_equal(cli->options[i].name, name))
            return cli_usage(cli, "--%.*s stands more than once", SPAN_FMT(name));
    }
    cli->options[cli->option_count++] = (struct cli_option){name, argument->value};
    return 0;
}

int cli_arguments_read(struct cli *cli, const struct cli_named *named, int argc, char **argv)
{
    struct reader reader = {.argc = argc, .argv = argv, .next = 1};
    struct argument argument;
    size_t words = 0;
    int result = 0;
    cli->is_json = named->wants_json; /* also for errors of what stands before it */
    while (result == 0 && read_argument(&reader, &argument)) {
        if (argument.is_option) {
            result = add_option(cli, named->command, &argument);
        } else if (words++ >= named->command_words) {
            if (cli->word_count == named->command->word_max)
                return cli_usage(cli, "`postern %s` does not take %.*s", named->command->name,
                                 SPAN_FMT(argument.text));
            cli->words[cli->word_count++] = argument.text;
        }
    }
    return result;
}
