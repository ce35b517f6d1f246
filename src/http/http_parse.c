/* SPDX-License-Identifier: Apache-2.0 */
#include "http/http_parse.h"

#include "http/http.h"
#include "http/llhttp_renamed.h"

#include <stdlib.h>
#include <string.h>

enum {
    LINE_BYTES_FIRST = 256,
    FIELD_BYTES_FIRST = 1024,
    METHOD_BYTES_MAX = 32,
    VERSION_BYTES = sizeof " HTTP/1.1\r\n" - 1,
    EMPTY_LINES_MAX = 2,
    BODY_BYTES_KEPT = 8192, /* between requests */
    /* Chunk sizes, extensions and trailers: this much, and as much again as fair chunks need. */
    CHUNK_OVERHEAD_BYTES_MAX = 16384,
    CHUNK_OVERHEAD_PER_BODY_BYTE = 8,
};

enum stage {
    STAGE_LINE,   /* collecting the request line */
    STAGE_FIELDS, /* headers go through llhttp */
    STAGE_HEAD,   /* told the caller; waiting for the body's limit */
    STAGE_BODY,
    STAGE_DONE,
    STAGE_REFUSED,
};

struct http_parse {
    llhttp_t llhttp;
    const struct http_limits *limits;
    struct exchange *x;
    enum stage stage;
    int refusal;
    struct http_head head;
    bool keeps_alive;

    unsigned empty_lines;
    struct buf line;   /* in the arena; only while the line comes in pieces */
    struct buf fields; /* in the arena: name NUL value NUL … (llhttp lets no NUL pass) */
    size_t field_bytes;
    size_t field_count;

    struct buf body; /* on the heap */
    size_t body_limit;
    uint64_t framed_bytes; /* of the body with its chunk framing and trailers */
};

static enum http_parse_step refuse(struct http_parse *parse, int status)
{
    parse->stage = STAGE_REFUSED;
    parse->refusal = status;
    return PARSE_REFUSED;
}

static struct http_parse *parse_of(llhttp_t *llhttp)
{
    return llhttp->data;
}

/* In a callback: the refusal is ours. llhttp's own leave parse->refusal 0. */
static int callback_refuse(struct http_parse *parse, int status)
{
    parse->refusal = status;
    return HPE_USER;
}

/* Trailers go through the same callbacks; they are bounded with the chunk framing, and dropped. */
static bool is_trailer(const struct http_parse *parse)
{
    return parse->stage == STAGE_BODY;
}

static int field_put(struct http_parse *parse, const char *at, size_t len)
{
    if (len > parse->limits->header_bytes_max - parse->field_bytes)
        return callback_refuse(parse, 431);
    parse->field_bytes += len;
    buf_put(&parse->fields, span_of(at, len));
    return buf_ok(&parse->fields) ? 0 : callback_refuse(parse, 503);
}

static int on_field(llhttp_t *llhttp, const char *at, size_t len)
{
    struct http_parse *parse = parse_of(llhttp);
    if (is_trailer(parse))
        return 0;
    if (parse->field_count == parse->limits->header_count_max)
        return callback_refuse(parse, 431);
    return field_put(parse, at, len);
}

static int on_value(llhttp_t *llhttp, const char *at, size_t len)
{
    struct http_parse *parse = parse_of(llhttp);
    return is_trailer(parse) ? 0 : field_put(parse, at, len);
}

static int on_field_complete(llhttp_t *llhttp)
{
    struct http_parse *parse = parse_of(llhttp);
    if (!is_trailer(parse))
        buf_byte(&parse->fields, '\0');
    return 0;
}

static int on_value_complete(llhttp_t *llhttp)
{
    struct http_parse *parse = parse_of(llhttp);
    if (!is_trailer(parse)) {
        buf_byte(&parse->fields, '\0');
        parse->field_count++;
    }
    return 0;
}

static int on_headers_complete(llhttp_t *llhttp)
{
    struct http_parse *parse = parse_of(llhttp);
    parse->stage = STAGE_HEAD;
    parse->keeps_alive = llhttp_should_keep_alive(llhttp) == 1;
    llhttp->upgrade = 0; /* Upgrade is ignored (RFC 9110 §7.8): the body follows as announced */
    return HPE_PAUSED;
}

static int on_body(llhttp_t *llhttp, const char *at, size_t len)
{
    struct http_parse *parse = parse_of(llhttp);
    if (len > parse->body_limit - parse->body.len)
        return callback_refuse(parse, 413);
    buf_put(&parse->body, span_of(at, len));
    return buf_ok(&parse->body) ? 0 : callback_refuse(parse, 503);
}

/* A chunk's announced size is refused before its bytes come. */
static int on_chunk_header(llhttp_t *llhttp)
{
    struct http_parse *parse = parse_of(llhttp);
    bool is_fitting = llhttp->content_length <= parse->body_limit - parse->body.len;
    return is_fitting ? 0 : callback_refuse(parse, 413);
}

static int on_message_complete(llhttp_t *llhttp)
{
    parse_of(llhttp)->stage = STAGE_DONE;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_header_field = on_field,
    .on_header_field_complete = on_field_complete,
    .on_header_value = on_value,
    .on_header_value_complete = on_value_complete,
    .on_headers_complete = on_headers_complete,
    .on_chunk_header = on_chunk_header,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

struct http_parse *http_parse_new(const struct http_limits *limits)
{
    struct http_parse *parse = calloc(1, sizeof *parse);
    if (parse != NULL)
        parse->limits = limits;
    return parse;
}

void http_parse_free(struct http_parse *parse)
{
    if (parse == NULL)
        return;
    buf_done(&parse->body);
    free(parse);
}

void http_parse_end(struct http_parse *parse)
{
    if (parse->body.capacity > BODY_BYTES_KEPT)
        buf_done(&parse->body);
    else if (parse->body.len > 0)
        explicit_bzero(parse->body.data, parse->body.len);
    buf_clear(&parse->body);
    parse->x = NULL;
}

void http_parse_begin(struct http_parse *parse, struct exchange *x)
{
    http_parse_end(parse);
    struct buf body = parse->body;
    *parse = (struct http_parse){.limits = parse->limits, .x = x, .body = body};
    buf_init_arena(&parse->line, &x->arena, SIZE_MAX);
    buf_init_arena(&parse->fields, &x->arena, SIZE_MAX);
    llhttp_init(&parse->llhttp, HTTP_REQUEST, &settings);
    parse->llhttp.data = parse;
}

/* The request line is sound by our rules. llhttp reads it once more, so that its state and its
 * view of the line agree with ours; a method that it does not know is one nobody serves. */
static enum http_parse_step line_complete(struct http_parse *parse, struct span line)
{
    struct span kept = arena_copy(&parse->x->arena, line);
    if (kept.ptr == NULL)
        return refuse(parse, 503);
    int refused = http_head_line(span_first(kept, kept.len - 2), parse->x, &parse->head);
    if (refused != 0)
        return refuse(parse, refused);
    if (parse->x->target.len > parse->limits->target_bytes_max)
        return refuse(parse, 414);
    llhttp_errno_t outcome = llhttp_execute(&parse->llhttp, kept.ptr, kept.len);
    if (outcome == HPE_INVALID_METHOD || outcome == HPE_INVALID_CONSTANT)
        return refuse(parse, 501);
    if (outcome != HPE_OK)
        return refuse(parse, 400);
    if (buf_reserve(&parse->fields, FIELD_BYTES_FIRST) == NULL)
        return refuse(parse, 503);
    buf_clear(&parse->fields);
    parse->stage = STAGE_FIELDS;
    return PARSE_MORE;
}

/* Is a line that has no end yet too long already, and by which part? */
static int line_excess(const struct http_parse *parse, struct span line)
{
    size_t method_end = span_find(line, ' ');
    if (method_end > METHOD_BYTES_MAX)
        return 400;
    return line.len - method_end > parse->limits->target_bytes_max + VERSION_BYTES + 1 ? 414 : 0;
}

/* One line end before the request is ignored (RFC 9112 §2.2). */
static bool skip_empty_lines(struct http_parse *parse, struct span *rest)
{
    while (parse->line.len == 0 && parse->empty_lines < EMPTY_LINES_MAX &&
           span_starts(*rest, SPAN("\r\n"))) {
        *rest = span_from(*rest, 2);
        parse->empty_lines++;
    }
    return rest->len > 0;
}

static enum http_parse_step feed_line(struct http_parse *parse, struct span *rest)
{
    if (!skip_empty_lines(parse, rest))
        return PARSE_MORE;
    size_t end = span_find(*rest, '\n');
    struct span piece = span_first(*rest, end < rest->len ? end + 1 : end);
    struct span line = piece;
    if (parse->line.len > 0 || end == rest->len) { /* in pieces: gather them */
        size_t line_max = METHOD_BYTES_MAX + parse->limits->target_bytes_max + VERSION_BYTES + 1;
        struct span room = span_first(piece, line_max + 1 - parse->line.len);
        if (parse->line.capacity == 0 && buf_reserve(&parse->line, LINE_BYTES_FIRST) != NULL)
            buf_clear(&parse->line);
        buf_put(&parse->line, room);
        if (!buf_ok(&parse->line))
            return refuse(parse, 503);
        line = buf_span(&parse->line);
    }
    int refused = line_excess(parse, line);
    if (refused != 0)
        return refuse(parse, refused);
    *rest = span_from(*rest, piece.len);
    if (line.ptr[line.len - 1] != '\n')
        return PARSE_MORE;
    if (line.len < 2 || line.ptr[line.len - 2] != '\r')
        return refuse(parse, 400);
    if (line.len == 2 && parse->empty_lines < EMPTY_LINES_MAX) { /* CRLF that came in two pieces */
        buf_clear(&parse->line);
        parse->empty_lines++;
        return PARSE_MORE;
    }
    return line_complete(parse, line);
}

/* Cuts the gathered names and values into x->headers. */
static bool cut_fields(struct http_parse *parse)
{
    struct exchange *x = parse->x;
    if (!buf_ok(&parse->fields))
        return false;
    x->headers = arena_zalloc(&x->arena, parse->field_count, sizeof *x->headers);
    if (x->headers == NULL)
        return false;
    struct span rest = buf_span(&parse->fields);
    for (size_t i = 0; i < parse->field_count; i++) {
        (void)span_cut(&rest, '\0', &x->headers[i].name);
        (void)span_cut(&rest, '\0', &x->headers[i].value);
        x->headers[i].value = span_trim(x->headers[i].value);
    }
    x->header_count = parse->field_count;
    return true;
}

static enum http_parse_step head_complete(struct http_parse *parse)
{
    if (!cut_fields(parse))
        return refuse(parse, 503);
    int refused = http_head_fields(parse->x, &parse->head);
    if (refused != 0)
        return refuse(parse, refused);
    parse->x->has_body = http_parse_expects_body(parse);
    return PARSE_HEAD;
}

/* Runs llhttp over *rest up to its next pause. Other outcomes than PARSE_MORE are final. */
static enum http_parse_step run_llhttp(struct http_parse *parse, struct span *rest)
{
    size_t taken = rest->len;
    llhttp_errno_t outcome = llhttp_execute(&parse->llhttp, rest->ptr, rest->len);
    if (outcome == HPE_PAUSED) {
        taken = (size_t)(llhttp_get_error_pos(&parse->llhttp) - rest->ptr);
        llhttp_resume(&parse->llhttp);
    } else if (outcome != HPE_OK) {
        return refuse(parse, parse->refusal != 0 ? parse->refusal : 400);
    }
    *rest = span_from(*rest, taken);
    parse->framed_bytes += parse->stage == STAGE_BODY || parse->stage == STAGE_DONE ? taken : 0;
    return PARSE_MORE;
}

static bool is_framing_fair(const struct http_parse *parse)
{
    uint64_t body = parse->body.len;
    return parse->framed_bytes - body <=
           CHUNK_OVERHEAD_BYTES_MAX + body * CHUNK_OVERHEAD_PER_BODY_BYTE;
}

static enum http_parse_step feed_body(struct http_parse *parse, struct span *rest)
{
    enum http_parse_step step = run_llhttp(parse, rest);
    if (step != PARSE_MORE)
        return step;
    if (!is_framing_fair(parse))
        return refuse(parse, 400);
    if (parse->stage != STAGE_DONE)
        return PARSE_MORE;
    parse->x->body = buf_span(&parse->body);
    parse->x->has_body = parse->x->body.len > 0;
    return PARSE_DONE;
}

enum http_parse_step http_parse_feed(struct http_parse *parse, struct span *rest)
{
    while (parse->stage == STAGE_LINE && rest->len > 0) {
        enum http_parse_step step = feed_line(parse, rest);
        if (step != PARSE_MORE)
            return step;
    }
    if (parse->stage == STAGE_FIELDS && rest->len > 0) {
        enum http_parse_step step = run_llhttp(parse, rest);
        if (step != PARSE_MORE)
            return step;
        if (parse->stage == STAGE_HEAD)
            return head_complete(parse);
    }
    if (parse->stage == STAGE_BODY)
        return feed_body(parse, rest);
    return parse->stage == STAGE_REFUSED ? PARSE_REFUSED : PARSE_MORE;
}

bool http_parse_body_limit(struct http_parse *parse, size_t limit_bytes)
{
    parse->body_limit = limit_bytes;
    parse->body.limit = limit_bytes;
    if (parse->head.has_length && (uint64_t)parse->head.length > limit_bytes) {
        (void)refuse(parse, 413);
        return false;
    }
    parse->stage = STAGE_BODY;
    return true;
}

int http_parse_refusal(const struct http_parse *parse)
{
    return parse->refusal;
}

const struct http_head *http_parse_head(const struct http_parse *parse)
{
    return &parse->head;
}

bool http_parse_expects_body(const struct http_parse *parse)
{
    return parse->head.is_chunked || parse->head.length > 0;
}

bool http_parse_keeps_alive(const struct http_parse *parse)
{
    return parse->keeps_alive;
}
