/* SPDX-License-Identifier: Apache-2.0 */
/* Percent escapes: what is taken is UTF-8 without NUL, no longer than before, and what we encode
 * reads back, in paths and queries alike. The first byte says whether '+' is a space. */
#include "base/arena.h"
#include "base/buf.h"
#include "codec/form.h"
#include "codec/utf8.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool is_so)
{
    if (!is_so)
        abort();
}

static void check_decoded(struct span decoded, struct arena *arena)
{
    struct buf text AUTO(buf);
    struct span again;
    buf_init(&text, 1 << 20);
    demand(utf8_is_valid(decoded) && span_find(decoded, '\0') == decoded.len);
    demand(utf8_length(decoded) <= decoded.len);
    percent_encode(&text, decoded);
    demand(buf_ok(&text));
    for (int plus_is_space = 0; plus_is_space < 2; plus_is_space++) {
        demand(percent_decode(buf_span(&text), plus_is_space, arena, &again) == OK);
        demand(span_equal(again, decoded));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct span decoded;
    if (size == 0 || size > 1 << 16)
        return 0;
    struct span text = span_from(span_of(data, size), 1);
    bool plus_is_space = data[0] == '+';
    arena_init(&arena, 1 << 22);
    enum status status = percent_decode(text, plus_is_space, &arena, &decoded);
    demand(status == OK || status == INVALID);
    if (status == OK) {
        demand(decoded.len <= text.len);
        demand(span_find(text, '%') < text.len || decoded.len == text.len);
        check_decoded(decoded, &arena);
    }
    arena_done(&arena);
    return 0;
}
