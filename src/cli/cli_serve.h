/* SPDX-License-Identifier: Apache-2.0 */
/* postern serve, postern config …, postern routes. */
#pragma once

#include "cli/cli.h"

extern const struct cli_option_row cli_serve_options[];

int cli_serve(struct cli *cli);
int cli_config_print(struct cli *cli);
int cli_config_check(struct cli *cli);
int cli_config_reference(struct cli *cli);
int cli_routes(struct cli *cli);
