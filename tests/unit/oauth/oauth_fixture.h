/* SPDX-License-Identifier: Apache-2.0 */
/* Token requests made by hand. In their texts '$' stands for a client secret and '@' for a query
 * key: both well-formed, of no client. */
#pragma once

#include "codec/base64url.h"
#include "crypto/secret.h"
#include "oauth/oauth_error.h"

#include "../exchange_fixture.h"

#define FORM_TYPE     "application/x-www-form-urlencoded"
#define CREDENTIAL_ID "crd_0123456789ab"

static inline struct span oauth_fixture_secret(struct exchange_fixture *f, enum secret_kind kind)
{
    char *text = arena_alloc(&f->x.arena, SECRET_TEXT_LEN_MAX);
    assert_non_null(text);
    return span_of(text, secret_make(SPAN("pst"), kind, SPAN("0123456789ab"), text));
}

static inline struct span oauth_fixture_text(struct exchange_fixture *f, const char *template)
{
    struct buf text;
    buf_init_arena(&text, &f->x.arena, 65536);
    for (const char *at = template; *at != '\0'; at++) {
        if (*at == '$')
            buf_put(&text, oauth_fixture_secret(f, SECRET_CLIENT));
        else if (*at == '@')
            buf_put(&text, oauth_fixture_secret(f, SECRET_QUERY));
        else
            buf_byte(&text, *at);
    }
    assert_true(buf_ok(&text));
    return buf_span(&text);
}

static inline void oauth_fixture_body(struct exchange_fixture *f, const char *type,
                                      const char *template)
{
    fixture_header(f, "Content-Type", type);
    f->x.body = oauth_fixture_text(f, template);
    f->x.has_body = true;
}

static inline void oauth_fixture_authorization(struct exchange_fixture *f, struct span value)
{
    fixture_header(f, "Authorization", "");
    f->headers[f->x.header_count - 1].value = value;
}

/* HTTP Basic of the pair "id:secret". */
static inline void oauth_fixture_basic(struct exchange_fixture *f, struct span pair)
{
    struct buf value;
    buf_init_arena(&value, &f->x.arena, 65536);
    buf_put(&value, SPAN("Basic "));
    base64_write(&value, pair);
    assert_true(buf_ok(&value));
    oauth_fixture_authorization(f, buf_span(&value));
}

/* The reply is this error in the form of RFC 6749 §5.2, not to be kept by anybody. */
static inline void assert_oauth_error(const struct exchange_fixture *f, int http, const char *error)
{
    char start[64];
    struct span body = buf_span(&f->x.reply.body);
    (void)snprintf(start, sizeof start, "{\"error\":\"%s\",\"error_description\":\"", error);
    assert_int_equal(f->x.next, NEXT_REPLY);
    assert_int_equal(f->x.reply.status, http);
    assert_true(span_starts(body, span_cstr(start)));
    struct span description = span_from(body, strlen(start));
    assert_true(description.len > 2);
    /* Appendix A.8, so nothing in it is escaped. */
    for (size_t i = 0; i < description.len - 2; i++)
        assert_true(description.ptr[i] >= 0x20 && description.ptr[i] <= 0x7e &&
                    description.ptr[i] != '"' && description.ptr[i] != '\\');
    assert_span_equal(span_from(description, description.len - 2), "\"}");
    assert_span_equal(f->x.reply.content_type, "application/json");
    assert_span_equal(fixture_reply_header(f, "Cache-Control"), "no-store");
    assert_span_equal(fixture_reply_header(f, "Pragma"), "no-cache");
    assert_span_equal(fixture_reply_header(f, "WWW-Authenticate"),
                      http == 401 ? "Basic realm=\"postern\", charset=\"UTF-8\"" : "");
    assert_int_equal(fixture_reply_header(f, "Retry-After").len > 0, http == 503);
}
