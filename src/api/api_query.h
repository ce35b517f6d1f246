/* SPDX-License-Identifier: Apache-2.0 */
/* Queries: parts of documents by their words, in one corpus or several. */
#pragma once

#include "web/exchange.h"

void api_query_corpora(struct exchange *x);
void api_query_corpus(struct exchange *x);
void api_query_corpus_simple(struct exchange *x);
