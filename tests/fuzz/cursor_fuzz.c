/* SPDX-License-Identifier: Apache-2.0 */
/* Page keys: nothing that we did not make is taken. */
#include "authz/permission.h"
#include "web/app.h"
#include "web/page.h"
#include "web/route.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct route route = {.path = SPAN_INIT("/v2/things")};
    struct app app = {.cursor_key = SPAN("0123456789abcdef0123456789abcdef")};
    struct caller caller = {.account_id = SPAN("acc_1")};
    struct exchange x = {.app = &app, .caller = &caller, .route = &route};
    struct span given = span_of(data, size < 256 ? size : 256);
    int64_t sequence;
    arena_init(&x.arena, 1 << 16);
    /* Only the key that we would make for the same sequence is ever right. */
    if (page_key_read(&x, SPAN("f"), given, &sequence) == OK &&
        !span_equal(page_key_make(&x, SPAN("f"), sequence), given))
        abort();
    arena_done(&x.arena);
    return 0;
}
