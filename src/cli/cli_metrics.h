/* SPDX-License-Identifier: Apache-2.0 */
/* postern metrics. */
#pragma once

#include "cli/cli.h"

extern const struct cli_option_row cli_metrics_options[];

int cli_metrics(struct cli *cli);
