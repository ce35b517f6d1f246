/* SPDX-License-Identifier: Apache-2.0 */
/* What the handlers of /v2 share. */
#pragma once

#include "codec/form.h"
#include "codec/pattern.h"
#include "model/audit_event.h"
#include "model/field.h"
#include "store/store.h"
#include "web/exchange.h"

struct page;

/* The audit record of this request. */
struct audit_event api_audit(const struct exchange *x, enum audit_action action,
                             struct span target_id);

/* prefix + 12 random base62 characters; ptr is NULL without memory. */
struct span api_id_make(struct exchange *x, const char *prefix);

/* The Idempotency-Key header with a digest of the body. When the header is not usable the reply
 * (400) is made and the answer is not OK. */
enum status api_idempotency(struct exchange *x, struct store_idempotency *ret_idempotency) MUST_USE;

/* A list's filter parameter, compiled. When it does not compile the reply (400) is made and the
 * answer is not OK. *ret_pattern is NULL without a filter. */
enum status api_filter(struct exchange *x, struct span filter,
                       struct pattern **ret_pattern) MUST_USE;

/* The id of the corpus that the corpus_key parameter names; empty without it. Of one that there is
 * not, an id that nothing has. When it is wrong the reply (400) is made. */
enum status api_corpus_filter(struct exchange *x, const struct form *query,
                              struct span *ret_corpus_id) MUST_USE;

/* The store_page of a list request; pattern may be NULL and must outlive it. */
struct store_page api_store_page(const struct exchange *x, const struct page *page,
                                 struct pattern *pattern);

/* The reply of a list that failed: a filter that is too costly is the caller's. */
void api_list_fail(struct exchange *x, enum status status);

/* Begins the reply of a list: its object, and in it the array named plural, are open. */
struct json_writer;
struct json_writer api_list_begin(struct exchange *x, struct span plural);

/* Ends it: closes the array, and adds "metadata" with page_key when there is more. */
void api_list_end(struct exchange *x, struct json_writer *writer, const struct page *page,
                  bool has_more, int64_t last_sequence);

/* Reads the body into object by the rows with flag. False: a reply is made. */
bool api_read_fields(struct exchange *x, const struct field *fields, size_t count,
                     enum field_flag flag, void *object);

/* The reply to a deletion of what the path names: 204, or its failure. */
void api_reply_deleted(struct exchange *x, enum status status);
