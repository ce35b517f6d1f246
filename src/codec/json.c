/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json.h"

#include "codec/rfc3339.h"
#include "codec/utf8.h"

#include <assert.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdlib.h>

const struct json_limits json_limits_default = {.depth_max = JSON_WRITER_DEPTH,
                                                .members_max = 1024};

/* What has been counted of a text, without building anything. */
struct scan {
    size_t members[JSON_WRITER_DEPTH + 1]; /* of each open container, commas plus one */
    size_t depth;
    size_t values; /* containers and commas altogether */
};

/* One byte outside strings. */
static enum status scan_byte(struct scan *scan, char byte, const struct json_limits *limits,
                             struct err *err)
{
    bool opens = byte == '{' || byte == '[';
    if ((opens || byte == ',') && ++scan->values > JSON_VALUES_PER_MEMBER * limits->members_max)
        return fail(err, INVALID, "The JSON has more than %zu values.",
                    JSON_VALUES_PER_MEMBER * limits->members_max);
    if (opens) {
        if (++scan->depth > limits->depth_max || scan->depth > JSON_WRITER_DEPTH)
            return fail(err, INVALID, "The JSON is nested deeper than %zu levels.",
                        limits->depth_max);
        scan->members[scan->depth] = 1;
    } else if ((byte == '}' || byte == ']') && scan->depth > 0) {
        scan->depth--;
    } else if (byte == ',' && ++scan->members[scan->depth] > limits->members_max) {
        return fail(err, INVALID, "A JSON array or object has more than %zu members.",
                    limits->members_max);
    }
    return OK;
}

/* One pass over the text, so that a text over the limits is refused before jansson spends memory on
 * it (some 300 bytes for an empty object of two). Strings are skipped; a text that is not JSON is
 * jansson's to refuse. */
static enum status scan_text(struct span text, const struct json_limits *limits, struct err *err)
{
    struct scan scan = {0};
    bool is_in_string = false;
    enum status status = OK;
    for (size_t i = 0; i < text.len && status == OK; i++) {
        char byte = text.ptr[i];
        if (is_in_string) {
            if (byte == '\\')
                i++;
            is_in_string = byte != '"';
            continue;
        }
        is_in_string = byte == '"';
        status = scan_byte(&scan, byte, limits, err);
    }
    return status;
}

/* Jansson goes on where an allocation fails: with a text that is cut short, with a fault that the
 * JSON does not have, or past the end of a buffer that did not grow. So a parse that lacks memory
 * is left on the spot, and what it had allocated is freed from a list. Its allocator takes no
 * context. */
struct block {
    struct block *next; /* NULL: of no parse that goes on */
    struct block *previous;
};

struct parse {
    struct block blocks; /* the ring's head */
    jmp_buf escape;
};

static_assert(sizeof(struct block) % _Alignof(max_align_t) == 0, "what follows is aligned");

static _Thread_local struct parse *parsing;

static void unlink_block(struct block *block)
{
    block->next->previous = block->previous;
    block->previous->next = block->next;
    block->next = NULL;
}

static void *allocate(size_t size)
{
    struct block *block = size > SIZE_MAX - sizeof *block ? NULL : malloc(sizeof *block + size);
    if (block == NULL && parsing != NULL)
        longjmp(parsing->escape, 1);
    if (block == NULL)
        return NULL;
    block->next = NULL;
    if (parsing != NULL) {
        block->next = &parsing->blocks;
        block->previous = parsing->blocks.previous;
        block->previous->next = block;
        parsing->blocks.previous = block;
    }
    return block + 1;
}

static void release(void *memory)
{
    struct block *block = memory;
    if (block == NULL)
        return;
    block--;
    if (block->next != NULL)
        unlink_block(block);
    free(block);
}

/* What the parse left behind is nobody's any more (free) or belongs to the value that was read. */
static void end_parse(struct parse *parse, bool frees)
{
    parsing = NULL;
    while (parse->blocks.next != &parse->blocks) {
        struct block *block = parse->blocks.next;
        unlink_block(block);
        if (frees)
            free(block);
    }
}

void json_init(void)
{
    json_set_alloc_funcs(allocate, release);
}

static json_t *load(struct span text, json_error_t *where, bool *ret_lacks_memory)
{
    struct parse parse;
    parse.blocks.next = &parse.blocks;
    parse.blocks.previous = &parse.blocks;
    parsing = &parse;
    *ret_lacks_memory = setjmp(parse.escape) != 0;
    if (*ret_lacks_memory) {
        end_parse(&parse, true);
        return NULL;
    }
    json_t *json = json_loadb(text.len == 0 ? "" : text.ptr, text.len,
                              JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, where);
    end_parse(&parse, false);
    return json;
}

enum status json_parse(struct span text, const struct json_limits *limits, json_t **ret_json,
                       struct err *err)
{
    json_error_t where;
    enum status status = scan_text(text, limits, err);
    if (status != OK)
        return status;
    if (!utf8_is_valid(text))
        return fail(err, INVALID, "The JSON is not UTF-8.");
    bool lacks_memory;
    json_t *json = load(text, &where, &lacks_memory);
    enum json_error_code code =
        json == NULL && !lacks_memory ? json_error_code(&where) : json_error_unknown;
    if (lacks_memory || (json == NULL && code == json_error_out_of_memory))
        return fail(err, NO_MEMORY, "no memory for JSON");
    if (json == NULL && code == json_error_duplicate_key)
        return fail(err, INVALID, "A JSON object has a member twice.");
    if (json == NULL)
        return fail(err, INVALID, "The body is not valid JSON, at line %d, column %d.", where.line,
                    where.column);
    *ret_json = json;
    return OK;
}

struct span json_text(const json_t *string)
{
    if (!json_is_string(string))
        return (struct span){0};
    return span_of(json_string_value(string), json_string_length(string));
}

void json_writer_init(struct json_writer *writer, struct buf *out)
{
    *writer = (struct json_writer){.out = out};
}

/* A comma before every value and name but the first of its container, and none between name and
 * value. */
static void begin_value(struct json_writer *writer)
{
    if (writer->is_after_name) {
        writer->is_after_name = false;
        return;
    }
    if (writer->has_member[writer->depth])
        buf_byte(writer->out, ',');
    writer->has_member[writer->depth] = true;
}

static void open_container(struct json_writer *writer, char bracket)
{
    begin_value(writer);
    buf_byte(writer->out, bracket);
    if (writer->depth == JSON_WRITER_DEPTH) {
        writer->out->has_failed = true;
        return;
    }
    writer->has_member[++writer->depth] = false;
}

static void close_container(struct json_writer *writer, char bracket)
{
    if (writer->depth > 0)
        writer->depth--;
    buf_byte(writer->out, bracket);
}

void json_object_open(struct json_writer *writer)
{
    open_container(writer, '{');
}

void json_object_close(struct json_writer *writer)
{
    close_container(writer, '}');
}

void json_array_open(struct json_writer *writer)
{
    open_container(writer, '[');
}

void json_array_close(struct json_writer *writer)
{
    close_container(writer, ']');
}

static bool is_separator(struct span text)
{
    /* U+2028 and U+2029: line ends to some readers of JSON (ECMAScript before 2019). */
    return text.len >= 3 && text.ptr[0] == '\xe2' && text.ptr[1] == '\x80' &&
           (text.ptr[2] == '\xa8' || text.ptr[2] == '\xa9');
}

static bool needs_escape(struct span text)
{
    unsigned char byte = (unsigned char)text.ptr[0];
    return byte < 0x20 || byte == '"' || byte == '\\' || byte == 0x7f || is_separator(text);
}

/* Writes the escape of what stands first in text; answers the bytes it stands for. */
static size_t write_escape(struct buf *out, struct span text)
{
    if (is_separator(text)) {
        buf_put(out, text.ptr[2] == '\xa8' ? SPAN("\\u2028") : SPAN("\\u2029"));
        return 3;
    }
    char byte = text.ptr[0];
    if (byte == '"' || byte == '\\') {
        buf_byte(out, '\\');
        buf_byte(out, byte);
    } else if (byte == '\n') {
        buf_put(out, SPAN("\\n"));
    } else {
        buf_printf(out, "\\u%04x", (unsigned char)byte);
    }
    return 1;
}

/* Nothing but printable ASCII that stands for itself? Without a way out of the loop, so that the
 * compiler takes many bytes at a time. */
static bool is_all_plain(struct span text)
{
    unsigned others = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.ptr[i];
        others |= (unsigned)(byte < 0x20) | (byte > 0x7e) | (byte == '"') | (byte == '\\');
    }
    return others == 0;
}

/* How much of text needs no escape. */
static size_t plain_len(struct span text)
{
    size_t len = is_all_plain(text) ? text.len : 0;
    while (len < text.len && !needs_escape(span_from(text, len)))
        len++;
    return len;
}

static void write_string(struct buf *out, struct span text)
{
    buf_byte(out, '"');
    while (text.len > 0) {
        size_t plain = plain_len(text);
        buf_put(out, span_first(text, plain));
        text = span_from(text, plain);
        if (text.len > 0)
            text = span_from(text, write_escape(out, text));
    }
    buf_byte(out, '"');
}

void json_name(struct json_writer *writer, struct span name)
{
    begin_value(writer);
    write_string(writer->out, name);
    buf_byte(writer->out, ':');
    writer->is_after_name = true;
}

void json_write_text(struct json_writer *writer, struct span text)
{
    begin_value(writer);
    write_string(writer->out, text);
}

void json_write_int(struct json_writer *writer, int64_t value)
{
    begin_value(writer);
    buf_int64(writer->out, value);
}

void json_write_bool(struct json_writer *writer, bool value)
{
    begin_value(writer);
    buf_put(writer->out, value ? SPAN("true") : SPAN("false"));
}

void json_write_null(struct json_writer *writer)
{
    begin_value(writer);
    buf_put(writer->out, SPAN("null"));
}

void json_write_raw(struct json_writer *writer, struct span json)
{
    begin_value(writer);
    buf_put(writer->out, json);
}

void json_member_text(struct json_writer *writer, struct span name, struct span text)
{
    json_name(writer, name);
    json_write_text(writer, text);
}

void json_member_int(struct json_writer *writer, struct span name, int64_t value)
{
    json_name(writer, name);
    json_write_int(writer, value);
}

void json_member_bool(struct json_writer *writer, struct span name, bool value)
{
    json_name(writer, name);
    json_write_bool(writer, value);
}

void json_member_time(struct json_writer *writer, struct span name, int64_t seconds)
{
    json_name(writer, name);
    begin_value(writer);
    buf_byte(writer->out, '"');
    rfc3339_write(writer->out, seconds);
    buf_byte(writer->out, '"');
}
