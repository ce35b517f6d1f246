/* SPDX-License-Identifier: Apache-2.0 */
/* postern app-client …: application clients from the command line. */
#pragma once

#include "cli/cli.h"

extern const struct cli_option_row cli_app_client_create_options[];
extern const struct cli_option_row cli_app_client_list_options[];
extern const struct cli_option_row cli_app_client_show_options[];
extern const struct cli_option_row cli_app_client_update_options[];

int cli_app_client_create(struct cli *cli);
int cli_app_client_list(struct cli *cli);
int cli_app_client_show(struct cli *cli);
int cli_app_client_update(struct cli *cli);
int cli_app_client_delete(struct cli *cli);
