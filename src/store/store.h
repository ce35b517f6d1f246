/* SPDX-License-Identifier: Apache-2.0 */
/* What the product keeps, in terms of the model: the contract that each database driver fulfils.
 *
 * A write is one transaction: the rows, one audit row, and one numbered row of the change feed
 * each. It is durable when the function returns OK, and *ret_revision is its number. Reads are one
 * snapshot. Any function may be called from any thread, and blocks: never from an event loop.
 * UNAVAILABLE: the database does not answer, is full, or an error at commit left the outcome
 * unknown (the store then closes, reopens and reads again). CORRUPT: it holds what it must not.
 * Every row that belongs to an account carries its id and every query names it; another account's
 * row answers NOT_FOUND. What is read is copied into the arena given. */
#pragma once

#include "base/attr.h"
#include "base/span.h"
#include "base/status.h"
#include "model/principal.h"
#include "model/audit_event.h"
#include "model/corpus.h"
#include "model/job.h"

struct arena;
struct metrics;
struct store;

/* A row of the change feed. kind and id: "app_client" and OAuth's client_id (what tokens carry),
 * "api_key" and its credential's id, "app_user" and its id, "corpus" and its id, "account",
 * "server_key", …; jti: of single refused tokens. Kind "*" is no row: a write made several, or the
 * database was opened again after a failure that left a commit's fate unknown; whatever is kept of
 * it may be out of date. */
struct store_change {
    int64_t revision;
    struct span account_id;
    struct span kind;
    struct span id;
    struct span jti;
};

struct store_options {
    int data_fd;      /* the data directory; borrowed. The database is postern.db in it */
    const char *path; /* what people call that directory, for messages */
    int64_t now;      /* wall clock, microseconds: the revision is raised to at least this */
    unsigned readers; /* read-only connections kept: at least one for each thread that reads */
    /* Called for each committed change, in the order of revisions, before the write returns: under
     * the writer's lock, so it must not call the store. NULL: nobody listens. */
    void (*on_change)(void *context, const struct store_change *change);
    void *change_context;
    struct metrics *metrics; /* commits are counted there; may be NULL */
};

/* Opens, and creates or migrates when needed. FORBIDDEN: the database is newer than this program
 * (unharmed). The caller owns *ret_store. */
enum status store_open(const struct store_options *options, struct store **ret_store,
                       struct err *err) MUST_USE;
void store_close(struct store *store); /* also checkpoints. NULL is fine */

/* Closes the database for good while calls may still come: they are UNAVAILABLE from then on. */
void store_retire(struct store *store);

int64_t store_revision(
    struct store *store); /* of the last committed change that this store made or read */

/* The database library's version, and the number of the newest migration in this program, which is
 * that of every open database. */
const char *store_library_version(void);
size_t store_schema_version(void);

/* Does the database answer? A read and, for the writer, an empty transaction. */
enum status store_ping(struct store *store, struct err *err) MUST_USE;

/* Reads the whole database and checks its structure: a second or two per gigabyte. CORRUPT: it is
 * damaged; err says where first. */
enum status store_check(struct store *store, struct err *err) MUST_USE;

/* --- Access tokens that are refused one by one
 * -------------------------------------------------- */

struct revoked_token {
    struct span account_id;
    struct span client_id; /* whose it was; OAuth's id */
    struct span jti;
    int64_t expires_at; /* from then on the row is of no use; seconds of the tokens' clock */
    int64_t now;        /* by that clock: what has expired goes */
};

/* Revoking again is nothing. */
enum status store_token_revoke(struct store *store, const struct revoked_token *token,
                               const struct audit_event *audit, struct err *err) MUST_USE;

/* Every revoked token that may not have expired; jti is valid in the call only. Ends with the first
 * status that is not OK. */
enum status store_revoked_tokens(struct store *store,
                                 enum status (*each)(void *context, struct span jti,
                                                     int64_t expires_at),
                                 void *context, struct err *err) MUST_USE;

/* --- Facts about the installation: name -> bytes
 * -------------------------------------------------- */

enum status store_meta_get(struct store *store, struct span name, struct arena *arena,
                           struct span *ret_value, struct err *err) MUST_USE; /* NOT_FOUND */
enum status store_meta_set(struct store *store, struct span name, struct span value,
                           struct err *err) MUST_USE;

/* --- Keys of the server: pepper, record MAC key, token-signing keys; private parts sealed
 * ----------- */

struct server_key {
    struct span id;         /* kid for token keys, else the kind */
    struct span kind;       /* "token", "pepper", "record_mac" */
    struct span alg;        /* of token keys: "RS256", … */
    struct span public_jwk; /* of token keys */
    struct span sealed;
    struct span check_value; /* what the key makes of a fixed text, compared in the signer */
    struct span state;       /* "active", "retired" */
    int64_t created_at;
};

enum status store_server_key_list(struct store *store, struct arena *arena,
                                  struct server_key **ret_keys, size_t *ret_count,
                                  struct err *err) MUST_USE;
enum status store_server_key_add(struct store *store, const struct server_key *key,
                                 const struct audit_event *audit, int64_t *ret_revision,
                                 struct err *err) MUST_USE; /* CONFLICT: id is there */

/* --- Accounts
 * -------------------------------------------------------------------------------------- */

struct account_new {
    struct span account_id; /* acc_… */
    struct span name;
    const struct principal *owner; /* its first user */
    int64_t now;
};

/* The oldest account; NOT_FOUND before first start. */
enum status store_account_first(struct store *store, struct arena *arena,
                                struct span *ret_account_id, struct err *err) MUST_USE;
enum status store_account_create(struct store *store, const struct account_new *account,
                                 const struct audit_event *audit, int64_t *ret_revision,
                                 struct err *err) MUST_USE; /* CONFLICT: id is there */

struct account {
    struct span id;
    struct span name;
    int64_t token_ttl_seconds; /* the longest life of its clients' tokens; 0: the server's */
    bool is_enabled;
    int64_t version;
    int64_t created_at;
};

/* Every account, oldest first: the host's administrator makes few. */
enum status store_account_list(struct store *store, struct arena *arena,
                               struct account **ret_accounts, size_t *ret_count,
                               struct err *err) MUST_USE;

enum status store_account_get(struct store *store, struct span id, struct arena *arena,
                              struct account *ret_account,
                              struct err *err) MUST_USE; /* NOT_FOUND */

/* Writes name, token life and is_enabled. Disabling refuses everything of the account from this
 * revision on; its tokens stay refused when it is enabled again. account->version is one more than
 * what was read; CONFLICT: somebody else changed it, or it is gone. */
enum status store_account_update(struct store *store, const struct account *account,
                                 const struct audit_event *audit, int64_t *ret_revision,
                                 struct err *err) MUST_USE;

/* --- Lists: newest first, by sequence
 * -------------------------------------------------------------- */

struct store_page {
    struct span account_id;
    int64_t before_sequence; /* only rows below; INT64_MAX from the start */
    size_t limit;            /* at most this many rows */
    /* Called with each candidate's texts (name, and description or empty); a row is listed when
     * *ret_matches. NULL: all. A failure ends the listing and is its answer. */
    enum status (*filter)(void *context, struct span name, struct span description,
                          bool *ret_matches, struct err *err);
    void *filter_context;
};

/* --- Principals: application clients, API keys, users
 * ------------------------------------------------- */

/* An idempotency key remembers for a day what a create made. Empty: none. */
struct store_idempotency {
    struct span key;     /* caller and its own key, at most 320 bytes */
    struct span request; /* digest of the request, so that reuse for another one is noticed */
};

/* principal holds everything but sequence; corpus_grants name ids that exist (INVALID with the key
 * of the first that does not). CONFLICT: client_id, username, e-mail address or id taken. With an
 * idempotency key that was used before: the earlier principal's id in *ret_existing_id and OK
 * without a change (*ret_revision 0), or CONFLICT when the request differs. */
enum status store_principal_create(struct store *store, const struct principal *principal,
                                   const struct store_idempotency *idempotency,
                                   const struct audit_event *audit, struct arena *arena,
                                   struct span *ret_existing_id, int64_t *ret_revision,
                                   struct err *err) MUST_USE;

/* With credentials and grants. id: of users the username. */
enum status store_principal_get(struct store *store, enum principal_kind kind,
                                struct span account_id, struct span id, struct arena *arena,
                                struct principal *ret_principal, struct err *err) MUST_USE;

/* Over all accounts, by what the change feed calls it: OAuth's client_id, the id of an API key's
 * credential, a user's id. *ret_snapshot is the revision that the snapshot had, also on NOT_FOUND.
 */
enum status store_principal_find(struct store *store, enum principal_kind kind, struct span name,
                                 struct arena *arena, struct principal *ret_principal,
                                 int64_t *ret_snapshot, struct err *err) MUST_USE;

/* Empty members: all. */
struct store_principal_query {
    struct store_page page;
    enum principal_kind kind;
    struct span corpus_id; /* those with a role on it */
    struct span owner_id;  /* API keys: of this maker or user */
    enum api_key_role api_key_role;
};

/* Without sealed copies. *ret_has_more: rows are left below the last one. */
enum status store_principal_list(struct store *store, const struct store_principal_query *query,
                                 struct arena *arena, struct principal **ret_principals,
                                 size_t *ret_count, bool *ret_has_more, struct err *err) MUST_USE;

/* Writes description, is_enabled, roles, grants, token life, record_mac and updated_at when the
 * stored version is principal->version - 1. A client that is disabled loses its tokens for good.
 * CONFLICT: it is not, read again. NOT_FOUND. FORBIDDEN: it is the account's last enabled owner.
 * INVALID: a grant's corpus does not exist, and there is none on it from before its deletion. */
enum status store_principal_update(struct store *store, const struct principal *principal,
                                   const struct audit_event *audit, int64_t *ret_revision,
                                   struct err *err) MUST_USE;

/* Also writes its credentials in the place of the stored ones, whose use is forgotten. */
enum status store_principal_update_credentials(struct store *store,
                                               const struct principal *principal,
                                               const struct audit_event *audit,
                                               int64_t *ret_revision, struct err *err) MUST_USE;

/* Also its credentials and grants, and the API keys that it made or that have its rights. id is the
 * principal's own, also of users. NOT_FOUND. FORBIDDEN as for update. */
enum status store_principal_delete(struct store *store, enum principal_kind kind,
                                   struct span account_id, struct span id,
                                   const struct audit_event *audit, int64_t *ret_revision,
                                   struct err *err) MUST_USE;

/* --- One-time codes of users
 * ------------------------------------------------------------------------- */

struct one_time_code {
    struct span hash; /* SHA-256 of its text */
    struct span account_id;
    struct span user_id;
    bool is_invitation; /* using it enables the user */
    int64_t expires_at;
};

/* In the place of the user's earlier one. INVALID: there is no such user. */
enum status store_one_time_code_add(struct store *store, const struct one_time_code *code,
                                    const struct audit_event *audit, struct err *err) MUST_USE;

/* user_id and is_invitation of the code that has not expired at now. NOT_FOUND. */
enum status store_one_time_code_find(struct store *store, struct span hash, int64_t now,
                                     struct arena *arena, struct one_time_code *ret_code,
                                     struct err *err) MUST_USE;

struct store_redemption {
    struct span hash;
    int64_t now;
    const struct principal *user; /* as it is from now on, one version on */
    const struct principal *key;  /* its new personal key */
    const struct audit_event *audit;
};

/* Uses the code up, writes the user and makes the key, or does nothing. NOT_FOUND: it was used, or
 * has expired. CONFLICT: the user was changed meanwhile. */
enum status store_one_time_code_redeem(struct store *store,
                                       const struct store_redemption *redemption,
                                       struct err *err) MUST_USE;

/* --- Use of credentials: gathered in memory, written in batches
 * ------------------------------------- */

struct credential_use {
    struct span credential_id;
    int64_t first_at; /* of this batch */
    int64_t last_at;
    int64_t count;
    struct span last_address;
    int64_t page_at; /* the secret came from a web page of another site; 0: never */
};

/* The first such page of a credential in a day is an audit event. Adds the batch to what is stored;
 * credentials that are gone are skipped. No change-feed rows. */
enum status store_use_add(struct store *store, const struct credential_use *uses, size_t count,
                          struct err *err) MUST_USE;

/* NOT_FOUND: never used. */
enum status store_use_get(struct store *store, struct span credential_id, struct arena *arena,
                          struct credential_use *ret_use, struct err *err) MUST_USE;

/* --- Corpora
 * ----------------------------------------------------------------------------------------- */

/* CONFLICT: the account has a corpus with this key. Idempotency as above. */
enum status store_corpus_create(struct store *store, const struct corpus *corpus,
                                const struct store_idempotency *idempotency,
                                const struct audit_event *audit, struct arena *arena,
                                struct span *ret_existing_id, int64_t *ret_revision,
                                struct err *err) MUST_USE;
enum status store_corpus_get(struct store *store, struct span account_id, struct span key,
                             struct arena *arena, struct corpus *ret_corpus,
                             struct err *err) MUST_USE;

/* Only corpora among ids when id_count is not 0 or is_restricted is true (an empty restricted list
 * lists nothing). */
struct store_corpus_query {
    struct store_page page;
    bool is_restricted;
    const struct span *ids;
    size_t id_count;
};

enum status store_corpus_list(struct store *store, const struct store_corpus_query *query,
                              struct arena *arena, struct corpus **ret_corpora, size_t *ret_count,
                              bool *ret_has_more, struct err *err) MUST_USE;

/* Writes name, description, is_enabled, save_history and filter_attributes; corpus->version is one
 * more than what was read. With a job, unless NULL, in the same commit. CONFLICT: somebody else
 * changed it; NOT_FOUND: it is gone. */
enum status store_corpus_update(struct store *store, const struct corpus *corpus,
                                const struct job *job, const struct audit_event *audit,
                                int64_t *ret_revision, struct err *err) MUST_USE;

/* The holders' records are not re-made: their MACs still cover grants on it, so those stay, read
 * back with an empty corpus_key, until the holder is next updated without them. Ids never come
 * back. */
enum status store_corpus_delete(struct store *store, struct span account_id, struct span key,
                                const struct audit_event *audit, int64_t *ret_revision,
                                struct err *err) MUST_USE;

/* --- Jobs
 * --------------------------------------------------------------------------------------- */

enum status store_job_get(struct store *store, struct span account_id, struct span id,
                          struct arena *arena, struct job *ret_job, struct err *err) MUST_USE;

/* Newest first; only those created later than after (seconds). The page's filter is called with
 * corpus_id and state. */
enum status store_job_list(struct store *store, const struct store_page *page, int64_t after,
                           struct arena *arena, struct job **ret_jobs, size_t *ret_count,
                           bool *ret_has_more, struct err *err) MUST_USE;

/* Reads the audit trail of an account, newest first, for tests and the later audit pages. */
struct audit_row {
    int64_t sequence;
    struct span action;
    struct span actor_kind;
    struct span actor_id;
    struct span target_id;
    int64_t at;
};

enum status store_audit_list(struct store *store, struct span account_id, int64_t before_sequence,
                             size_t limit, struct arena *arena, struct audit_row **ret_rows,
                             size_t *ret_count, struct err *err) MUST_USE;

/* An event that changes nothing else (a secret was read back). */
enum status store_audit_add(struct store *store, const struct audit_event *audit,
                            struct err *err) MUST_USE;
