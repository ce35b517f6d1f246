/* SPDX-License-Identifier: Apache-2.0 */
/* Create and update bodies of API keys: roles, and the older form. */
#include "api/api_api_key_fields.h"

#include "body_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct api_key_body *body)
{
    const struct principal *key = &body->key;
    assert(key->name.len <= NAME_LEN_MAX && body->api_key_role.len <= NAME_LEN_MAX);
    assert(body->username.len <= USERNAME_LEN_MAX && body->corpus_key_count <= GRANTS_MAX);
    for (size_t i = 0; i < body->corpus_key_count; i++)
        assert(body->corpus_keys[i].len > 0);
    assert(key->api_roles >> API_ROLE_COUNT == 0 && key->corpus_grant_count <= GRANTS_MAX);
    assert(body->expires_in_seconds >= 0 && body->expires_in_seconds <= API_KEY_LIFE_SECONDS_MAX);
    /* What no body may set. */
    assert(key->id.len == 0 && key->account_id.len == 0 && key->user_id.len == 0);
    assert(key->owner_id.len == 0 && key->expires_at == 0 && key->credential_count == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum field_flag flags[] = {FIELD_CREATE, FIELD_UPDATE};
    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        struct api_key_body body = {0};
        struct api_key_body read_back = {0};
        struct body_fuzz fuzz = {.fields = api_key_fields,
                                 .count = API_KEY_FIELD_COUNT,
                                 .object = &body,
                                 .read_back = &read_back};
        arena_init(&fuzz.x.arena, BODY_FUZZ_ARENA_BYTES);
        if (body_fuzz_run(&fuzz, flags[i], span_of(data, size)))
            check(&body);
        arena_done(&fuzz.x.arena);
    }
    return 0;
}
