/* SPDX-License-Identifier: Apache-2.0 */
/* Documents of a corpus: /v2/corpora/{corpus_key}/documents, and what concerns all of them. */
#pragma once

#include "web/exchange.h"

struct corpus;
struct documents;
struct documents_place;

/* The documents, or NULL: they are switched off, and the reply (404) is made. */
struct documents *api_document_store(struct exchange *x);

/* False: the corpus is disabled, and the reply (403) is made. */
bool api_document_admits(struct exchange *x, const struct corpus *corpus);

struct documents_place api_document_place(const struct corpus *corpus);

void api_document_create(struct exchange *x);
void api_document_list(struct exchange *x);
void api_document_get(struct exchange *x);
void api_document_merge_metadata(struct exchange *x);
void api_document_replace_metadata(struct exchange *x);
void api_document_delete(struct exchange *x);
