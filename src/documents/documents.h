/* SPDX-License-Identifier: Apache-2.0 */
/* Documents of corpora, in a database of their own (documents.db): kept as parts of text, and found
 * again by their words.
 *
 * Knows accounts and corpora by their ids alone, and asks nobody whether they exist. Metadata is
 * JSON text of an object, checked by whoever takes it in. A write is durable when it is answered.
 * Ranking weighs words by how rare they are in all that this database holds. */
#pragma once

#include "base/attr.h"
#include "base/span.h"
#include "base/status.h"

struct arena;
struct documents;

enum {
    DOCUMENT_ID_LEN_MAX = 256,
    DOCUMENT_PARTS_MAX = 1000,
    DOCUMENT_TEXT_BYTES_MAX = 512 << 10, /* all parts together */
    DOCUMENT_PART_TEXT_BYTES_MAX = 64 << 10,
    DOCUMENT_METADATA_BYTES_MAX = 32 << 10, /* of the document; also of each part */
    DOCUMENTS_CORPORA_MAX = 20,             /* of one search */
    DOCUMENTS_HITS_MAX = 100,
    DOCUMENTS_OFFSET_MAX = 10000,
    DOCUMENTS_PAGE_MAX = 1000,
    DOCUMENTS_ANSWER_BYTES_MAX = 1 << 20, /* a page or a search ends early when it holds so much */
};

struct documents_options {
    int data_fd;      /* the data directory; borrowed */
    const char *path; /* what people call it, for messages */
    unsigned readers; /* at least one for each thread that reads */
};

/* Opens, and creates or migrates when needed. FORBIDDEN: the database is newer than this program.
 * The caller owns *ret_documents. */
enum status documents_open(const struct documents_options *options,
                           struct documents **ret_documents, struct err *err) MUST_USE;
void documents_close(struct documents *documents); /* NULL is fine */

/* As store_retire(). */
void documents_retire(struct documents *documents); /* NULL is fine */

/* Whose documents, and of which corpus. */
struct documents_place {
    struct span account_id;
    struct span corpus_id;
};

struct document_part {
    struct span text;
    struct span metadata; /* JSON object */
    struct span context;
    struct span custom_dimensions; /* JSON object */
};

struct document {
    struct span id;
    struct span metadata; /* JSON object */
    struct document_part *parts;
    size_t part_count;
    int64_t created_at;
    int64_t sequence; /* its place in lists; set when read */
};

/* As a whole or not at all. CONFLICT: the corpus has one of this id, whatever it says. */
enum status documents_add(struct documents *documents, const struct documents_place *place,
                          const struct document *document, struct err *err) MUST_USE;

/* With its parts. NOT_FOUND. */
enum status documents_get(struct documents *documents, const struct documents_place *place,
                          struct span id, struct arena *arena, struct document *ret_document,
                          struct err *err) MUST_USE;

struct documents_page {
    int64_t before_sequence; /* INT64_MAX: from the newest */
    size_t limit;            /* at most DOCUMENTS_PAGE_MAX */
};

struct documents_list {
    struct document *items; /* newest first, without parts */
    size_t count;
    bool has_more;
};

enum status documents_list(struct documents *documents, const struct documents_place *place,
                           const struct documents_page *page, struct arena *arena,
                           struct documents_list *ret_list, struct err *err) MUST_USE;

/* Puts metadata in the place of what there was; merges: only its own members, null among them.
 * Parts keep theirs. *ret_document is as in a list. NOT_FOUND; INVALID: merged, it is too large. */
struct documents_metadata {
    struct span id;
    struct span metadata;
    bool merges;
};

enum status documents_set_metadata(struct documents *documents, const struct documents_place *place,
                                   const struct documents_metadata *change, struct arena *arena,
                                   struct document *ret_document, struct err *err) MUST_USE;

/* NOT_FOUND. */
enum status documents_delete(struct documents *documents, const struct documents_place *place,
                             struct span id, struct err *err) MUST_USE;

/* All of the corpus; forget: also that there was one. */
enum status documents_reset(struct documents *documents, const struct documents_place *place,
                            struct err *err) MUST_USE;
enum status documents_forget(struct documents *documents, const struct documents_place *place,
                             struct err *err) MUST_USE;

/* Walks the corpora that there were documents of: the one after number (0: the first), whose number
 * is then *ret_number. NOT_FOUND: no more. */
enum status documents_next_corpus(struct documents *documents, int64_t number, struct arena *arena,
                                  struct documents_place *ret_place, int64_t *ret_number,
                                  struct err *err) MUST_USE;

struct documents_size {
    int64_t documents;
    int64_t parts;
    int64_t characters;          /* code points of all parts' text */
    int64_t metadata_characters; /* of documents and parts */
};

enum status documents_measure(struct documents *documents, const struct documents_place *place,
                              struct documents_size *ret_size, struct err *err) MUST_USE;

/* Parts with any of the words of a text, whatever their case, best first over all corpora. */
struct documents_search {
    struct span account_id;
    const struct documents_scope *scopes;
    size_t scope_count; /* at most DOCUMENTS_CORPORA_MAX */
    int64_t limit;      /* at most DOCUMENTS_HITS_MAX */
    int64_t offset;     /* at most DOCUMENTS_OFFSET_MAX */
};

struct documents_scope {
    struct span corpus_id;
    struct span text; /* any text: nothing in it is an operator */
};

struct documents_hit {
    size_t scope; /* which of the search's; the first of its corpus */
    struct span document_id;
    struct span document_metadata;
    struct span text;
    struct span part_metadata;
    double score; /* higher is better */
};

enum status documents_search(struct documents *documents, const struct documents_search *search,
                             struct arena *arena, struct documents_hit **ret_hits,
                             size_t *ret_count, struct err *err) MUST_USE;
