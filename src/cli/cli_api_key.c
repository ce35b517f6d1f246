/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli_api_key.h"

#include "cli/cli_call.h"
#include "cli/cli_list.h"
#include "cli/cli_roles.h"
#include "cli/cli_secret.h"
#include "codec/json.h"

#include <stdio.h>
#include <string.h>

#define SECRET_ROWS                                                                                \
    {"secret-file", "FILE", "write the key to this new file (0600) instead of the output"},        \
    {                                                                                              \
        "secret-fd", "N", "write the key to this open descriptor instead of the output"            \
    }

const struct cli_option_row cli_api_key_create_options[] = {
    {"name", "NAME", "what people call it (required)"},
    {"role", "ROLE…",
     "personal: the rights of a user; serving: query corpora;\n"
     "serving_and_indexing: query and index corpora; or\n" CLI_ROLE_HELP},
    {"user", "USERNAME", "with --role personal: whose"},
    {"corpus", "KEY…", "with --role serving or serving_and_indexing: on which corpora"},
    {"corpus-role", "KEY:ROLE…", CLI_CORPUS_ROLE_HELP},
    {"expires-in", "SECONDS", "how long it is good; 0 or none: for ever"},
    SECRET_ROWS,
    {NULL, NULL, NULL},
};

const struct cli_option_row cli_api_key_list_options[] = {
    {"filter", "REGEX", "only keys whose name matches"},
    CLI_LIST_LIMIT,
    {NULL, NULL, NULL},
};

const struct cli_option_row cli_api_key_show_options[] = {
    {"secret", NULL, "read the key back, while that is possible; it is recorded"},
    {NULL, NULL, NULL},
};

const struct cli_option_row cli_api_key_regenerate_options[] = {
    SECRET_ROWS,
    {NULL, NULL, NULL},
};

static void print_key(const struct cli *cli, const json_t *key)
{
    if (cli->is_json) {
        cli_print_json(key);
        return;
    }
    (void)printf("name     %s\nid       %s\n", cli_text(key, "name"), cli_text(key, "id"));
    if (cli_text(key, "secret_key")[0] != '\0')
        (void)printf("key      %s\n", cli_text(key, "secret_key"));
    (void)printf("enabled  %s\n", json_is_true(json_object_get(key, "enabled")) ? "yes" : "no");
    if (cli_text(key, "expires_at")[0] != '\0')
        (void)printf("expires  %s\n", cli_text(key, "expires_at"));
    if (cli_text(key, "user_id")[0] != '\0') {
        (void)printf("rights   those of %s\n", cli_text(key, "user_id"));
        return;
    }
    (void)fputs("roles    ", stdout);
    cli_roles_print(key);
}

/* Asks, and gives the key of the answer to where the options want it. Exit status. */
static int call(struct cli *cli, const char *method, struct span target, const json_t *body)
{
    struct cli_answer answer = {0};
    int secret_fd = -1;
    int result = cli_secret_open(cli, &secret_fd);
    if (result == 0)
        result = cli_call(cli, method, target, body, &answer);
    if (result == 0 && secret_fd >= 0) {
        result = cli_secret_write(cli, secret_fd, answer.json);
        (void)json_object_del(answer.json, "secret_key"); /* not also on the output */
    } else if (secret_fd >= 0) {
        cli_secret_abandon(cli, secret_fd);
    }
    if (result == 0)
        print_key(cli, answer.json);
    cli_answer_done(&answer);
    return result;
}

static bool is_older_form(struct span role)
{
    return span_equal(role, SPAN("personal")) || span_equal(role, SPAN("serving")) ||
           span_equal(role, SPAN("serving_and_indexing"));
}

/* --corpus, as the older form has it. */
static void add_corpora(const struct cli *cli, json_t *body)
{
    json_t *keys = json_array();
    for (size_t i = 0; i < cli->option_count; i++) {
        struct span value = cli->options[i].value;
        if (span_equal(cli->options[i].name, SPAN("corpus")))
            (void)json_array_append_new(keys, json_stringn(value.ptr, value.len));
    }
    if (json_array_size(keys) > 0)
        (void)json_object_set(body, "corpus_keys", keys);
    json_decref(keys);
}

static int add_rights(const struct cli *cli, json_t *body)
{
    struct span role = cli_option(cli, "role");
    struct span user = cli_option(cli, "user");
    int64_t seconds = 0;
    if (cli_has(cli, "expires-in") && !span_to_int64(cli_option(cli, "expires-in"), &seconds))
        return cli_usage(cli, "--expires-in takes a number of seconds");
    if (seconds > 0)
        (void)json_object_set_new(body, "expires_in_seconds", json_integer(seconds));
    if (user.len > 0)
        (void)json_object_set_new(body, "username", json_stringn(user.ptr, user.len));
    add_corpora(cli, body);
    if (!is_older_form(role))
        return cli_roles_add(cli, body);
    if (cli_has(cli, "corpus-role"))
        return cli_usage(cli, "--role %.*s takes --corpus, not --corpus-role", SPAN_FMT(role));
    (void)json_object_set_new(body, "api_key_role", json_stringn(role.ptr, role.len));
    return 0;
}

int cli_api_key_create(struct cli *cli)
{
    if (cli_option(cli, "name").len == 0)
        return cli_usage(cli, "--name NAME is required");
    if (!cli_has(cli, "role") && !cli_has(cli, "corpus-role"))
        return cli_usage(cli,
                         "--role is required: personal, serving, serving_and_indexing or an API "
                         "role; or --corpus-role KEY:ROLE");
    AUTO(json) json_t *body = json_object();
    cli_text_add(cli, body, "name");
    int result = add_rights(cli, body);
    return result == 0 ? call(cli, "POST", SPAN("/v2/api_keys"), body) : result;
}

static void print_table(const json_t *keys)
{
    int widest = (int)strlen("NAME");
    for (size_t i = 0; i < json_array_size(keys); i++) {
        int len = (int)strlen(cli_text(json_array_get(keys, i), "name"));
        widest = len > widest ? (len > 40 ? 40 : len) : widest;
    }
    (void)printf("%-*s  %-16s  %-7s  %s\n", widest, "NAME", "ID", "ENABLED", "RIGHTS");
    for (size_t i = 0; i < json_array_size(keys); i++) {
        const json_t *key = json_array_get(keys, i);
        (void)printf("%-*s  %-16s  %-7s  ", widest, cli_text(key, "name"), cli_text(key, "id"),
                     json_is_true(json_object_get(key, "enabled")) ? "yes" : "no");
        if (cli_text(key, "user_id")[0] != '\0')
            (void)printf("those of %s\n", cli_text(key, "user_id"));
        else
            cli_roles_print(key);
    }
}

int cli_api_key_list(struct cli *cli)
{
    AUTO(json) json_t *all = NULL;
    int result = cli_list(cli, SPAN("/v2/api_keys"), "api_keys", &all);
    if (result == 0 && cli->is_json)
        cli_print_json(all);
    else if (result == 0 && json_array_size(all) == 0)
        (void)puts("There are no API keys. Make one: postern api-key create --name NAME "
                   "--role serving --corpus KEY");
    else if (result == 0)
        print_table(all);
    return result;
}

static int one_word(const struct cli *cli)
{
    return cli->word_count == 1 && span_starts(cli->words[0], SPAN("aky_"))
               ? 0
               : cli_usage(cli, "give the key's id (aky_…), as `postern api-key list` shows it");
}

int cli_api_key_show(struct cli *cli)
{
    struct cli_answer answer = {0};
    bool wants_key = cli_has(cli, "secret");
    int result = one_word(cli);
    if (result != 0)
        return result;
    struct span target = cli_target(cli, "/v2/api_keys", cli->words[0]);
    if (!wants_key)
        target = arena_printf(&cli->arena, "%.*s?omit=secret_key", SPAN_FMT(target));
    result = target.ptr == NULL ? cli_fail(cli, "no memory")
                                : cli_call(cli, "GET", target, NULL, &answer);
    if (result == 0 && wants_key && cli_text(answer.json, "secret_key")[0] == '\0')
        result = cli_fail(cli, "the key can no longer be read back (secret_readback)");
    if (result == 0)
        print_key(cli, answer.json);
    cli_answer_done(&answer);
    return result;
}

static int set_enabled(struct cli *cli, bool is_enabled)
{
    int result = one_word(cli);
    if (result != 0)
        return result;
    AUTO(json) json_t *body = json_pack("{s:b}", "enabled", is_enabled);
    return call(cli, "PATCH", cli_target(cli, "/v2/api_keys", cli->words[0]), body);
}

int cli_api_key_enable(struct cli *cli)
{
    return set_enabled(cli, true);
}

int cli_api_key_disable(struct cli *cli)
{
    return set_enabled(cli, false);
}

int cli_api_key_regenerate(struct cli *cli)
{
    int result = one_word(cli);
    if (result != 0)
        return result;
    struct span target = cli_target(cli, "/v2/api_keys", cli->words[0]);
    target = arena_printf(&cli->arena, "%.*s/regenerate", SPAN_FMT(target));
    return target.ptr == NULL ? cli_fail(cli, "no memory") : call(cli, "POST", target, NULL);
}

int cli_api_key_delete(struct cli *cli)
{
    struct cli_answer answer = {0};
    int result = one_word(cli);
    if (result == 0)
        result =
            cli_call(cli, "DELETE", cli_target(cli, "/v2/api_keys", cli->words[0]), NULL, &answer);
    if (result == 0 && cli->is_json)
        (void)puts("{}");
    else if (result == 0)
        (void)printf("%.*s is deleted; it is refused from now on\n", SPAN_FMT(cli->words[0]));
    cli_answer_done(&answer);
    return result;
}
