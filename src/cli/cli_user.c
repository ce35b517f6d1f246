/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli_user.h"

#include "cli/cli_call.h"
#include "cli/cli_list.h"
#include "cli/cli_roles.h"
#include "codec/json.h"

#include <stdio.h>
#include <string.h>

const struct cli_option_row cli_user_create_options[] = {
    {"email", "ADDRESS", "e-mail address (required); no mail is sent"},
    {"username", "NAME", "what the API calls it (default: the address)"},
    {"description", "TEXT", "who it is"},
    {"role", "ROLE…", CLI_ROLE_HELP},
    {"corpus-role", "KEY:ROLE…", CLI_CORPUS_ROLE_HELP},
    {NULL, NULL, NULL},
};

const struct cli_option_row cli_user_list_options[] = {
    {"filter", "REGEX", "only users whose name or description matches"},
    CLI_LIST_LIMIT,
    {NULL, NULL, NULL},
};

const struct cli_option_row cli_user_update_options[] = {
    {"description", "TEXT", "who it is"},
    {"role", "ROLE…", CLI_ROLE_HELP ";\ngiven roles replace the old ones"},
    {"no-roles", NULL, "take all API roles away"},
    {"corpus-role", "KEY:ROLE…", CLI_CORPUS_ROLE_HELP ";\ngiven ones replace the old ones"},
    {"no-corpus-roles", NULL, "take all corpus roles away"},
    {"enable", NULL, "its personal keys work"},
    {"disable", NULL, "its personal keys are refused from now on"},
    {NULL, NULL, NULL},
};

static void print_user(const struct cli *cli, const json_t *user)
{
    if (cli->is_json) {
        cli_print_json(user);
        return;
    }
    (void)printf("username     %s\n", cli_text(user, "username"));
    if (cli_text(user, "email")[0] != '\0')
        (void)printf("email        %s\n", cli_text(user, "email"));
    if (cli_text(user, "description")[0] != '\0')
        (void)printf("description  %s\n", cli_text(user, "description"));
    if (cli_text(user, "one_time_code")[0] != '\0')
        (void)printf("code         %s\n", cli_text(user, "one_time_code"));
    (void)printf("id           %s\nenabled      %s\nroles        ", cli_text(user, "id"),
                 json_is_true(json_object_get(user, "enabled")) ? "yes" : "no");
    cli_roles_print(user);
}

/* Asks, and prints the user of the answer. */
static int call(struct cli *cli, const char *method, struct span target, const json_t *body)
{
    struct cli_answer answer = {0};
    int result = cli_call(cli, method, target, body, &answer);
    if (result == 0)
        print_user(cli, answer.json);
    cli_answer_done(&answer);
    return result;
}

int cli_user_create(struct cli *cli)
{
    if (cli_option(cli, "email").len == 0)
        return cli_usage(cli, "--email ADDRESS is required");
    AUTO(json) json_t *body = json_object();
    cli_text_add(cli, body, "email");
    cli_text_add(cli, body, "username");
    cli_text_add(cli, body, "description");
    int result = cli_roles_add(cli, body);
    return result == 0 ? call(cli, "POST", SPAN("/v2/users"), body) : result;
}

static void print_table(const json_t *users)
{
    int widest = (int)strlen("USERNAME");
    for (size_t i = 0; i < json_array_size(users); i++) {
        int len = (int)strlen(cli_text(json_array_get(users, i), "username"));
        widest = len > widest ? (len > 40 ? 40 : len) : widest;
    }
    (void)printf("%-*s  %-16s  %-7s  %s\n", widest, "USERNAME", "ID", "ENABLED", "ROLES");
    for (size_t i = 0; i < json_array_size(users); i++) {
        const json_t *user = json_array_get(users, i);
        (void)printf("%-*s  %-16s  %-7s  ", widest, cli_text(user, "username"),
                     cli_text(user, "id"),
                     json_is_true(json_object_get(user, "enabled")) ? "yes" : "no");
        cli_roles_print(user);
    }
}

int cli_user_list(struct cli *cli)
{
    AUTO(json) json_t *all = NULL;
    int result = cli_list(cli, SPAN("/v2/users"), "users", &all);
    if (result == 0 && cli->is_json)
        cli_print_json(all);
    else if (result == 0)
        print_table(all);
    return result;
}

static int one_name(const struct cli *cli)
{
    return cli->word_count == 1
               ? 0
               : cli_usage(cli, "give the username, as `postern user list` shows it");
}

int cli_user_show(struct cli *cli)
{
    int result = one_name(cli);
    return result == 0 ? call(cli, "GET", cli_target(cli, "/v2/users", cli->words[0]), NULL)
                       : result;
}

int cli_user_update(struct cli *cli)
{
    AUTO(json) json_t *body = json_object();
    int result = one_name(cli);
    if (result == 0)
        result = cli_roles_add(cli, body);
    if (result == 0)
        result = cli_switch_add(cli, body);
    if (result != 0)
        return result;
    cli_text_add(cli, body, "description");
    if (json_object_size(body) == 0)
        return cli_usage(cli, "say what to change: --description, --role, --no-roles, "
                              "--corpus-role, --no-corpus-roles, --enable, --disable");
    return call(cli, "PATCH", cli_target(cli, "/v2/users", cli->words[0]), body);
}

int cli_user_reset_password(struct cli *cli)
{
    struct cli_answer answer = {0};
    int result = one_name(cli);
    if (result != 0)
        return result;
    struct span target = cli_target(cli, "/v2/users", cli->words[0]);
    target = arena_printf(&cli->arena, "%.*s/reset_password", SPAN_FMT(target));
    result = target.ptr == NULL ? cli_fail(cli, "no memory")
                                : cli_call(cli, "POST", target, NULL, &answer);
    if (result == 0 && cli->is_json)
        cli_print_json(answer.json);
    else if (result == 0)
        (void)printf("code  %s\n", cli_text(answer.json, "one_time_code"));
    cli_answer_done(&answer);
    return result;
}

int cli_user_delete(struct cli *cli)
{
    struct cli_answer answer = {0};
    int result = one_name(cli);
    if (result == 0)
        result =
            cli_call(cli, "DELETE", cli_target(cli, "/v2/users", cli->words[0]), NULL, &answer);
    if (result == 0 && cli->is_json)
        (void)puts("{}");
    else if (result == 0)
        (void)printf("%.*s is deleted, and the API keys that it made\n", SPAN_FMT(cli->words[0]));
    cli_answer_done(&answer);
    return result;
}
