/* SPDX-License-Identifier: Apache-2.0 */
/* The parameters of an OAuth request: a form (RFC 6749 appendix B) or, for clients of the contract
 * that post it, a JSON object of strings. */
#pragma once

#include "codec/form.h"
#include "web/exchange.h"

struct oauth_params {
    struct form form;
    bool is_json;
};

/* Reads the body and refuses credentials in the query (RFC 6749 §2.3.1). When something is wrong
 * the reply is made and the answer is not OK. */
enum status oauth_params_read(struct exchange *x, struct oauth_params *ret_params) MUST_USE;

/* form_get() that makes the reply for a repeated parameter (RFC 6749 §3.2). OK with an empty value
 * when the parameter is absent. */
enum status oauth_param(struct exchange *x, const struct oauth_params *params, struct span name,
                        struct span *ret_value) MUST_USE;
