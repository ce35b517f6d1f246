/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli_account.h"

#include "cli/cli_call.h"

#include <stdio.h>

const struct cli_option_row cli_account_update_options[] = {
    {"name", "NAME", "what people call it"},
    {"token-ttl", "SECONDS", "the longest life of its clients' tokens; 0: the server's"},
    {NULL, NULL, NULL},
};

static int call(struct cli *cli, const char *method, const json_t *body)
{
    struct cli_answer answer;
    int result = cli_call(cli, method, SPAN("/control/account"), body, &answer);
    if (result != 0)
        return result;
    if (cli->is_json) {
        cli_print_json(answer.json);
    } else {
        int64_t ttl = json_integer_value(json_object_get(answer.json, "token_ttl_seconds"));
        (void)printf("name       %s\nid         %s\n",
                     json_string_value(json_object_get(answer.json, "name")),
                     json_string_value(json_object_get(answer.json, "id")));
        if (ttl > 0)
            (void)printf("token ttl  at most %lld s\n", (long long)ttl);
        else
            (void)puts("token ttl  the server's");
    }
    cli_answer_done(&answer);
    return 0;
}

int cli_account_show(struct cli *cli)
{
    return call(cli, "GET", NULL);
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
                     : call(cli, "PATCH", body);
    json_decref(body);
    return result;
}
