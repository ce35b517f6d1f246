/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration files: what is taken prints to a file that reads back and prints the same. */
#include "base/arena.h"
#include "base/buf.h"
#include "config/config.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct config config;
    struct config again;
    struct buf first AUTO(buf);
    struct buf second AUTO(buf);
    struct err err = {0};
    buf_init(&first, 1 << 20);
    buf_init(&second, 1 << 20);
    arena_init(&arena, 1 << 22);
    config_defaults(&config);
    config_defaults(&again);
    if (size <= 1 << 14 &&
        config_read_file(&config, span_of(data, size), "fuzz", &arena, &err) == OK) {
        config_print(&config, false, &first);
        if (config_read_file(&again, buf_span(&first), "again", &arena, &err) != OK)
            abort();
        config_print(&again, false, &second);
        if (!span_equal(buf_span(&first), buf_span(&second)))
            abort();
    }
    arena_done(&arena);
    return 0;
}
