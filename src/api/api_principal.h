/* SPDX-License-Identifier: Apache-2.0 */
/* What application clients, API keys and users have in common behind /v2: their secrets, the MAC of
 * their records, and rule R7. */
#pragma once

#include "crypto/secret.h"
#include "model/audit_event.h"
#include "model/field.h"
#include "model/principal.h"
#include "web/exchange.h"

/* Makes a secret of this kind for the principal and adds it to its credentials. *ret_secret is the
 * text, to be shown once. CONFLICT: it has as many as it may have. */
enum status api_principal_add_secret(struct exchange *x, struct principal *principal,
                                     enum secret_kind kind, struct span *ret_secret) MUST_USE;

/* Sets record_mac over the record as it is now. */
enum status api_principal_authenticate(struct exchange *x, struct principal *principal) MUST_USE;

/* Does the MAC that was stored fit? Before a record is changed: else a change would authenticate
 * what somebody wrote into the database. CORRUPT: no. */
enum status api_principal_verify(struct exchange *x, const struct principal *principal) MUST_USE;

/* The same with a reply: false: it is made. */
bool api_principal_is_authentic(struct exchange *x, const struct principal *principal);

/* The newest secret, while it may be read back; empty when it may not. The record must be one of
 * ours (CORRUPT). Every reading is an audit event. RATE_LIMITED: the signer's cap. */
enum status api_principal_reveal(struct exchange *x, const struct principal *principal,
                                 enum audit_action action, struct span *ret_secret) MUST_USE;

/* Rule R7 without a reply: OK or FORBIDDEN. */
enum status api_principal_check(struct exchange *x, const struct principal *principal,
                                const char *why) MUST_USE;

/* Rule R7: nobody hands on, reads back or changes more than it holds. Another's personal key is
 * more than anybody but an owner holds, because its user's rights may grow. False: a reply is made.
 */
bool api_principal_may_touch(struct exchange *x, const struct principal *principal,
                             const char *why);

/* Reads the body into the principal by the rows with flag, and binds its grants to the corpora that
 * they name. False: a reply is made. */
bool api_principal_read(struct exchange *x, const struct field *fields, size_t count,
                        enum field_flag flag, struct principal *principal);
/* field: what the body calls them, for the message. */
bool api_principal_resolve_corpora(struct exchange *x, struct principal *principal,
                                   const char *field);

/* For taking out of use, which hands on nothing: measured by what a personal key's user may now. */
bool api_principal_may_retire(struct exchange *x, const struct principal *principal,
                              const char *why);

/* api_principal_may_touch() for what is granted. */
bool api_principal_may_grant(struct exchange *x, const struct principal *principal);

/* An id in prefix, time and version of a new one. False: a reply is made. */
bool api_principal_begin(struct exchange *x, struct principal *principal, const char *prefix);
