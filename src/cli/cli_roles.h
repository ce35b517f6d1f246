/* SPDX-License-Identifier: Apache-2.0 */
/* Roles on the command line, the same for application clients, API keys and users. */
#pragma once

#include "cli/cli.h"

#include <jansson.h>

#define CLI_ROLE_HELP                                                                              \
    "an API role: owner, administrator, billing_administrator, corpus_administrator,\n"            \
    "corpus_developer, corpus_viewer, agent_administrator, agent_developer, agent_viewer,\n"       \
    "agent_user, pipeline_administrator, pipeline_viewer or viewer"
#define CLI_CORPUS_ROLE_HELP "a role on one corpus: owner, administrator, editor or viewer"

/* Puts what --role, --no-roles, --corpus-role and --no-corpus-roles say into body: an array only
 * when something is said of it, since a given one replaces the old one. Exit status. */
int cli_roles_add(const struct cli *cli, json_t *body) MUST_USE;

/* Puts an option's text into the member of that name, when it was given. */
void cli_text_add(const struct cli *cli, json_t *body, const char *name);

/* Puts --enable or --disable into "enabled". Exit status. */
int cli_switch_add(const struct cli *cli, json_t *body) MUST_USE;

/* "corpus_viewer, crm:editor" and a line end. */
void cli_roles_print(const json_t *holder);
