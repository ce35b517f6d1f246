/* SPDX-License-Identifier: Apache-2.0 */
/* postern api-key …: keys that are sent as they are. */
#pragma once

#include "cli/cli.h"

extern const struct cli_option_row cli_api_key_create_options[];
extern const struct cli_option_row cli_api_key_list_options[];
extern const struct cli_option_row cli_api_key_show_options[];
extern const struct cli_option_row cli_api_key_regenerate_options[];

int cli_api_key_create(struct cli *cli);
int cli_api_key_list(struct cli *cli);
int cli_api_key_show(struct cli *cli);
int cli_api_key_enable(struct cli *cli);
int cli_api_key_disable(struct cli *cli);
int cli_api_key_regenerate(struct cli *cli);
int cli_api_key_delete(struct cli *cli);
