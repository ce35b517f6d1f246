/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli_roles.h"

#include "cli/cli_call.h"

#include <stdio.h>

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

int cli_roles_add(const struct cli *cli, json_t *body)
{
    json_t *roles = json_array();
    json_t *corpus_roles = json_array();
    int result = 0;
    for (size_t i = 0; i < cli->option_count && result == 0; i++) {
        struct span name = cli->options[i].name;
        struct span value = cli->options[i].value;
        if (span_equal(name, SPAN("role")))
            (void)json_array_append_new(roles, json_stringn(value.ptr, value.len));
        else if (span_equal(name, SPAN("corpus-role")))
            result = add_corpus_role(cli, corpus_roles, value);
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

void cli_text_add(const struct cli *cli, json_t *body, const char *name)
{
    struct span value = cli_option(cli, name);
    if (cli_has(cli, name))
        (void)json_object_set_new(body, name, json_stringn(value.ptr, value.len));
}

int cli_switch_add(const struct cli *cli, json_t *body)
{
    bool enables = cli_has(cli, "enable");
    if (enables && cli_has(cli, "disable"))
        return cli_usage(cli, "either --enable or --disable");
    if (enables || cli_has(cli, "disable"))
        (void)json_object_set_new(body, "enabled", json_boolean(enables));
    return 0;
}

void cli_roles_print(const json_t *holder)
{
    const json_t *roles = json_object_get(holder, "api_roles");
    const json_t *corpus_roles = json_object_get(holder, "corpus_roles");
    size_t printed = 0;
    for (size_t i = 0; i < json_array_size(roles); i++)
        (void)printf("%s%s", printed++ > 0 ? ", " : "",
                     json_string_value(json_array_get(roles, i)));
    for (size_t i = 0; i < json_array_size(corpus_roles); i++) {
        const json_t *grant = json_array_get(corpus_roles, i);
        (void)printf("%s%s:%s", printed++ > 0 ? ", " : "", cli_text(grant, "corpus_key"),
                     cli_text(grant, "role"));
    }
    (void)printf("%s\n", printed == 0 ? "(none)" : "");
}
