/* SPDX-License-Identifier: Apache-2.0 */
/* The body that indexes a document: core (parts as they are) or structured (sections, cut into
 * parts). The document's texts are borrowed from the body, its JSON is in the arena. */
#pragma once

#include "documents/documents.h"
#include "model/field.h"

/* What a body may need beside texts, which are counted once each. */
enum { DOCUMENT_BODY_BYTES_MAX = 2 << 20, DOCUMENT_BODY_MEMBERS_MAX = 4096 };

/* INVALID: problems says why. NO_MEMORY. */
enum status api_document_read(const json_t *body, struct arena *arena,
                              struct document *ret_document, struct problems *problems) MUST_USE;

/* "metadata" of a body that changes it, required. Empty, and a problem, when it is not usable. */
struct span api_document_read_metadata(const json_t *body, struct arena *arena,
                                       struct problems *problems);
