/* SPDX-License-Identifier: Apache-2.0 */
#include "web/page.h"

#include "authz/permission.h"
#include "base/wire.h"
#include "codec/base64url.h"
#include "crypto/digest.h"
#include "web/app.h"
#include "web/reply.h"
#include "web/route.h"

enum { TAG_BYTES = PAGE_KEY_BYTES - 8 };

static bool write_tag(struct exchange *x, struct span filter, int64_t sequence,
                      unsigned char tag[static SHA256_BYTES])
{
    struct buf text;
    buf_init_arena(&text, &x->arena, 16384);
    wire_write_bytes(&text, SPAN("page_key"));
    wire_write_bytes(&text, x->route->path);
    wire_write_bytes(&text, x->caller->account_id);
    wire_write_bytes(&text, filter);
    wire_write_i64(&text, sequence);
    hmac_sha256(x->app->cursor_key, buf_span(&text), tag);
    return buf_ok(&text);
}

struct span page_key_make(struct exchange *x, struct span filter, int64_t last_sequence)
{
    unsigned char tag[SHA256_BYTES];
    struct buf bytes;
    struct buf text;
    buf_init_arena(&bytes, &x->arena, PAGE_KEY_BYTES);
    buf_init_arena(&text, &x->arena, 64);
    if (!write_tag(x, filter, last_sequence, tag))
        return (struct span){0};
    wire_write_i64(&bytes, last_sequence);
    buf_put(&bytes, span_of(tag, TAG_BYTES));
    base64url_write(&text, buf_span(&bytes));
    return buf_ok(&text) && buf_ok(&bytes) ? buf_span(&text) : (struct span){0};
}

enum status page_key_read(struct exchange *x, struct span filter, struct span page_key,
                          int64_t *ret_sequence)
{
    struct span bytes;
    if (page_key.len > 64)
        return INVALID;
    enum status status = base64url_decode(page_key, &x->arena, &bytes);
    if (status != OK)
        return status;
    unsigned char tag[SHA256_BYTES];
    struct wire_reader reader = wire_reader_of(bytes);
    int64_t sequence = wire_read_i64(&reader);
    struct span given = wire_read_fixed(&reader, TAG_BYTES);
    if (!wire_end(&reader))
        return INVALID;
    if (!write_tag(x, filter, sequence, tag))
        return NO_MEMORY;
    if (!ct_equal(given, span_of(tag, TAG_BYTES)))
        return INVALID;
    *ret_sequence = sequence;
    return OK;
}

enum status page_read(struct exchange *x, const struct form *query, struct page *ret_page)
{
    struct page page = {.before_sequence = INT64_MAX, .limit = PAGE_LIMIT_DEFAULT};
    struct span text;
    enum status status = form_get(query, SPAN("limit"), &text);
    int64_t limit;
    if (status == OK && span_to_int64(text, &limit) && limit >= 1 && limit <= PAGE_LIMIT_MAX) {
        page.limit = (size_t)limit;
    } else if (status != NOT_FOUND) {
        reply_bad_field(x, SPAN("limit"), "must be a number from 1 to 100, once");
        return INVALID;
    }
    status = form_get(query, SPAN("filter"), &page.filter);
    if (status == INVALID) {
        reply_bad_field(x, SPAN("filter"), "must stand at most once");
        return INVALID;
    }
    status = form_get(query, SPAN("page_key"), &text);
    if (status == OK)
        status = page_key_read(x, page.filter, text, &page.before_sequence);
    if (status == NO_MEMORY) {
        reply_error(x, status);
        return status;
    }
    if (status == INVALID) {
        reply_bad_field(
            x, SPAN("page_key"),
            "is not one that this list gave out for this filter; start again without it");
        return INVALID;
    }
    *ret_page = page;
    return OK;
}
