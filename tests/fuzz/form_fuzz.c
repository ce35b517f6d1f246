/* SPDX-License-Identifier: Apache-2.0 */
/* Forms: what is taken is UTF-8 without NUL, within the limit, and encodes back to the same fields.
 */
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

static void check_round_trip(const struct form *form, struct arena *arena)
{
    struct buf text AUTO(buf);
    struct form again;
    buf_init(&text, 1 << 20);
    for (size_t i = 0; i < form->count; i++) {
        if (i > 0)
            buf_byte(&text, '&');
        percent_encode(&text, form->fields[i].name);
        buf_byte(&text, '=');
        percent_encode(&text, form->fields[i].value);
    }
    if (!buf_ok(&text))
        return;
    demand(form_parse(buf_span(&text), arena, &again, NULL) == OK);
    demand(again.count == form->count);
    for (size_t i = 0; i < form->count; i++) {
        demand(span_equal(form->fields[i].name, again.fields[i].name));
        demand(span_equal(form->fields[i].value, again.fields[i].value));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct form form;
    struct span value;
    if (size > 1 << 16)
        return 0;
    arena_init(&arena, 1 << 22);
    if (form_parse(span_of(data, size), &arena, &form, NULL) == OK) {
        demand(form.count <= FORM_FIELDS_MAX);
        for (size_t i = 0; i < form.count; i++) {
            demand(utf8_is_valid(form.fields[i].name) && utf8_is_valid(form.fields[i].value));
            demand(span_find(form.fields[i].value, '\0') == form.fields[i].value.len);
            if (form.fields[i].value.len > 0)
                demand(form_get(&form, form.fields[i].name, &value) != NOT_FOUND);
        }
        check_round_trip(&form, &arena);
    }
    arena_done(&arena);
    return 0;
}
