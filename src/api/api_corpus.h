/* SPDX-License-Identifier: Apache-2.0 */
/* Corpora: /v2/corpora (the contract's Corpora API, metadata part). */
#pragma once

#include "web/exchange.h"

void api_corpus_create(struct exchange *x);
void api_corpus_list(struct exchange *x);
void api_corpus_get(struct exchange *x);
void api_corpus_update(struct exchange *x);
void api_corpus_replace_filter_attributes(struct exchange *x);
void api_corpus_delete(struct exchange *x);
