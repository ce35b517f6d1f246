/* SPDX-License-Identifier: Apache-2.0 */
/* Exchanges made by hand: a test makes one, calls a handler, and looks at the reply. */
#pragma once

#include "unit.h"

#include "web/app.h"
#include "web/exchange.h"

/* Of base/status.h, not cmocka's. */
#undef fail

enum { FIXTURE_HEADERS_MAX = 8, FIXTURE_ARENA_BYTES = 1 << 20 };

struct exchange_fixture {
    struct exchange x;
    struct app app;
    struct header headers[FIXTURE_HEADERS_MAX];
};

static inline void fixture_open(struct exchange_fixture *f, enum http_method method,
                                const char *path)
{
    *f = (struct exchange_fixture){0};
    arena_init(&f->x.arena, FIXTURE_ARENA_BYTES);
    f->x.app = &f->app;
    f->x.method = method;
    f->x.path = span_cstr(path);
    f->x.target = f->x.path;
    f->x.headers = f->headers;
    f->x.purposes = ~0u;
    f->x.now = 1795571700;
    f->x.token_now = f->x.now;
    memcpy(f->x.request_id, "0123456789abcdef", REQUEST_ID_LEN);
}

static inline void fixture_close(struct exchange_fixture *f)
{
    arena_done(&f->x.arena);
}

static inline void fixture_header(struct exchange_fixture *f, const char *name, const char *value)
{
    assert_true(f->x.header_count < FIXTURE_HEADERS_MAX);
    f->headers[f->x.header_count++] = (struct header){span_cstr(name), span_cstr(value)};
}

static inline void fixture_body(struct exchange_fixture *f, const char *type, const char *body)
{
    fixture_header(f, "Content-Type", type);
    f->x.body = span_cstr(body);
    f->x.has_body = true;
}

/* The reply's header, or an empty span. */
static inline struct span fixture_reply_header(const struct exchange_fixture *f, const char *name)
{
    for (size_t i = 0; i < f->x.reply.header_count; i++) {
        if (span_equal_nocase(f->x.reply.headers[i].name, span_cstr(name)))
            return f->x.reply.headers[i].value;
    }
    return (struct span){0};
}

static inline bool fixture_reply_has(const struct exchange_fixture *f, const char *text)
{
    struct span body = buf_span(&f->x.reply.body);
    return body.len > 0 && memmem(body.ptr, body.len, text, strlen(text)) != NULL;
}
