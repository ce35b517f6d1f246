/* SPDX-License-Identifier: Apache-2.0 */
/* Calls to the server over its control socket. When no server runs, one without a network listener
 * is started for the time of the call. */
#pragma once

#include "cli/cli.h"

#include <jansson.h>

struct cli_answer {
    int status;   /* HTTP */
    json_t *json; /* NULL for an empty body; owned: cli_answer_done() */
};

/* body may be NULL. When there is no answer, or an error answer, the message is printed and the
 * result is the exit status to end with; 0 when there is a good answer. */
int cli_call(struct cli *cli, const char *method, struct span target, const json_t *body,
             struct cli_answer *ret_answer) MUST_USE;
/* The body of a running server's good answer that is no JSON, in cli's arena; starts no server: one
 * that has just begun has nothing to tell. Else as above. */
int cli_call_text(struct cli *cli, struct span target, struct span *ret_text) MUST_USE;

/* Is the server that answers an offline one? It may have been started by another command with
 * another configuration, so what it says of its address is not this command's. */
bool cli_call_is_offline(struct cli *cli);

/* Asks a server that runs, and starts none; nothing is printed. UNAVAILABLE: none runs, or it does
 * not answer well. The caller owns *ret_json. */
enum status cli_call_running(struct cli *cli, struct span target, json_t **ret_json,
                             struct err *err) MUST_USE;
void cli_answer_done(struct cli_answer *answer);

/* "/v2/app_clients/ID": collection and a percent-encoded id, in cli's arena. */
struct span cli_target(struct cli *cli, const char *collection, struct span id);

/* A member's text; "" where there is none. */
const char *cli_text(const json_t *object, const char *name);

/* Prints JSON on standard output, indented; in ASCII when it holds characters that a terminal would
 * obey. */
void cli_print_json(const json_t *json);
