/* SPDX-License-Identifier: Apache-2.0 */
/* postern corpus …: corpora of the built-in API from the command line. */
#pragma once

#include "cli/cli.h"

extern const struct cli_option_row cli_corpus_create_options[];
extern const struct cli_option_row cli_corpus_list_options[];
extern const struct cli_option_row cli_corpus_update_options[];

int cli_corpus_create(struct cli *cli);
int cli_corpus_list(struct cli *cli);
int cli_corpus_show(struct cli *cli);
int cli_corpus_update(struct cli *cli);
int cli_corpus_delete(struct cli *cli);
