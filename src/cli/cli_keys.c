/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli_keys.h"

#include "cli/cli_call.h"
#include "codec/json.h"

#include <stdio.h>

const struct cli_option_row cli_keys_show_options[] = {
    {"pem", NULL, "as PEM, for verifiers that read no JWK (HAProxy's jwt_verify)"},
    {NULL, NULL, NULL},
};

static bool is_signing(const json_t *key)
{
    return json_is_true(json_object_get(key, "is_signing"));
}

static void print_line(const char *label, const json_t *key)
{
    (void)printf("%-5s  %s  %s, %s\n", label, json_string_value(json_object_get(key, "kid")),
                 json_string_value(json_object_get(key, "alg")),
                 is_signing(key) ? "signs new tokens" : "verifies tokens made before");
}

/* The key of that kid; of an empty one, the key that signs. NULL: there is none. */
static const json_t *find_key(const json_t *keys, struct span kid)
{
    for (size_t i = 0; i < json_array_size(keys); i++) {
        const json_t *key = json_array_get(keys, i);
        if (kid.len == 0 ? is_signing(key)
                         : span_equal(json_text(json_object_get(key, "kid")), kid))
            return key;
    }
    return NULL;
}

int cli_keys_show(struct cli *cli)
{
    struct cli_answer answer;
    int result = cli_call(cli, "GET", SPAN("/control/keys"), NULL, &answer);
    if (result != 0)
        return result;
    const json_t *keys = json_object_get(answer.json, "keys");
    const json_t *key = find_key(keys, cli->word_count == 0 ? (struct span){0} : cli->words[0]);
    if (key == NULL) {
        result = cli_fail(cli, "the server has no such key: `postern keys show` names them all");
    } else if (cli_has(cli, "pem")) {
        (void)fputs(json_string_value(json_object_get(key, "pem")), stdout);
    } else if (cli->is_json) {
        cli_print_json(json_object_get(key, "jwk"));
    } else {
        print_line("key", key);
        for (size_t i = 0; i < json_array_size(keys); i++) {
            if (json_array_get(keys, i) != key)
                print_line("other", json_array_get(keys, i));
        }
    }
    cli_answer_done(&answer);
    return result;
}
