/* SPDX-License-Identifier: Apache-2.0 */
/* What a query asks for. Words are all that this server compares: what would need more (vectors, a
 * filter language, a reranker, a text generator) is refused by the name of its member, not dropped;
 * what only tunes them (semantics, custom_dimensions, lexical_interpolation) is checked and has no
 * effect. */
#pragma once

#include "codec/form.h"
#include "documents/documents.h"
#include "model/field.h"

enum { QUERY_CHARACTERS_MAX = 5000 };

struct api_query {
    int64_t limit;
    int64_t offset;
    size_t corpus_count; /* 1 when the path names the corpus: its key is empty then */
    struct {
        struct span key;
        struct span text; /* its own, or the query's */
    } corpora[DOCUMENTS_CORPORA_MAX];
};

enum api_query_corpora { API_QUERY_ONE, API_QUERY_MANY };

/* INVALID: problems says why. Texts are borrowed from body. */
enum status api_query_read(const json_t *body, enum api_query_corpora corpora, struct arena *arena,
                           struct api_query *ret_query, struct problems *problems) MUST_USE;

/* The same of a query string, for one corpus. */
enum status api_query_read_form(const struct form *form, struct api_query *ret_query,
                                struct problems *problems) MUST_USE;
