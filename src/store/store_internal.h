/* SPDX-License-Identifier: Apache-2.0 */
/* What the entities' files share: one way to write, one way to read, and the rows that go with
 * every change. */
#pragma once

#include "sql/sql.h"
#include "store/store.h"

/* --- Writing --- */

/* A write under way: what a body sees. */
struct store_tx {
    struct sql_conn *conn;
    struct store_change change; /* revision 0 until store_change_add() */
    bool has_more_changes;      /* more than that one may have changed: who listens forgets all */
};

/* Runs body inside a transaction: kept when it answers OK, else undone. The only place that begins
 * and commits, so that writes can come to share a commit without their knowing. *ret_revision,
 * unless NULL: the change's, or 0 when body added none. */
enum status store_write(struct store *store,
                        enum status (*body)(struct store_tx *tx, void *context, struct err *err),
                        void *context, int64_t *ret_revision, struct err *err) MUST_USE;

/* Numbers this write: the feed's row, the listener's, and the audit trail's. Once per write, before
 * rows that take tx->change.revision as their sequence. change: without a revision; its spans stay
 * until store_write() returns. */
enum status store_change_add(struct store_tx *tx, const struct store_change *change,
                             const struct audit_event *audit, struct err *err) MUST_USE;

/* Another row of the feed, and of the audit trail, in the same write, numbered after those before
 * it. */
enum status store_change_also(struct store_tx *tx, const struct store_change *change,
                              const struct audit_event *audit, struct err *err) MUST_USE;

/* Keeps the feed's newest kept rows; now and then, by itself. Who follows the feed and fell further
 * behind starts from the tables. */
enum status store_change_forget_old(struct sql_conn *conn, int64_t kept, struct err *err) MUST_USE;

/* Raises the counter by count; *ret_revision is its new value. */
enum status store_counter_raise(struct store_tx *tx, int64_t count, int64_t *ret_revision,
                                struct err *err) MUST_USE;
enum status store_counter_raise_to(struct sql_conn *conn, int64_t least, struct err *err) MUST_USE;
enum status store_counter_read(struct sql_conn *conn, int64_t *ret_revision,
                               struct err *err) MUST_USE;

enum status store_audit_insert(struct store_tx *tx, int64_t sequence,
                               const struct audit_event *audit, struct err *err) MUST_USE;

/* *ret_existing_id: what this key made before, empty for none. CONFLICT: it was for another request
 * or kind. Without a key, none. */
enum status store_idempotency_find(struct store_tx *tx, struct span account_id, struct span kind,
                                   const struct store_idempotency *idempotency, struct arena *arena,
                                   struct span *ret_existing_id, struct err *err) MUST_USE;

struct store_made {
    struct span account_id;
    struct span kind;
    struct span id;
    int64_t created_at;
};

enum status store_idempotency_add(struct store_tx *tx, const struct store_idempotency *idempotency,
                                  const struct store_made *made, struct err *err) MUST_USE;

/* --- Reading --- */

/* A connection out of the pool, in a snapshot. */
struct store_reader {
    struct store *store;
    struct sql_conn *conn;
};

enum status store_reader_take(struct store *store, struct store_reader *ret_reader,
                              struct err *err) MUST_USE;
void store_reader_give(struct store_reader *reader);

static inline void auto_store_reader(struct store_reader *reader)
{
    store_reader_give(reader);
}

/* The revision of the reader's snapshot; the store then knows of it too. */
enum status store_reader_revision(struct store_reader *reader, int64_t *ret_revision,
                                  struct err *err) MUST_USE;

/* In the transaction that does what the job is about; after its change was added. */
struct job;
enum status store_job_insert(struct store_tx *tx, const struct job *job, struct err *err) MUST_USE;

/* Asks the page's filter about the row that stmt is on, whose first two columns are name and
 * description; stmt is at the first column again after that. */
enum status store_page_matches(const struct store_page *page, struct sql_stmt *row,
                               bool *ret_matches, struct err *err) MUST_USE;

/* How many rows to ask for, at most: one more than the page tells whether more are left, but a
 * filter may need all. */
int64_t store_page_rows(const struct store_page *page);

/* --- Parts of a principal --- */

enum status store_principal_insert(struct store_tx *tx, const struct principal *principal,
                                   int64_t sequence, struct err *err) MUST_USE;

/* CONFLICT: the stored version is not the one before. */
enum status store_principal_update_row(struct store_tx *tx, const struct principal *principal,
                                       struct err *err) MUST_USE;

enum status store_one_time_code_insert(struct store_tx *tx, const struct one_time_code *code,
                                       struct err *err) MUST_USE;
enum status store_one_time_code_forget(struct store_tx *tx, struct span user_id,
                                       struct err *err) MUST_USE;

/* Corpus grants must name corpora of the holder's account, or stand there already. INVALID with the
 * key of the first that does not. */
enum status store_role_grant_check(struct store_tx *tx, const struct principal *holder,
                                   struct err *err) MUST_USE;
enum status store_role_grant_insert(struct store_tx *tx, const struct principal *holder,
                                    struct err *err) MUST_USE;
enum status store_role_grant_delete(struct store_tx *tx, const struct principal *holder,
                                    struct err *err) MUST_USE;
enum status store_role_grant_read(struct sql_conn *conn, struct arena *arena,
                                  struct principal *holder, struct err *err) MUST_USE;

enum status store_credential_insert(struct store_tx *tx, const struct principal *owner,
                                    struct err *err) MUST_USE;

/* Also what is known of their use. */
enum status store_credential_delete(struct store_tx *tx, const struct principal *owner,
                                    struct err *err) MUST_USE;
enum status store_credential_read(struct sql_conn *conn, bool with_sealed, struct arena *arena,
                                  struct principal *owner, struct err *err) MUST_USE;
