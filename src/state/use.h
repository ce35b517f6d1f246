/* SPDX-License-Identifier: Apache-2.0 */
/* Use of credentials, counted in memory by one thread and handed over in batches: nothing is
 * written per token (D10). A table belongs to one event loop. */
#pragma once

#include "base/attr.h"
#include "base/span.h"

#include <stddef.h>

struct credential_use;
struct use_table;

enum {
    USE_TABLE_MAX = 65536
}; /* credentials between two flushes; the uses of more are not recorded */

struct use_table *use_table_new(void); /* NULL without memory */
void use_table_free(struct use_table *table);

void use_table_add(struct use_table *table, struct span credential_id, struct span address,
                   int64_t now);
/* The right secret came from a web page of another site, and was refused. */
void use_table_add_page(struct use_table *table, struct span credential_id, struct span address,
                        int64_t now);
size_t use_table_count(const struct use_table *table);

/* Takes everything counted so far out of the table as one allocation, for free(); NULL when there
 * is nothing, or no memory (then it stays counted). */
struct credential_use *use_table_take(struct use_table *table, size_t *ret_count) MUST_USE;
