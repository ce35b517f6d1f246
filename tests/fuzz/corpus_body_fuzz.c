/* SPDX-License-Identifier: Apache-2.0 */
/* Create bodies of corpora. */
#include "api/api_corpus_fields.h"
#include "model/corpus.h"

#include "body_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_array(struct span text)
{
    AUTO(json) json_t *array = NULL;
    enum status status = json_parse(text, &json_limits_default, &array, NULL);
    assert(status == OK && json_is_array(array));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct corpus defaults = {.filter_attributes = SPAN("[]"),
                                    .custom_dimensions = SPAN("[]")};
    struct corpus corpus = defaults;
    struct corpus read_back = defaults;
    struct body_fuzz fuzz = {.fields = corpus_fields,
                             .count = CORPUS_FIELD_COUNT,
                             .object = &corpus,
                             .read_back = &read_back};
    arena_init(&fuzz.x.arena, BODY_FUZZ_ARENA_BYTES);
    if (body_fuzz_run(&fuzz, FIELD_CREATE, span_of(data, size))) {
        assert(corpus.key.len > 0 && corpus.key.len <= CORPUS_KEY_LEN_MAX);
        assert(corpus.id.len == 0 && corpus.account_id.len == 0); /* what no body may set */
        check_array(corpus.filter_attributes);
        check_array(corpus.custom_dimensions);
    }
    arena_done(&fuzz.x.arena);
    return 0;
}
