/* SPDX-License-Identifier: Apache-2.0 */
#include "oauth/oauth_error.h"

#include "../exchange_fixture.h"

#include "web/reply.h"

static void each_error_has_its_code_and_status(void **state)
{
    (void)state;
    static const struct {
        const char *code;
        int http;
    } expected[OAUTH_ERROR_COUNT] = {
        [OAUTH_INVALID_REQUEST] = {"invalid_request", 400},
        [OAUTH_INVALID_CLIENT] = {"invalid_client", 401},
        [OAUTH_INVALID_GRANT] = {"invalid_grant", 400},
        [OAUTH_UNAUTHORIZED_CLIENT] = {"unauthorized_client", 400},
        [OAUTH_UNSUPPORTED_TOKEN_TYPE] = {"unsupported_token_type", 400},
        [OAUTH_UNSUPPORTED_GRANT_TYPE] = {"unsupported_grant_type", 400},
        [OAUTH_UNSUPPORTED_RESPONSE_TYPE] = {"unsupported_response_type", 400},
        [OAUTH_INVALID_SCOPE] = {"invalid_scope", 400},
        [OAUTH_INVALID_TARGET] = {"invalid_target", 400},
        [OAUTH_TEMPORARILY_UNAVAILABLE] = {"temporarily_unavailable", 503},
        [OAUTH_SERVER_ERROR] = {"server_error", 500},
    };
    for (unsigned error = 0; error < OAUTH_ERROR_COUNT; error++) {
        struct exchange_fixture f;
        char body[128];
        fixture_open(&f, HTTP_POST, "/oauth2/token");
        f.x.next = NEXT_SIGNER; /* whatever was meant to come next */
        reply_header(&f.x, SPAN("X-Old"), SPAN("1"));
        oauth_fail(&f.x, (enum oauth_error)error, "Why");
        (void)snprintf(body, sizeof body, "{\"error\":\"%s\",\"error_description\":\"Why\"}",
                       expected[error].code);
        assert_span_equal(buf_span(&f.x.reply.body), body);
        assert_int_equal(f.x.reply.status, expected[error].http);
        assert_int_equal(f.x.next, NEXT_REPLY);
        assert_int_equal(fixture_reply_header(&f, "X-Old").len, 0);
        assert_span_equal(f.x.reply.content_type, "application/json");
        /* RFC 6749 §5.1 */
        assert_span_equal(fixture_reply_header(&f, "Cache-Control"), "no-store");
        assert_span_equal(fixture_reply_header(&f, "Pragma"), "no-cache");
        /* RFC 9110 §15.5.2: a 401 has a challenge, and only a 401 */
        assert_int_equal(fixture_reply_header(&f, "WWW-Authenticate").len > 0,
                         expected[error].http == 401);
        assert_int_equal(fixture_reply_header(&f, "Retry-After").len > 0,
                         expected[error].http == 503);
        fixture_close(&f);
    }
}

/* What is broken inside is no fault of the client's, and is not told. */
static void inner_failures_are_500_or_503(void **state)
{
    (void)state;
    static const enum status statuses[] = {UNAVAILABLE, NO_MEMORY, CORRUPT};
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        struct exchange_fixture f;
        fixture_open(&f, HTTP_POST, "/oauth2/token");
        (void)fail(&f.x.err, statuses[i], "disk I/O error in postern.db");
        oauth_fail_status(&f.x, statuses[i]);
        assert_int_equal(f.x.reply.status, statuses[i] == CORRUPT ? 500 : 503);
        assert_false(fixture_reply_has(&f, "postern.db"));
        fixture_close(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_error_has_its_code_and_status),
        cmocka_unit_test(inner_failures_are_500_or_503),
    };
    return RUN_TESTS(tests);
}
