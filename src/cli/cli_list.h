/* SPDX-License-Identifier: Apache-2.0 */
/* The lists of /v2 from the command line: all pages, or as many items as --limit says. */
#pragma once

#include "cli/cli.h"

#include <jansson.h>

#define CLI_LIST_LIMIT                                                                             \
    {                                                                                              \
        "limit", "N", "at most this many (default: all)"                                           \
    }

/* The items of the list at path, newest first, by the options --filter and --limit. plural is the
 * member that holds them. Exit status, 0 with the caller's *ret_items. */
int cli_list(struct cli *cli, struct span path, const char *plural, json_t **ret_items);
