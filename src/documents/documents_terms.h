/* SPDX-License-Identifier: Apache-2.0 */
/* A caller's text as a search expression of FTS5. Every word is quoted and no word can hold a
 * quote, so that nothing in the text is an operator, a column or a prefix. */
#pragma once

#include "base/buf.h"
#include "base/span.h"

enum { DOCUMENTS_TERMS_MAX = 64 }; /* different words of one text; what follows is not looked for */

/* Appends "one" OR "two"; the number of words. Words are runs of letters and digits; beyond ASCII,
 * where a word ends is the tokenizer's to say, and it may make a phrase of one. */
size_t documents_terms_write(struct span text, struct buf *out);
