/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli_arguments.h"

#include "cli_fixture.h"

enum { ARGUMENTS_MAX = 80 };

/* A command line, cut at blanks: "postern" is put in front. */
struct line {
    struct cli_fixture *f;
    struct cli_named named;
    char text[1024];
    char *argv[ARGUMENTS_MAX];
    int argc;
    int result;
};

static void open_line(struct line *line, const char *text)
{
    static char program[] = "postern";
    *line = (struct line){.f = cli_fixture_new(), .argv = {program}, .argc = 1};
    (void)snprintf(line->text, sizeof line->text, "%s", text);
    for (char *at = line->text; *at != '\0';) {
        assert_true(line->argc < ARGUMENTS_MAX - 1);
        line->argv[line->argc++] = at;
        at += strcspn(at, " ");
        if (*at == ' ')
            *at++ = '\0';
    }
    line->named = cli_arguments_command(line->argc, line->argv);
    if (line->named.command != NULL)
        line->result = CAPTURED(
            line->f, cli_arguments_read(&line->f->cli, &line->named, line->argc, line->argv));
}

static void close_line(struct line *line)
{
    cli_fixture_free(line->f);
}

static void commands_are_found_wherever_options_stand(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        const char *command; /* NULL: none */
    } cases[] = {
        {"serve", "serve"},
        {"app-client list", "app-client list"},
        {"--data /srv/x app-client list", "app-client list"},
        {"--data=/srv/x app-client list", "app-client list"},
        {"app-client --json list", "app-client list"},
        {"--json app-client --data serve list", "app-client list"},
        {"--offline serve", "serve"},
        {"--no-roles app-client update app_1", "app-client update"},
        {"app-client show decode", "app-client show"},
        {"decode serve", "decode"},
        {"-- decode -", "decode"},
        {"decode -- --json", "decode"},
        {"", NULL},
        {"--", NULL},
        {"app-client", NULL},
        {"list app-client", NULL},
        {"Serve", NULL},
        {"--data serve", NULL},
        {"-h", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct line line;
        open_line(&line, cases[i].line);
        if (cases[i].command == NULL) {
            assert_null(line.named.command);
        } else {
            assert_non_null(line.named.command);
            assert_string_equal(line.named.command->name, cases[i].command);
            assert_int_equal(line.result, 0);
        }
        close_line(&line);
    }
}

static void options_and_words_are_told_apart(void **state)
{
    (void)state;
    struct line line;
    open_line(&line, "--json app-client update --role viewer app_1 --role=owner --no-roles "
                     "--data=/a=b --description=");
    assert_int_equal(line.result, 0);
    const struct cli *cli = &line.f->cli;
    assert_true(cli->is_json);
    assert_false(cli->wants_help);
    assert_int_equal(cli->word_count, 1);
    assert_span_equal(cli->words[0], "app_1");
    assert_int_equal(cli->option_count, 5);
    assert_span_equal(cli->options[0].value, "viewer");
    assert_span_equal(cli_option(cli, "role"), "owner"); /* the last one */
    assert_span_equal(cli_option(cli, "data"), "/a=b");
    assert_true(cli_has(cli, "no-roles"));
    assert_true(cli_has(cli, "description"));
    assert_int_equal(cli_option(cli, "description").len, 0);
    assert_false(cli_has(cli, "corpus-role"));
    close_line(&line);
}

static void after_two_dashes_nothing_is_an_option(void **state)
{
    (void)state;
    struct line line;
    open_line(&line, "decode --json -- --help");
    assert_int_equal(line.result, 0);
    assert_true(line.f->cli.is_json);
    assert_false(line.f->cli.wants_help);
    assert_false(line.named.wants_help);
    assert_int_equal(line.f->cli.word_count, 1);
    assert_span_equal(line.f->cli.words[0], "--help");
    close_line(&line);
}

/* A value may look like an option: what follows an option that takes one is its value. */
static void a_value_may_begin_with_dashes(void **state)
{
    (void)state;
    struct line line;
    open_line(&line, "app-client create --name --json --description -");
    assert_int_equal(line.result, 0);
    assert_false(line.f->cli.is_json);
    assert_span_equal(cli_option(&line.f->cli, "name"), "--json");
    assert_span_equal(cli_option(&line.f->cli, "description"), "-");
    close_line(&line);
}

static void wrong_use_is_exit_status_2_with_the_reason(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        const char *says;
    } cases[] = {
        {"app-client list --name", "`postern app-client list` has no option --name"},
        {"app-client list --offline", "has no option --offline"},
        {"app-client list --token-alg ES256", "has no option --token-alg"},
        {"app-client list --version", "has no option --version"},
        {"app-client list --limit", "--limit needs a value"},
        {"serve --data", "--data needs a value"},
        {"serve --offline=no", "--offline takes no value"},
        {"app-client list --json=no", "--json takes no value"},
        {"app-client list --help=x", "--help takes no value"},
        {"app-client update app_1 --no-roles=", "--no-roles takes no value"},
        {"decode 1 2", "`postern decode` does not take 2"},
        {"serve extra", "`postern serve` does not take extra"},
        {"app-client create --name a b", "`postern app-client create` does not take b"},
        {"app-client create --name a --name b", "--name stands more than once"},
        {"serve --loops=1 --loops=2", "--loops stands more than once"},
        {"serve --data a --data b", "--data stands more than once"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct line line;
        open_line(&line, cases[i].line);
        assert_int_equal(line.result, 2);
        assert_non_null(strstr(line.f->err, cases[i].says));
        close_line(&line);
    }
}

static void options_have_a_limit_on_their_number(void **state)
{
    (void)state;
    for (int count = CLI_OPTIONS_MAX; count <= CLI_OPTIONS_MAX + 1; count++) {
        struct line line;
        char text[1024] = "serve";
        for (int i = 0; i < count; i++)
            (void)strcat(text, " --listen=a");
        open_line(&line, text);
        assert_int_equal(line.result, count == CLI_OPTIONS_MAX ? 0 : 2);
        close_line(&line);
    }
}

static void help_and_version_are_seen_without_a_command(void **state)
{
    (void)state;
    struct line line;
    open_line(&line, "--json --help");
    assert_true(line.named.wants_help);
    assert_false(line.named.wants_version);
    close_line(&line);
    open_line(&line, "--version");
    assert_true(line.named.wants_version);
    close_line(&line);
    open_line(&line, "--data --help"); /* a directory of that name */
    assert_false(line.named.wants_help);
    close_line(&line);
    open_line(&line, "--help app-client list");
    assert_int_equal(line.result, 0);
    assert_true(line.f->cli.wants_help);
    close_line(&line);
}

/* What reading relies on: an option is a flag in every command or in none. */
static void every_command_is_a_sound_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < cli_command_count; i++) {
        const struct cli_command *command = &cli_commands[i];
        assert_non_null(command->run);
        assert_true(command->help[0] != '\0');
        for (size_t other = 0; other < i; other++)
            assert_string_not_equal(cli_commands[other].name, command->name);
        const struct cli_option_row *row = command->options;
        for (; row != NULL && row->name != NULL; row++) {
            struct span name = span_cstr(row->name);
            assert_ptr_equal(cli_arguments_row(command, name), row);
            for (size_t other = 0; other < i; other++) {
                const struct cli_option_row *same = cli_arguments_row(&cli_commands[other], name);
                if (same != NULL)
                    assert_int_equal(same->value == NULL, row->value == NULL);
            }
            for (size_t key = 0; key < config_key_count(); key++)
                assert_false(span_equal(config_key_name(key), name));
            assert_false(span_equal(name, SPAN("json")) || span_equal(name, SPAN("help")) ||
                         span_equal(name, SPAN("version")) || span_equal(name, SPAN("config")));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_are_found_wherever_options_stand),
        cmocka_unit_test(options_and_words_are_told_apart),
        cmocka_unit_test(after_two_dashes_nothing_is_an_option),
        cmocka_unit_test(a_value_may_begin_with_dashes),
        cmocka_unit_test(wrong_use_is_exit_status_2_with_the_reason),
        cmocka_unit_test(options_have_a_limit_on_their_number),
        cmocka_unit_test(help_and_version_are_seen_without_a_command),
        cmocka_unit_test(every_command_is_a_sound_row),
    };
    return RUN_TESTS(tests);
}
