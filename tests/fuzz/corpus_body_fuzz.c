/* SPDX-License-Identifier: Apache-2.0 */
/* Create bodies through the field table: what is kept as JSON text is JSON that reads back. */
#include "api/api_corpus_fields.h"
#include "base/arena.h"
#include "codec/json.h"
#include "model/corpus.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_array(struct span text)
{
    AUTO(json) json_t *json = NULL;
    if (text.len > 0 &&
        (json_parse(text, &json_limits_default, &json, NULL) != OK || !json_is_array(json)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(json) json_t *body = NULL;
    struct arena arena;
    struct corpus corpus = {0};
    uint32_t seen;
    struct problems problems = {.arena = &arena};
    if (size > 1 << 16 ||
        json_parse(span_of(data, size), &json_limits_default, &body, NULL) != OK ||
        !json_is_object(body))
        return 0;
    arena_init(&arena, 1 << 22);
    enum status status = fields_read(corpus_fields, CORPUS_FIELD_COUNT, FIELD_CREATE, body, &arena,
                                     &corpus, &seen, &problems);
    if (status == OK) {
        if (corpus.key.len == 0 || corpus.key.len > CORPUS_KEY_LEN_MAX)
            abort();
        check_array(corpus.filter_attributes);
        check_array(corpus.custom_dimensions);
    } else if (status == INVALID && problems.count == 0) {
        abort();
    }
    arena_done(&arena);
    return 0;
}
