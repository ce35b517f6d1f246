/* SPDX-License-Identifier: Apache-2.0 */
/* postern user …: the users of an account. */
#pragma once

#include "cli/cli.h"

extern const struct cli_option_row cli_user_create_options[];
extern const struct cli_option_row cli_user_list_options[];
extern const struct cli_option_row cli_user_update_options[];

int cli_user_create(struct cli *cli);
int cli_user_list(struct cli *cli);
int cli_user_show(struct cli *cli);
int cli_user_update(struct cli *cli);
int cli_user_reset_password(struct cli *cli);
int cli_user_delete(struct cli *cli);
