/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/form.h"

#include "base/arena.h"
#include "base/buf.h"
#include "codec/utf8.h"

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

static bool needs_decoding(struct span text, bool plus_is_space)
{
    return span_find(text, '%') < text.len || (plus_is_space && span_find(text, '+') < text.len);
}

/* Cuts one byte's worth off the front of text. False: a broken escape. */
static bool decode_byte(struct span *text, bool plus_is_space, char *ret_byte)
{
    if (text->ptr[0] != '%') {
        *ret_byte = text->ptr[0] == '+' && plus_is_space ? ' ' : text->ptr[0];
        *text = span_from(*text, 1);
        return true;
    }
    int high = text->len < 3 ? -1 : hex_value(text->ptr[1]);
    int low = text->len < 3 ? -1 : hex_value(text->ptr[2]);
    if (high < 0 || low < 0)
        return false;
    *ret_byte = (char)(high << 4 | low);
    *text = span_from(*text, 3);
    return true;
}

enum status percent_decode(struct span text, bool plus_is_space, struct arena *arena,
                           struct span *ret_text)
{
    struct span decoded = text;
    if (needs_decoding(text, plus_is_space)) {
        char *bytes = arena_alloc(arena, text.len);
        size_t len = 0;
        if (bytes == NULL)
            return NO_MEMORY;
        while (text.len > 0) {
            if (!decode_byte(&text, plus_is_space, &bytes[len++]))
                return INVALID;
        }
        decoded = span_of(bytes, len);
    }
    if (span_find(decoded, '\0') < decoded.len || !utf8_is_valid(decoded))
        return INVALID;
    *ret_text = decoded;
    return OK;
}

void percent_encode(struct buf *out, struct span text)
{
    static const char digits[] = "0123456789ABCDEF";
    static const char unreserved[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    for (; text.len > 0; text = span_from(text, 1)) {
        unsigned char byte = (unsigned char)text.ptr[0];
        if (span_only(span_first(text, 1), unreserved)) {
            buf_byte(out, text.ptr[0]);
        } else {
            buf_byte(out, '%');
            buf_byte(out, digits[byte >> 4]);
            buf_byte(out, digits[byte & 15]);
        }
    }
}

enum status form_parse(struct span text, struct arena *arena, struct form *ret_form,
                       struct err *err)
{
    struct form form = {0};
    size_t pieces = text.len > 0;
    for (size_t i = 0; i < text.len; i++)
        pieces += text.ptr[i] == '&';
    if (pieces > FORM_FIELDS_MAX)
        return fail(err, INVALID, "there are more than %d parameters", FORM_FIELDS_MAX);
    form.fields = arena_zalloc(arena, pieces, sizeof *form.fields);
    if (form.fields == NULL)
        return fail(err, NO_MEMORY, "no memory for the parameters");
    bool goes_on = text.len > 0;
    while (goes_on) {
        struct span piece;
        struct span name;
        goes_on = span_cut(&text, '&', &piece);
        if (piece.len == 0)
            continue;
        (void)span_cut(&piece, '=', &name);
        struct form_field *field = &form.fields[form.count++];
        enum status status = percent_decode(name, true, arena, &field->name);
        if (status == OK)
            status = percent_decode(piece, true, arena, &field->value);
        if (status == NO_MEMORY)
            return fail(err, status, "no memory for the parameters");
        if (status != OK)
            return fail(err, status, "a parameter does not decode to UTF-8 text");
    }
    *ret_form = form;
    return OK;
}

enum status form_get(const struct form *form, struct span name, struct span *ret_value)
{
    const struct form_field *found = NULL;
    for (const struct form_field *field = form->fields; field < form->fields + form->count;
         field++) {
        if (field->value.len == 0 || !span_equal(field->name, name))
            continue;
        if (found != NULL)
            return INVALID;
        found = field;
    }
    if (found == NULL)
        return NOT_FOUND;
    *ret_value = found->value;
    return OK;
}
