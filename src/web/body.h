/* SPDX-License-Identifier: Apache-2.0 */
/* Request bodies and query strings of the management API. */
#pragma once

#include "codec/form.h"
#include "codec/json.h"
#include "web/exchange.h"

/* The media type without parameters, compared case-insensitively (RFC 9110 §8.3.1). */
bool body_has_type(const struct exchange *x, struct span media_type);

/* The body as a JSON object, caller owns. When it is not one, the reply (400, 415) is made and the
 * answer is not OK. */
enum status body_json_object(struct exchange *x, json_t **ret_body) MUST_USE;

/* The same within other limits than json_limits_default. */
enum status body_json_object_within(struct exchange *x, const struct json_limits *limits,
                                    json_t **ret_body) MUST_USE;

/* The decoded query. When it does not decode, the reply (400) is made and the answer is not OK. */
enum status query_parse(struct exchange *x, struct form *ret_query) MUST_USE;
