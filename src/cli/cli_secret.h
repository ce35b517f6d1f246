/* SPDX-License-Identifier: Apache-2.0 */
/* Where a new secret goes: to a file, a descriptor, or the output, in the form that a deployment
 * wants. A secret goes straight to where it is kept, not through a terminal's history. */
#pragma once

#include "cli/cli.h"

#include <jansson.h>

/* Opens what --secret-file or --secret-fd name before anything is created, so that a secret is
 * never made and then lost. *ret_fd is -1 when neither is given. Exit status, 0 when all is well.
 */
int cli_secret_open(const struct cli *cli, int *ret_fd) MUST_USE;

/* Writes the secret of a client, or the text of an API key (an answer of the API), and closes fd.
 * When that fails, the message names what exists, and a file of --secret-file is taken away again.
 * Exit status. */
int cli_secret_write(const struct cli *cli, int take_fd, const json_t *client) MUST_USE;

/* There is no secret to write: closes fd, and takes an empty file of --secret-file away. */
void cli_secret_abandon(const struct cli *cli, int take_fd);

/* Prints the client and its token URL as env lines or a Kubernetes Secret (--format). An empty URL
 * is one that is not known: it is left out, and standard error says so. */
int cli_secret_print(const struct cli *cli, const json_t *client, const char *token_url) MUST_USE;
