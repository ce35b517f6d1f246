/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli_account.h"

#include "cli/cli_call.h"
#include "cli/cli_roles.h"
#include "codec/json.h"

#include <stdio.h>

const struct cli_option_row cli_account_update_options[] = {
    {"name", "NAME", "what people call it"},
    {"token-ttl", "SECONDS", "the longest life of its clients' tokens; 0: the server's"},
    {NULL, NULL, NULL},
};

const struct cli_option_row cli_account_create_options[] = {
    {"name", "NAME", "what people call it (required)"},
    {NULL, NULL, NULL},
};

static void print_account(const struct cli *cli, const json_t *account)
{
    if (cli->is_json) {
        cli_print_json(account);
        return;
    }
    int64_t ttl = json_integer_value(json_object_get(account, "token_ttl_seconds"));
    (void)printf("name       %s\nid         %s\nenabled    %s\n", cli_text(account, "name"),
                 cli_text(account, "id"),
                 json_is_true(json_object_get(account, "enabled")) ? "yes" : "no");
    if (ttl > 0)
        (void)printf("token ttl  at most %lld s\n", (long long)ttl);
    else
        (void)puts("token ttl  the server's");
}

/* Asks, and prints the account of the answer. */
static int call(struct cli *cli, const char *method, struct span target, const json_t *body)
{
    struct cli_answer answer = {0};
    int result = cli_call(cli, method, target, body, &answer);
    if (result == 0)
        print_account(cli, answer.json);
    cli_answer_done(&answer);
    return result;
}

int cli_account_create(struct cli *cli)
{
    if (cli_option(cli, "name").len == 0)
        return cli_usage(cli, "--name NAME is required");
    AUTO(json) json_t *body = json_object();
    cli_text_add(cli, body, "name");
    return call(cli, "POST", SPAN("/control/accounts"), body);
}

int cli_account_list(struct cli *cli)
{
    struct cli_answer answer = {0};
    int result = cli_call(cli, "GET", SPAN("/control/accounts"), NULL, &answer);
    const json_t *accounts = json_object_get(answer.json, "accounts");
    if (result == 0 && cli->is_json)
        cli_print_json(accounts);
    else if (result == 0)
        (void)printf("%-16s  %-7s  %s\n", "ID", "ENABLED", "NAME");
    for (size_t i = 0; result == 0 && !cli->is_json && i < json_array_size(accounts); i++) {
        const json_t *account = json_array_get(accounts, i);
        (void)printf("%-16s  %-7s  %s\n", cli_text(account, "id"),
                     json_is_true(json_object_get(account, "enabled")) ? "yes" : "no",
                     cli_text(account, "name"));
    }
    cli_answer_done(&answer);
    return result;
}

/* Which one must be said: nobody disables the oldest account by leaving a word out. */
static int set_enabled(struct cli *cli, bool is_enabled)
{
    if (cli->word_count != 1 || !span_starts(cli->words[0], SPAN("acc_")))
        return cli_usage(cli, "give the account's id (acc_…), as `postern account list` shows it");
    if (cli->option_count == CLI_OPTIONS_MAX || cli_has(cli, "account"))
        return cli_usage(cli, "name the account once");
    cli->options[cli->option_count++] = (struct cli_option){SPAN("account"), cli->words[0]};
    AUTO(json) json_t *body = json_pack("{s:b}", "enabled", is_enabled);
    return call(cli, "PATCH", SPAN("/control/account"), body);
}

int cli_account_enable(struct cli *cli)
{
    return set_enabled(cli, true);
}

int cli_account_disable(struct cli *cli)
{
    return set_enabled(cli, false);
}

int cli_account_show(struct cli *cli)
{
    return call(cli, "GET", SPAN("/control/account"), NULL);
}

int cli_account_update(struct cli *cli)
{
    struct span name = cli_option(cli, "name");
    int64_t ttl = 0;
    if (cli_has(cli, "token-ttl") && !span_to_int64(cli_option(cli, "token-ttl"), &ttl))
        return cli_usage(cli, "--token-ttl takes a number of seconds");
    json_t *body = json_object();
    if (cli_has(cli, "name"))
        (void)json_object_set_new(body, "name", json_stringn(name.ptr, name.len));
    if (cli_has(cli, "token-ttl"))
        (void)json_object_set_new(body, "token_ttl_seconds", json_integer(ttl));
    int result = json_object_size(body) == 0
                     ? cli_usage(cli, "say what to change: --name, --token-ttl")
                     : call(cli, "PATCH", SPAN("/control/account"), body);
    json_decref(body);
    return result;
}
