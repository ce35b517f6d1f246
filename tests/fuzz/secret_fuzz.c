/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets: what is taken must be what secret_make() could have made. */
#include "base/random.h"
#include "crypto/secret.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct span text = span_of(data, size);
    struct secret_parts parts;
    char again[SECRET_TEXT_LEN_MAX];
    if (secret_parse(text, &parts) != OK)
        return 0;
    require(secret_base_is_valid(parts.base));
    require(parts.id.len == SECRET_ID_LEN && span_only(parts.id, random_base62));
    size_t len = secret_make(parts.base, parts.kind, parts.id, again);
    require(len == text.len);
    size_t fixed = len - SECRET_RANDOM_LEN - SECRET_CRC_LEN;
    require(memcmp(again, text.ptr, fixed) == 0);
    require(secret_parse(span_of(again, len), &parts) == OK);
    return 0;
}
