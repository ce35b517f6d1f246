/* SPDX-License-Identifier: Apache-2.0 */
/* `postern keys`: the public keys of the tokens. */
#pragma once

#include "cli/cli.h"

extern const struct cli_option_row cli_keys_show_options[];

int cli_keys_show(struct cli *cli);
