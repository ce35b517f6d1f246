/* SPDX-License-Identifier: Apache-2.0 */
/* JSON bodies: what is taken stays within the limits, and its strings survive our writer. */
#include "base/buf.h"
#include "codec/json.h"
#include "codec/utf8.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_string(const json_t *string)
{
    struct buf text AUTO(buf);
    struct json_writer writer;
    AUTO(json) json_t *again = NULL;
    if (!utf8_is_valid(json_text(string)))
        abort();
    buf_init(&text, 1 << 20);
    json_writer_init(&writer, &text);
    json_write_text(&writer, json_text(string));
    if (buf_ok(&text) && (json_parse(buf_span(&text), &json_limits_default, &again, NULL) != OK ||
                          !span_equal(json_text(again), json_text(string))))
        abort();
}

/* What was taken, written again, is taken again and is the same. */
static void check_whole(const json_t *json)
{
    AUTO(json) json_t *again = NULL;
    char *text = json_dumps(json, JSON_ENCODE_ANY);
    if (text == NULL || json_parse(span_cstr(text), &json_limits_default, &again, NULL) != OK ||
        !json_equal(json, again))
        abort();
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(json) json_t *json = NULL;
    const char *name;
    json_t *value;
    size_t index;
    if (size > 1 << 16 || json_parse(span_of(data, size), &json_limits_default, &json, NULL) != OK)
        return 0;
    check_whole(json);
    if (json_object_size(json) > json_limits_default.members_max ||
        json_array_size(json) > json_limits_default.members_max)
        abort();
    if (json_is_string(json))
        check_string(json);
    json_object_foreach(json, name, value)
    {
        if (json_is_string(value))
            check_string(value);
    }
    json_array_foreach(json, index, value)
    {
        if (json_is_string(value))
            check_string(value);
    }
    return 0;
}
