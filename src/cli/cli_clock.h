/* SPDX-License-Identifier: Apache-2.0 */
/* postern clock accept. */
#pragma once

#include "cli/cli.h"

int cli_clock_accept(struct cli *cli);
