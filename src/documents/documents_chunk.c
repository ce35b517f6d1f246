/* SPDX-License-Identifier: Apache-2.0 */
#include "documents/documents_chunk.h"

#include "documents/documents.h"

static bool is_space(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

static bool is_inside_character(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

/* What may stand between the end of a sentence and the space after it. */
static bool is_closing(char byte)
{
    return byte == '"' || byte == '\'' || byte == ')' || byte == ']';
}

static bool ends_sentence(struct span text, size_t at)
{
    char byte = text.ptr[at];
    if (byte == '\n')
        return at + 1 < text.len && text.ptr[at + 1] == '\n'; /* a paragraph */
    return byte == '.' || byte == '!' || byte == '?';
}

/* A sentence ends before white space; else, as in 3.14, it was none. */
static size_t sentence_length(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!ends_sentence(text, i))
            continue;
        size_t end = i + 1;
        while (end < text.len && is_closing(text.ptr[end]))
            end++;
        if (end == text.len || is_space(text.ptr[end]))
            return end;
    }
    return text.len;
}

/* So many bytes as the first characters have. */
static size_t characters_length(struct span text, size_t characters_max)
{
    size_t count = 0;
    size_t len = 0;
    while (len < text.len) {
        if (!is_inside_character(text.ptr[len]) && count++ == characters_max)
            break;
        len++;
    }
    return len;
}

/* Back to the end of a word, unless it is one word that does not fit. */
static size_t back_to_space(struct span text, size_t len)
{
    size_t end = len;
    while (end > 0 && end < text.len && !is_space(text.ptr[end]))
        end--;
    return end == 0 ? len : end;
}

bool documents_chunk_next(struct span *text, size_t characters_max, struct span *ret_piece)
{
    while (text->len > 0 && is_space(text->ptr[0]))
        *text = span_from(*text, 1);
    if (text->len == 0)
        return false;
    size_t len = characters_max == 0
                     ? sentence_length(*text)
                     : back_to_space(*text, characters_length(*text, characters_max));
    if (len > DOCUMENT_PART_TEXT_BYTES_MAX) {
        len = DOCUMENT_PART_TEXT_BYTES_MAX;
        while (is_inside_character(text->ptr[len]))
            len--;
    }
    struct span piece = span_first(*text, len);
    while (piece.len > 1 && is_space(piece.ptr[piece.len - 1]))
        piece.len--;
    *ret_piece = piece;
    *text = span_from(*text, len);
    return true;
}
