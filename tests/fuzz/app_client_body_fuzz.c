/* SPDX-License-Identifier: Apache-2.0 */
/* Create and update bodies of application clients: what is taken is within the limits, and is
 * written as JSON that reads back. */
#include "api/api_app_client_fields.h"
#include "base/arena.h"
#include "codec/json.h"
#include "model/app_client.h"

#include <stdlib.h>

enum { TEXT_BYTES_MAX = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void check_client(const struct app_client *client)
{
    require(client->name.len <= NAME_LEN_MAX);
    require(client->description.len <= DESCRIPTION_LEN_MAX);
    require(client->api_roles < 1u << API_ROLE_COUNT);
    require(client->corpus_grant_count <= GRANTS_MAX && client->agent_grant_count <= GRANTS_MAX);
    for (size_t i = 0; i < client->corpus_grant_count; i++) {
        const struct corpus_grant *grant = &client->corpus_grants[i];
        require(grant->corpus_key.len > 0 && grant->role < CORPUS_ROLE_COUNT);
    }
    for (size_t i = 0; i < client->agent_grant_count; i++) {
        const struct agent_grant *grant = &client->agent_grants[i];
        require(grant->agent_key.len > 0 && grant->role < AGENT_ROLE_COUNT);
    }
}

static void check_written(const struct app_client *client)
{
    AUTO(json) json_t *json = NULL;
    struct json_writer writer;
    struct buf text AUTO(buf);
    buf_init(&text, TEXT_BYTES_MAX);
    json_writer_init(&writer, &text);
    json_object_open(&writer);
    fields_write(app_client_fields, APP_CLIENT_FIELD_COUNT, client, &writer);
    json_object_close(&writer);
    require(buf_ok(&text));
    require(json_parse(buf_span(&text), &json_limits_default, &json, NULL) == OK);
    require(json_array_size(json_object_get(json, "corpus_roles")) == client->corpus_grant_count);
    require(json_array_size(json_object_get(json, "agent_roles")) == client->agent_grant_count);
}

static void read_as(enum field_flag flag, const json_t *body)
{
    struct arena arena;
    struct app_client client = {0};
    uint32_t seen = 0;
    struct problems problems = {.arena = &arena};
    arena_init(&arena, 1 << 22);
    enum status status = fields_read(app_client_fields, APP_CLIENT_FIELD_COUNT, flag, body, &arena,
                                     &client, &seen, &problems);
    require(status != INVALID || problems.count > 0);
    if (status == OK) {
        require(flag == FIELD_UPDATE || client.name.len > 0);
        require(flag == FIELD_CREATE || client.name.len == 0);
        check_client(&client);
        check_written(&client);
    }
    arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(json) json_t *body = NULL;
    if (size > 1 << 16 ||
        json_parse(span_of(data, size), &json_limits_default, &body, NULL) != OK ||
        !json_is_object(body))
        return 0;
    read_as(FIELD_CREATE, body);
    read_as(FIELD_UPDATE, body);
    return 0;
}
