/* SPDX-License-Identifier: Apache-2.0 */
/* Cutting a section's text into parts. Pieces are cut from the text, never empty, at most
 * DOCUMENT_PART_TEXT_BYTES_MAX long, and end between characters. */
#pragma once

#include "base/span.h"

/* Cuts the next piece: a sentence, or with characters_max > 0 as many whole words as fit. False:
 * nothing but white space is left. text is valid UTF-8. */
bool documents_chunk_next(struct span *text, size_t characters_max, struct span *ret_piece);
