/* SPDX-License-Identifier: Apache-2.0 */
/* The authenticated record: what is read stays within the input and within the limits. */
#include "signing/record.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_within(struct span part, const uint8_t *data, size_t size)
{
    const char *start = (const char *)data;
    return part.len == 0 || (part.ptr >= start && part.ptr + part.len <= start + size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct record record;
    struct err err = {0};
    if (record_read(span_of(data, size), &record, &err) != OK) {
        assert(err.status == INVALID);
        return 0;
    }
    assert(record.kind < PRINCIPAL_KIND_COUNT && record.credential_count <= CREDENTIALS_MAX);
    assert(record.grants_digest.len == RECORD_DIGEST_BYTES && record.token_ttl_seconds >= 0);
    assert(record.api_roles >> API_ROLE_COUNT == 0);
    assert(is_within(record.id, data, size) && is_within(record.client_id, data, size));
    for (size_t i = 0; i < record.credential_count; i++) {
        assert(record.credentials[i].kind < CREDENTIAL_KIND_COUNT);
        assert(is_within(record.credentials[i].id, data, size));
        assert(is_within(record.credentials[i].hash, data, size));
    }
    return 0;
}
