/* SPDX-License-Identifier: Apache-2.0 */
/* Create and update bodies of application clients. */
#include "api/api_app_client_fields.h"
#include "model/principal.h"

#include "body_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct principal *client)
{
    assert(client->name.len <= NAME_LEN_MAX && client->description.len <= DESCRIPTION_LEN_MAX);
    assert(client->api_roles >> API_ROLE_COUNT == 0);
    assert(client->corpus_grant_count <= GRANTS_MAX && client->agent_grant_count <= GRANTS_MAX);
    for (size_t i = 0; i < client->corpus_grant_count; i++) {
        assert(client->corpus_grants[i].role < CORPUS_ROLE_COUNT);
        assert(client->corpus_grants[i].corpus_key.len > 0);
        assert(client->corpus_grants[i].corpus_id.len == 0);
    }
    for (size_t i = 0; i < client->agent_grant_count; i++) {
        assert(client->agent_grants[i].role < AGENT_ROLE_COUNT);
        assert(client->agent_grants[i].agent_key.len > 0);
    }
    /* What no body may set. */
    assert(client->id.len == 0 && client->client_id.len == 0 && client->account_id.len == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum field_flag flags[] = {FIELD_CREATE, FIELD_UPDATE};
    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        struct principal client = {0};
        struct principal read_back = {0};
        struct body_fuzz fuzz = {.fields = app_client_fields,
                                 .count = APP_CLIENT_FIELD_COUNT,
                                 .object = &client,
                                 .read_back = &read_back};
        arena_init(&fuzz.x.arena, BODY_FUZZ_ARENA_BYTES);
        if (body_fuzz_run(&fuzz, flags[i], span_of(data, size)))
            check(&client);
        arena_done(&fuzz.x.arena);
    }
    return 0;
}
