/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of a connection through the request parser, whole and in cuts that the input chooses: both
 * must come to the same, and what is accepted must hold the rules that requests are smuggled
 * past. */
#include "http/http.h"
#include "http/http_parse.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BODY_LIMIT = 512, REQUESTS_MAX = 8 };

static const struct http_limits limits = {
    .target_bytes_max = 256,
    .header_bytes_max = 1024,
    .header_count_max = 16,
    .arena_bytes_max = 16384,
};

static size_t count_of(const struct exchange *x, struct span name)
{
    size_t count = 0;
    for (size_t i = 0; i < x->header_count; i++)
        count += span_equal_nocase(x->headers[i].name, name);
    return count;
}

static void check_text(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        assert(text.ptr[i] != '\r' && text.ptr[i] != '\n' && text.ptr[i] != '\0');
}

static void check_accepted(const struct exchange *x, const struct http_head *head)
{
    size_t lengths = count_of(x, SPAN("Content-Length"));
    size_t codings = count_of(x, SPAN("Transfer-Encoding"));
    assert(lengths + codings <= 1);
    assert(head->has_length == (lengths == 1) && head->is_chunked == (codings == 1));
    assert(!head->is_http_1_0 || codings == 0);
    assert(count_of(x, SPAN("Host")) == 1 || head->is_http_1_0);
    assert(count_of(x, SPAN("Authorization")) <= 1);
    assert(head->is_chunked || x->body.len == (size_t)head->length);
    assert(x->body.len <= BODY_LIMIT && x->has_body == (x->body.len > 0));
    assert(x->target.len > 0 && x->target.len <= limits.target_bytes_max);
    assert(x->path.ptr[0] == '/' || span_equal(x->path, SPAN("*")));
    assert(x->header_count <= limits.header_count_max);
    size_t bytes = 0;
    for (size_t i = 0; i < x->target.len; i++)
        assert(x->target.ptr[i] > ' ' && x->target.ptr[i] <= '~');
    for (size_t i = 0; i < x->header_count; i++) {
        check_text(x->headers[i].name);
        check_text(x->headers[i].value);
        assert(x->headers[i].name.len > 0);
        bytes += x->headers[i].name.len + x->headers[i].value.len;
    }
    assert(bytes <= limits.header_bytes_max);
}

struct outcome {
    enum http_parse_step step;
    int refusal;
    unsigned requests;
    uint64_t digest; /* of everything that was accepted */
};

/* FNV-1a */
static void digest(struct outcome *outcome, struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        outcome->digest = (outcome->digest ^ (unsigned char)text.ptr[i]) * 0x100000001b3u;
    outcome->digest = (outcome->digest ^ 0x1ff) * 0x100000001b3u;
}

struct connection {
    struct http_parse *parse;
    struct exchange x;
    struct outcome outcome;
};

static void accepted(struct connection *connection)
{
    struct exchange *x = &connection->x;
    check_accepted(x, http_parse_head(connection->parse));
    digest(&connection->outcome, x->method_name);
    digest(&connection->outcome, x->target);
    digest(&connection->outcome, x->body);
    for (size_t i = 0; i < x->header_count; i++) {
        digest(&connection->outcome, x->headers[i].name);
        digest(&connection->outcome, x->headers[i].value);
    }
    connection->outcome.requests++;
    arena_reset(&x->arena);
    struct arena arena = x->arena;
    *x = (struct exchange){.arena = arena};
    http_parse_begin(connection->parse, x);
}

static void feed(struct connection *connection, struct span bytes)
{
    char *copy = malloc(bytes.len + 1);
    assert(copy != NULL);
    memcpy(copy, bytes.ptr, bytes.len);
    struct span rest = span_of(copy, bytes.len);
    bool has_more = rest.len > 0;
    while (has_more && connection->outcome.step != PARSE_REFUSED &&
           connection->outcome.requests < REQUESTS_MAX) {
        enum http_parse_step step = http_parse_feed(connection->parse, &rest);
        if (step == PARSE_HEAD && !http_parse_body_limit(connection->parse, BODY_LIMIT))
            connection->outcome.step = PARSE_REFUSED;
        else if (step == PARSE_DONE)
            accepted(connection);
        else if (step == PARSE_REFUSED)
            connection->outcome.step = step;
        has_more = rest.len > 0 || step == PARSE_HEAD;
    }
    if (connection->outcome.step == PARSE_REFUSED)
        connection->outcome.refusal = http_parse_refusal(connection->parse);
    free(copy);
}

/* cut_seed 0: in one piece. */
static struct outcome run(struct span bytes, uint32_t cut_seed)
{
    struct connection connection = {.parse = http_parse_new(&limits)};
    assert(connection.parse != NULL);
    arena_init(&connection.x.arena, limits.arena_bytes_max);
    http_parse_begin(connection.parse, &connection.x);
    uint32_t state = cut_seed;
    while (bytes.len > 0) {
        state = state * 1664525u + 1013904223u;
        size_t len = cut_seed == 0 ? bytes.len : 1 + (state >> 16) % 24;
        feed(&connection, span_first(bytes, len));
        bytes = span_from(bytes, len);
    }
    http_parse_free(connection.parse);
    arena_done(&connection.x.arena);
    return connection.outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t seed = 2166136261u;
    for (size_t i = 0; i < size; i++)
        seed = (seed ^ data[i]) * 16777619u;
    struct outcome whole = run(span_of(data, size), 0);
    struct outcome cut = run(span_of(data, size), seed | 1);
    /* Which of two faults is met first, a broken character or too many of them, may differ. */
    bool is_by_size = whole.refusal == 431 || cut.refusal == 431;
    assert(whole.step == cut.step && (whole.refusal == cut.refusal || is_by_size));
    assert(whole.requests == cut.requests && whole.digest == cut.digest);
    return 0;
}
