/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli_corpus.h"

#include "cli/cli_call.h"
#include "cli/cli_list.h"
#include "cli/cli_roles.h"
#include "codec/json.h"

#include <stdio.h>
#include <string.h>

const struct cli_option_row cli_corpus_create_options[] = {
    {"key", "KEY", "letters, digits, _, = and -, at most 50 (required)"},
    {"name", "NAME", "what people call it (default: the key)"},
    {"description", "TEXT", "what it is for"},
    {NULL, NULL, NULL},
};

const struct cli_option_row cli_corpus_list_options[] = {
    {"filter", "REGEX", "only corpora whose name or description matches"},
    CLI_LIST_LIMIT,
    {NULL, NULL, NULL},
};

const struct cli_option_row cli_corpus_update_options[] = {
    {"name", "NAME", "what people call it"},
    {"description", "TEXT", "what it is for"},
    {"enable", NULL, "it takes part again"},
    {"disable", NULL, "it is there and takes no part"},
    {NULL, NULL, NULL},
};

static int print_corpus(const struct cli *cli, const json_t *corpus)
{
    if (cli->is_json) {
        cli_print_json(corpus);
        return 0;
    }
    (void)printf("key          %s\nname         %s\n", cli_text(corpus, "key"),
                 cli_text(corpus, "name"));
    if (cli_text(corpus, "description")[0] != '\0')
        (void)printf("description  %s\n", cli_text(corpus, "description"));
    (void)printf("id           %s\nenabled      %s\ncreated      %s\n", cli_text(corpus, "id"),
                 json_is_true(json_object_get(corpus, "enabled")) ? "yes" : "no",
                 cli_text(corpus, "created_at"));
    return 0;
}

/* Asks, and prints the corpus of the answer. */
static int call(struct cli *cli, const char *method, struct span target, const json_t *body)
{
    struct cli_answer answer = {0};
    int result = cli_call(cli, method, target, body, &answer);
    if (result == 0)
        result = print_corpus(cli, answer.json);
    cli_answer_done(&answer);
    return result;
}

int cli_corpus_create(struct cli *cli)
{
    if (cli_option(cli, "key").len == 0)
        return cli_usage(cli, "--key KEY is required");
    AUTO(json) json_t *body = json_object();
    cli_text_add(cli, body, "key");
    cli_text_add(cli, body, "name");
    cli_text_add(cli, body, "description");
    return call(cli, "POST", SPAN("/v2/corpora"), body);
}

int cli_corpus_list(struct cli *cli)
{
    AUTO(json) json_t *all = NULL;
    int result = cli_list(cli, SPAN("/v2/corpora"), "corpora", &all);
    if (result != 0)
        return result;
    if (cli->is_json) {
        cli_print_json(all);
        return 0;
    }
    if (json_array_size(all) == 0) {
        (void)puts("There are no corpora. Make one: postern corpus create --key KEY");
        return 0;
    }
    int widest = (int)strlen("KEY");
    for (size_t i = 0; i < json_array_size(all); i++) {
        int len = (int)strlen(cli_text(json_array_get(all, i), "key"));
        widest = len > widest ? len : widest;
    }
    (void)printf("%-*s  %-8s  %s\n", widest, "KEY", "ENABLED", "NAME");
    for (size_t i = 0; i < json_array_size(all); i++) {
        const json_t *corpus = json_array_get(all, i);
        (void)printf("%-*s  %-8s  %s\n", widest, cli_text(corpus, "key"),
                     json_is_true(json_object_get(corpus, "enabled")) ? "yes" : "no",
                     cli_text(corpus, "name"));
    }
    return 0;
}

static int one_key(const struct cli *cli)
{
    return cli->word_count == 1
               ? 0
               : cli_usage(cli, "give the corpus's key, as `postern corpus list` shows it");
}

int cli_corpus_show(struct cli *cli)
{
    int result = one_key(cli);
    return result == 0 ? call(cli, "GET", cli_target(cli, "/v2/corpora", cli->words[0]), NULL)
                       : result;
}

int cli_corpus_update(struct cli *cli)
{
    AUTO(json) json_t *body = json_object();
    int result = one_key(cli);
    if (result == 0)
        result = cli_switch_add(cli, body);
    if (result != 0)
        return result;
    cli_text_add(cli, body, "name");
    cli_text_add(cli, body, "description");
    if (json_object_size(body) == 0)
        return cli_usage(cli, "say what to change: --name, --description, --enable, --disable");
    return call(cli, "PATCH", cli_target(cli, "/v2/corpora", cli->words[0]), body);
}

int cli_corpus_delete(struct cli *cli)
{
    struct cli_answer answer = {0};
    int result = one_key(cli);
    if (result == 0)
        result =
            cli_call(cli, "DELETE", cli_target(cli, "/v2/corpora", cli->words[0]), NULL, &answer);
    if (result == 0 && cli->is_json)
        (void)puts("{}");
    else if (result == 0)
        (void)printf("%.*s is deleted, and the roles on it with it\n", SPAN_FMT(cli->words[0]));
    cli_answer_done(&answer);
    return result;
}
