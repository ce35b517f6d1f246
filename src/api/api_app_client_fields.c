/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_app_client_fields.h"

#include "model/principal.h"

#include <stddef.h>

#define AT(member) offsetof(struct principal, member)

const struct field app_client_fields[APP_CLIENT_FIELD_COUNT] = {
    {.name = SPAN_INIT("id"), .type = FIELD_TEXT, .flags = FIELD_OUT, .offset = AT(id)},
    {.name = SPAN_INIT("name"),
     .type = FIELD_TEXT,
     .flags = FIELD_OUT | FIELD_CREATE | FIELD_REQUIRED,
     .offset = AT(name),
     .len_max = NAME_LEN_MAX},
    {.name = SPAN_INIT("description"),
     .type = FIELD_LONG_TEXT,
     .flags = FIELD_OUT_FILLED | FIELD_CREATE | FIELD_UPDATE,
     .offset = AT(description),
     .presence_offset = AT(has_description),
     .len_max = DESCRIPTION_LEN_MAX},
    {.name = SPAN_INIT("type"),
     .type = FIELD_CONSTANT,
     .flags = FIELD_CREATE | FIELD_REQUIRED,
     .constant = SPAN_INIT("client_credentials")},
    {.name = SPAN_INIT("client_id"),
     .type = FIELD_TEXT,
     .flags = FIELD_OUT,
     .offset = AT(client_id)},
    {.name = SPAN_INIT("api_roles"),
     .type = FIELD_API_ROLES,
     .flags = FIELD_OUT | FIELD_CREATE | FIELD_UPDATE,
     .offset = AT(api_roles)},
    {.name = SPAN_INIT("corpus_roles"),
     .type = FIELD_CORPUS_ROLES,
     .flags = FIELD_OUT | FIELD_CREATE | FIELD_UPDATE,
     .offset = AT(corpus_grants),
     .presence_offset = AT(corpus_grant_count)},
    {.name = SPAN_INIT("agent_roles"),
     .type = FIELD_AGENT_ROLES,
     .flags = FIELD_OUT | FIELD_CREATE | FIELD_UPDATE,
     .offset = AT(agent_grants),
     .presence_offset = AT(agent_grant_count)},
    {.name = SPAN_INIT("enabled"), /* beyond the contract */
     .type = FIELD_BOOL,
     .flags = FIELD_OUT | FIELD_UPDATE,
     .offset = AT(is_enabled)},
    {.name = SPAN_INIT("token_ttl_seconds"), /* beyond the contract */
     .type = FIELD_INT,
     .flags = FIELD_OUT_FILLED | FIELD_CREATE | FIELD_UPDATE,
     .offset = AT(token_ttl_seconds),
     .number_max = TOKEN_TTL_SECONDS_MAX},
};
