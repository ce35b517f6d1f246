/* SPDX-License-Identifier: Apache-2.0 */
/* What the module's files share: the database, and corpora by number. */
#pragma once

#include "documents/documents.h"
#include "sql/sql_pool.h"

#include <stdatomic.h>

struct documents {
    struct sql_pool *pool;
    /* Queries leave half of those who read to everybody else. */
    atomic_uint searches;
    unsigned searches_max;
};

/* A snapshot, given back at the end of the block. */
struct documents_reader {
    struct documents *documents;
    struct sql_conn *conn;
};

enum status documents_read(struct documents *documents, struct documents_reader *ret_reader,
                           struct err *err) MUST_USE;
void auto_documents_reader(struct documents_reader *reader);

/* The number that stands for a corpus in this database. NOT_FOUND: nothing was ever kept of it. */
enum status documents_number(struct sql_conn *conn, const struct documents_place *place,
                             int64_t *ret_number, struct err *err) MUST_USE;
