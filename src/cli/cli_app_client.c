/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli_app_client.h"

#include "base/buf.h"
#include "cli/cli_call.h"
#include "cli/cli_secret.h"
#include "codec/form.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TARGET_LEN_MAX = 2048 };

#define API_ROLES_HELP                                                                             \
    "an API role: owner, administrator, billing_administrator, corpus_administrator,\n"            \
    "corpus_developer, corpus_viewer, agent_administrator, agent_developer, agent_viewer,\n"       \
    "agent_user, pipeline_administrator, pipeline_viewer or viewer"
#define CORPUS_ROLES_HELP "a role on one corpus: owner, administrator, editor or viewer"

const struct cli_option_row cli_app_client_create_options[] = {
    {"name", "NAME", "what people call it (required)"},
    {"description", "TEXT", "what it is for"},
    {"role", "ROLE…", API_ROLES_HELP},
    {"corpus-role", "KEY:ROLE…", CORPUS_ROLES_HELP},
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
    {"limit", "N", "at most this many (default: all)"},
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
    {"role", "ROLE…", API_ROLES_HELP ";\ngiven roles replace the old ones"},
    {"no-roles", NULL, "take all API roles away"},
    {"corpus-role", "KEY:ROLE…", CORPUS_ROLES_HELP ";\ngiven ones replace the old ones"},
    {"no-corpus-roles", NULL, "take all corpus roles away"},
    {"token-ttl", "SECONDS", "life of its tokens; 0: the server's"},
    {NULL, NULL, NULL},
};

/* Adds KEY:ROLE to the array. Exit status. */
static int add_corpus_role(const struct cli *cli, json_t *corpus_roles, struct span value)
{
    struct span key;
    if (!span_cut(&value, ':', &key) || key.len == 0 || value.len == 0)
        return cli_usage(cli, "--corpus-role takes KEY:ROLE");
    (void)json_array_append_new(corpus_roles, json_pack("{s:s%, s:s%}", "corpus_key", key.ptr,
                                                        key.len, "role", value.ptr, value.len));
    return 0;
}

/* Reads --role, --corpus-role, --description and --token-ttl into body: an array only when
 * something is said of it, since a given one replaces the old one. Exit status. */
static int add_common(const struct cli *cli, json_t *body)
{
    json_t *roles = json_array();
    json_t *corpus_roles = json_array();
    int64_t ttl = 0;
    int result = 0;
    for (size_t i = 0; i < cli->option_count && result == 0; i++) {
        struct span name = cli->options[i].name;
        struct span value = cli->options[i].value;
        if (span_equal(name, SPAN("role")))
            (void)json_array_append_new(roles, json_stringn(value.ptr, value.len));
        else if (span_equal(name, SPAN("corpus-role")))
            result = add_corpus_role(cli, corpus_roles, value);
        else if (span_equal(name, SPAN("description")))
            (void)json_object_set_new(body, "description", json_stringn(value.ptr, value.len));
        else if (span_equal(name, SPAN("token-ttl")) && !span_to_int64(value, &ttl))
            result = cli_usage(cli, "--token-ttl takes a number of seconds");
        else if (span_equal(name, SPAN("token-ttl")))
            (void)json_object_set_new(body, "token_ttl_seconds", json_integer(ttl));
    }
    if (result == 0 && ((json_array_size(roles) > 0 && cli_has(cli, "no-roles")) ||
                        (json_array_size(corpus_roles) > 0 && cli_has(cli, "no-corpus-roles"))))
        result = cli_usage(cli, "roles are either given or taken away: --role or --no-roles, "
                                "--corpus-role or --no-corpus-roles");
    if (json_array_size(roles) > 0 || cli_has(cli, "no-roles"))
        (void)json_object_set(body, "api_roles", roles);
    if (json_array_size(corpus_roles) > 0 || cli_has(cli, "no-corpus-roles"))
        (void)json_object_set(body, "corpus_roles", corpus_roles);
    json_decref(roles);
    json_decref(corpus_roles);
    return result;
}

static struct span target_of(struct cli *cli, struct span id)
{
    struct buf target;
    buf_init_arena(&target, &cli->arena, TARGET_LEN_MAX);
    buf_put(&target, SPAN("/v2/app_clients/"));
    percent_encode(&target, id);
    return buf_ok(&target) ? buf_span(&target) : SPAN("/v2/app_clients/-");
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "" : text;
}

/* "corpus_viewer, crm:editor" */
static void print_roles(const json_t *client)
{
    const json_t *roles = json_object_get(client, "api_roles");
    const json_t *corpus_roles = json_object_get(client, "corpus_roles");
    size_t printed = 0;
    for (size_t i = 0; i < json_array_size(roles); i++)
        (void)printf("%s%s", printed++ > 0 ? ", " : "",
                     json_string_value(json_array_get(roles, i)));
    for (size_t i = 0; i < json_array_size(corpus_roles); i++) {
        const json_t *grant = json_array_get(corpus_roles, i);
        (void)printf("%s%s:%s", printed++ > 0 ? ", " : "", text_of(grant, "corpus_key"),
                     text_of(grant, "role"));
    }
    (void)printf("%s\n", printed == 0 ? "(none)" : "");
}

static void print_client(const json_t *client)
{
    (void)printf("name           %s\n", text_of(client, "name"));
    if (text_of(client, "description")[0] != '\0')
        (void)printf("description    %s\n", text_of(client, "description"));
    (void)printf("id             %s\nclient_id      %s\n", text_of(client, "id"),
                 text_of(client, "client_id"));
    if (text_of(client, "client_secret")[0] != '\0')
        (void)printf("client_secret  %s\n", text_of(client, "client_secret"));
    (void)fputs("roles          ", stdout);
    print_roles(client);
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
    (void)snprintf(url, TARGET_LEN_MAX, "%s", text_of(answer.json, "token_endpoint"));
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
    if (url[0] != '\0' && text_of(client, "client_secret")[0] != '\0' && isatty(STDOUT_FILENO) != 0)
        (void)printf(
            "\nGet a token:\n  curl -XPOST -H \"Content-type: application/x-www-form-urlencoded\" "
            "\\\n"
            "    -d \"grant_type=client_credentials&client_id=%s&client_secret=%s\" \\\n    %s\n",
            text_of(client, "client_id"), "$CLIENT_SECRET", url);
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

/* One page into all; *ret_key is the key of the next one, empty at the end. Exit status. */
static int fetch_page(struct cli *cli, json_t *all, size_t limit, struct span *page_key)
{
    struct buf target;
    struct span filter = cli_option(cli, "filter");
    struct cli_answer answer;
    buf_init_arena(&target, &cli->arena, TARGET_LEN_MAX);
    buf_printf(&target, "/v2/app_clients?limit=%zu", limit < 100 ? limit : 100);
    if (filter.len > 0) {
        buf_put(&target, SPAN("&filter="));
        percent_encode(&target, filter);
    }
    if (page_key->len > 0) {
        buf_put(&target, SPAN("&page_key="));
        percent_encode(&target, *page_key);
    }
    if (!buf_ok(&target))
        return cli_usage(cli, "the filter is too long");
    int result = cli_call(cli, "GET", buf_span(&target), NULL, &answer);
    if (result != 0)
        return result;
    (void)json_array_extend(all, json_object_get(answer.json, "app_clients"));
    const char *next = text_of(json_object_get(answer.json, "metadata"), "page_key");
    *page_key = arena_copy(&cli->arena, span_cstr(next));
    cli_answer_done(&answer);
    return 0;
}

static void print_table(const json_t *clients)
{
    int widest = 4;
    for (size_t i = 0; i < json_array_size(clients); i++) {
        int len = (int)strlen(text_of(json_array_get(clients, i), "name"));
        widest = len > widest ? (len > 40 ? 40 : len) : widest;
    }
    (void)printf("%-*s  %-16s  %-26s  %s\n", widest, "NAME", "ID", "CLIENT ID", "ROLES");
    for (size_t i = 0; i < json_array_size(clients); i++) {
        const json_t *client = json_array_get(clients, i);
        (void)printf("%-*s  %-16s  %-26s  ", widest, text_of(client, "name"), text_of(client, "id"),
                     text_of(client, "client_id"));
        print_roles(client);
    }
}

int cli_app_client_list(struct cli *cli)
{
    struct span wanted = cli_option(cli, "limit");
    int64_t limit = INT64_MAX;
    if (wanted.len > 0 && (!span_to_int64(wanted, &limit) || limit == 0))
        return cli_usage(cli, "--limit takes a number above 0");
    json_t *all = json_array();
    struct span page_key = {0};
    int result = 0;
    do {
        size_t left = (size_t)limit - json_array_size(all);
        result = fetch_page(cli, all, left, &page_key);
    } while (result == 0 && page_key.len > 0 && json_array_size(all) < (size_t)limit);
    if (result == 0 && cli->is_json)
        cli_print_json(all);
    else if (result == 0 && json_array_size(all) == 0)
        (void)puts("There are no app clients. Make one: postern app-client create --name NAME "
                   "--role ROLE");
    else if (result == 0)
        print_table(all);
    json_decref(all);
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
    bool has_secret = text_of(client, "client_secret")[0] != '\0';
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
    buf_put(&target, target_of(cli, cli->words[0]));
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
    if (result == 0 && json_object_size(body) == 0)
        result =
            cli_usage(cli, "say what to change: --description, --role, --no-roles, --corpus-role, "
                           "--no-corpus-roles, --token-ttl");
    if (result == 0)
        result = cli_call(cli, "PATCH", target_of(cli, cli->words[0]), body, &answer);
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
        result = cli_call(cli, "DELETE", target_of(cli, cli->words[0]), NULL, &answer);
    if (result == 0 && cli->is_json)
        (void)puts("{}");
    else if (result == 0)
        (void)printf("%.*s is deleted; its tokens are refused from now on\n",
                     SPAN_FMT(cli->words[0]));
    cli_answer_done(&answer);
    return result;
}
