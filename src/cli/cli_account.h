/* SPDX-License-Identifier: Apache-2.0 */
/* postern account show, postern account update. */
#pragma once

#include "cli/cli.h"

extern const struct cli_option_row cli_account_create_options[];
extern const struct cli_option_row cli_account_update_options[];

int cli_account_create(struct cli *cli);
int cli_account_list(struct cli *cli);
int cli_account_enable(struct cli *cli);
int cli_account_disable(struct cli *cli);
int cli_account_show(struct cli *cli);
int cli_account_update(struct cli *cli);
