/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli_app_client.h"

#include "base/buf.h"
#include "cli/cli_call.h"
#include "cli/cli_list.h"
#include "cli/cli_roles.h"
#include "cli/cli_secret.h"
#include "codec/form.h"
#include "codec/json.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TARGET_LEN_MAX = 2048 };

const struct cli_option_row cli_app_client_create_options[] = {
    {"name", "NAME", "what people call it (required)"},
    {"description", "TEXT", "what it is for"},
    {"role", "ROLE…", CLI_ROLE_HELP},
    {"corpus-role", "KEY:ROLE…", CLI_CORPUS_ROLE_HELP},
    {"token-ttl", "SECONDS", "life of its tokens; 0 or none: the server's"},
    {"secret-file", "FILE", "write the secret to this new file (0600) instead of the output"},
    {"secret-fd", "N", "write the secret to this open descriptor instead of the output"},
    {"format", "json|env|k8s-secret",
     "print it as the API's JSON, as env lines or as a Kubernetes Secret"},
    {"public-url", "URL",
     "the address that the server will have, when none runs: for the token URL\n"
     "(default: the configuration's public_url, or its first listener)"},
    {NULL, NULL, NULL},
};

const struct cli_option_row cli_app_client_list_options[] = {
    {"filter", "REGEX", "only clients whose name matches"},
    CLI_LIST_LIMIT,
    {NULL, NULL, NULL},
};

const struct cli_option_row cli_app_client_show_options[] = {
    {"secret", NULL, "read the secret back, while that is possible; it is recorded"},
    {"secret-file", "FILE", "read it back into this new file (0600) instead of the output"},
    {"secret-fd", "N", "read it back into this open descriptor instead of the output"},
    {NULL, NULL, NULL},
};

const struct cli_option_row cli_app_client_update_options[] = {
    {"description", "TEXT", "what it is for"},
    {"role", "ROLE…", CLI_ROLE_HELP ";\ngiven roles replace the old ones"},
    {"no-roles", NULL, "take all API roles away"},
    {"corpus-role", "KEY:ROLE…", CLI_CORPUS_ROLE_HELP ";\ngiven ones replace the old ones"},
    {"no-corpus-roles", NULL, "take all corpus roles away"},
    {"token-ttl", "SECONDS", "life of its tokens; 0: the server's"},
    {"enable", NULL, "it may get tokens again"},
    {"disable", NULL, "it gets no tokens, and those that it has are refused for good"},
    {NULL, NULL, NULL},
};

/* Reads --role, --corpus-role, --description and --token-ttl into body. Exit status. */
static int add_common(const struct cli *cli, json_t *body)
{
    int64_t ttl = 0;
    if (cli_has(cli, "token-ttl") && !span_to_int64(cli_option(cli, "token-ttl"), &ttl))
        return cli_usage(cli, "--token-ttl takes a number of seconds");
    if (cli_has(cli, "token-ttl"))
        (void)json_object_set_new(body, "token_ttl_seconds", json_integer(ttl));
    cli_text_add(cli, body, "description");
    return cli_roles_add(cli, body);
}

static void print_client(const json_t *client)
{
    (void)printf("name           %s\n", cli_text(client, "name"));
    if (cli_text(client, "description")[0] != '\0')
        (void)printf("description    %s\n", cli_text(client, "description"));
    (void)printf("id             %s\nclient_id      %s\n", cli_text(client, "id"),
                 cli_text(client, "client_id"));
    if (cli_text(client, "client_secret")[0] != '\0')
        (void)printf("client_secret  %s\n", cli_text(client, "client_secret"));
    if (json_is_false(json_object_get(client, "enabled")))
        (void)puts("enabled        no");
    (void)fputs("roles          ", stdout);
    cli_roles_print(client);
}

/* The OAuth 2.0 authentication URL, as a running server's metadata says it; without one, as this
 * command's configuration has it, empty when it names none. Exit status. */
static int fetch_token_url(struct cli *cli, char url[static TARGET_LEN_MAX])
{
    struct cli_answer answer;
    url[0] = '\0';
    if (cli_call_is_offline(cli)) {
        struct span base = config_url(&cli->config, &cli->arena);
        if (base.len > 0)
            (void)snprintf(url, TARGET_LEN_MAX, "%.*s/oauth2/token", SPAN_FMT(base));
        return 0;
    }
    int result =
        cli_call(cli, "GET", SPAN("/.well-known/oauth-authorization-server"), NULL, &answer);
    if (result != 0)
        return result;
    (void)snprintf(url, TARGET_LEN_MAX, "%s", cli_text(answer.json, "token_endpoint"));
    cli_answer_done(&answer);
    return 0;
}

static int print_created(struct cli *cli, const json_t *client)
{
    char url[TARGET_LEN_MAX];
    struct span format = cli_option(cli, "format");
    if (cli->is_json || span_equal(format, SPAN("json"))) {
        cli_print_json(client);
        return 0;
    }
    int result = fetch_token_url(cli, url);
    if (result != 0)
        return result;
    if (format.len > 0)
        return cli_secret_print(cli, client, url);
    print_client(client);
    (void)printf("token URL      %s\n",
                 url[0] != '\0' ? url : "(not known: name the server's address, public_url)");
    if (url[0] != '\0' && cli_text(client, "client_secret")[0] != '\0' &&
        isatty(STDOUT_FILENO) != 0)
        (void)printf(
            "\nGet a token:\n  curl -XPOST -H \"Content-type: application/x-www-form-urlencoded\" "
            "\\\n"
            "    -d \"grant_type=client_credentials&client_id=%s&client_secret=%s\" \\\n    %s\n",
            cli_text(client, "client_id"), "$CLIENT_SECRET", url);
    return 0;
}

static int check_format(const struct cli *cli)
{
    struct span format = cli_option(cli, "format");
    if (format.len == 0 || span_equal(format, SPAN("json")) || span_equal(format, SPAN("env")) ||
        span_equal(format, SPAN("k8s-secret")))
        return 0;
    return cli_usage(cli, "--format takes json, env or k8s-secret");
}

int cli_app_client_create(struct cli *cli)
{
    struct span name = cli_option(cli, "name");
    int secret_fd = -1;
    int result = check_format(cli);
    if (result == 0 && name.len == 0)
        result = cli_usage(cli, cli_has(cli, "name") ? "--name must not be empty"
                                                     : "--name NAME is required");
    if (result == 0)
        result = cli_secret_open(cli, &secret_fd);
    if (result != 0)
        return result;
    json_t *body =
        json_pack("{s:s%, s:s}", "name", name.ptr, name.len, "type", "client_credentials");
    struct cli_answer answer = {0};
    result = add_common(cli, body);
    if (result == 0)
        result = cli_call(cli, "POST", SPAN("/v2/app_clients"), body, &answer);
    json_decref(body);
    if (result == 0 && secret_fd >= 0) {
        result = cli_secret_write(cli, secret_fd, answer.json);
        (void)json_object_del(answer.json, "client_secret"); /* not also on the output */
    } else if (secret_fd >= 0) {
        cli_secret_abandon(cli, secret_fd); /* nothing was made */
    }
    if (result == 0)
        result = print_created(cli, answer.json);
    cli_answer_done(&answer);
    return result;
}

static void print_table(const json_t *clients)
{
    int widest = 4;
    for (size_t i = 0; i < json_array_size(clients); i++) {
        int len = (int)strlen(cli_text(json_array_get(clients, i), "name"));
        widest = len > widest ? (len > 40 ? 40 : len) : widest;
    }
    (void)printf("%-*s  %-16s  %-26s  %s\n", widest, "NAME", "ID", "CLIENT ID", "ROLES");
    for (size_t i = 0; i < json_array_size(clients); i++) {
        const json_t *client = json_array_get(clients, i);
        (void)printf("%-*s  %-16s  %-26s  ", widest, cli_text(client, "name"),
                     cli_text(client, "id"), cli_text(client, "client_id"));
        cli_roles_print(client);
    }
}

int cli_app_client_list(struct cli *cli)
{
    AUTO(json) json_t *all = NULL;
    int result = cli_list(cli, SPAN("/v2/app_clients"), "app_clients", &all);
    if (result == 0 && cli->is_json)
        cli_print_json(all);
    else if (result == 0 && json_array_size(all) == 0)
        (void)puts("There are no app clients. Make one: postern app-client create --name NAME "
                   "--role ROLE");
    else if (result == 0)
        print_table(all);
    return result;
}

static int one_word(const struct cli *cli)
{
    return cli->word_count == 1 && span_starts(cli->words[0], SPAN("app_"))
               ? 0
               : cli_usage(
                     cli, "give the client's id (app_…, not its client_id), as `postern app-client "
                          "list` shows it");
}

/* What --secret, --secret-file and --secret-fd ask for. Closes the descriptor. Exit status. */
static int give_secret(const struct cli *cli, int take_fd, json_t *client)
{
    int result = 0;
    bool has_secret = cli_text(client, "client_secret")[0] != '\0';
    if (has_secret && take_fd >= 0)
        result = cli_secret_write(cli, take_fd, client);
    else if (take_fd >= 0)
        cli_secret_abandon(cli, take_fd);
    if (take_fd >= 0)
        (void)json_object_del(client, "client_secret"); /* not also on the output */
    return has_secret ? result
                      : cli_fail(cli, "the secret can no longer be read back (secret_readback)");
}

int cli_app_client_show(struct cli *cli)
{
    struct cli_answer answer = {0};
    struct buf target;
    int secret_fd = -1;
    int result = one_word(cli);
    if (result == 0)
        result = cli_secret_open(cli, &secret_fd);
    if (result != 0)
        return result;
    bool wants_secret = secret_fd >= 0 || cli_has(cli, "secret");
    buf_init_arena(&target, &cli->arena, TARGET_LEN_MAX);
    buf_put(&target, cli_target(cli, "/v2/app_clients", cli->words[0]));
    if (!wants_secret)
        buf_put(&target, SPAN("?omit=client_secret"));
    result = buf_ok(&target) ? cli_call(cli, "GET", buf_span(&target), NULL, &answer)
                             : cli_fail(cli, "no memory");
    if (result != 0 && secret_fd >= 0)
        cli_secret_abandon(cli, secret_fd);
    else if (result == 0 && wants_secret)
        result = give_secret(cli, secret_fd, answer.json);
    if (result == 0 && cli->is_json)
        cli_print_json(answer.json);
    else if (result == 0)
        print_client(answer.json);
    cli_answer_done(&answer);
    return result;
}

int cli_app_client_update(struct cli *cli)
{
    struct cli_answer answer = {0};
    int result = one_word(cli);
    if (result != 0)
        return result;
    json_t *body = json_object();
    result = add_common(cli, body);
    if (result == 0)
        result = cli_switch_add(cli, body);
    if (result == 0 && json_object_size(body) == 0)
        result =
            cli_usage(cli, "say what to change: --description, --role, --no-roles, --corpus-role, "
                           "--no-corpus-roles, --token-ttl, --enable, --disable");
    if (result == 0)
        result = cli_call(cli, "PATCH", cli_target(cli, "/v2/app_clients", cli->words[0]), body,
                          &answer);
    json_decref(body);
    if (result == 0 && cli->is_json)
        cli_print_json(answer.json);
    else if (result == 0)
        print_client(answer.json);
    cli_answer_done(&answer);
    return result;
}

int cli_app_client_delete(struct cli *cli)
{
    struct cli_answer answer = {0};
    int result = one_word(cli);
    if (result == 0)
        result = cli_call(cli, "DELETE", cli_target(cli, "/v2/app_clients", cli->words[0]), NULL,
                          &answer);
    if (result == 0 && cli->is_json)
        (void)puts("{}");
    else if (result == 0)
        (void)printf("%.*s is deleted; its tokens are refused from now on\n",
                     SPAN_FMT(cli->words[0]));
    cli_answer_done(&answer);
    return result;
}
