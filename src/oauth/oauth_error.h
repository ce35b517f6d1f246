/* SPDX-License-Identifier: Apache-2.0 */
/* OAuth error replies (RFC 6749 §5.2) and the one table of their codes. */
#pragma once

#include "web/exchange.h"

enum oauth_error {
    OAUTH_INVALID_REQUEST,
    OAUTH_INVALID_CLIENT,
    OAUTH_INVALID_GRANT,
    OAUTH_UNAUTHORIZED_CLIENT,
    OAUTH_UNSUPPORTED_TOKEN_TYPE,
    OAUTH_UNSUPPORTED_GRANT_TYPE,
    OAUTH_UNSUPPORTED_RESPONSE_TYPE, /* RFC 6749 §4.1.2.1 */
    OAUTH_INVALID_SCOPE,
    OAUTH_INVALID_TARGET, /* RFC 8707 §2 */
    OAUTH_TEMPORARILY_UNAVAILABLE,
    OAUTH_SERVER_ERROR,
    OAUTH_ERROR_COUNT
};

/* description: characters of RFC 6749 appendix A.8 only, and never what the caller sent; a literal.
 * invalid_client is 401 with a Basic challenge (RFC 9110 §15.5.2), whatever method was used. */
void oauth_fail(struct exchange *x, enum oauth_error error, const char *description);

/* For failures of what stands below: store, signer, memory. */
void oauth_fail_status(struct exchange *x, enum status status);
