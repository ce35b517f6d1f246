/* SPDX-License-Identifier: Apache-2.0 */
/* postern decode: what a token says. Local; the signature is not checked. */
#pragma once

#include "cli/cli.h"

int cli_decode(struct cli *cli);
