/* SPDX-License-Identifier: Apache-2.0 */
/* Corpora: /v2/corpora (the contract's Corpora API, metadata part). */
#pragma once

#include "web/exchange.h"

struct corpus;

/* The corpus of this key, when the caller has the route's permission on it. One without
 * account-wide rights gets the same 403 whether or not it exists. False: a reply is made. */
bool api_corpus_load(struct exchange *x, struct span key, struct corpus *corpus);

void api_corpus_create(struct exchange *x);
void api_corpus_list(struct exchange *x);
void api_corpus_get(struct exchange *x);
void api_corpus_update(struct exchange *x);
void api_corpus_replace_filter_attributes(struct exchange *x);
void api_corpus_delete(struct exchange *x);
