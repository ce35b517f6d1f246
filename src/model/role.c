/* SPDX-License-Identifier: Apache-2.0 */
#include "model/role.h"

#include <assert.h>

static_assert(API_ROLE_COUNT <= sizeof(api_role_set) * 8, "a set has a bit for every API role");

const struct span api_role_names[API_ROLE_COUNT] = {
    [API_ROLE_OWNER] = SPAN_INIT("owner"),
    [API_ROLE_ADMINISTRATOR] = SPAN_INIT("administrator"),
    [API_ROLE_BILLING_ADMINISTRATOR] = SPAN_INIT("billing_administrator"),
    [API_ROLE_CORPUS_ADMINISTRATOR] = SPAN_INIT("corpus_administrator"),
    [API_ROLE_CORPUS_DEVELOPER] = SPAN_INIT("corpus_developer"),
    [API_ROLE_CORPUS_VIEWER] = SPAN_INIT("corpus_viewer"),
    [API_ROLE_AGENT_ADMINISTRATOR] = SPAN_INIT("agent_administrator"),
    [API_ROLE_AGENT_DEVELOPER] = SPAN_INIT("agent_developer"),
    [API_ROLE_AGENT_VIEWER] = SPAN_INIT("agent_viewer"),
    [API_ROLE_AGENT_USER] = SPAN_INIT("agent_user"),
    [API_ROLE_PIPELINE_ADMINISTRATOR] = SPAN_INIT("pipeline_administrator"),
    [API_ROLE_PIPELINE_VIEWER] = SPAN_INIT("pipeline_viewer"),
    [API_ROLE_VIEWER] = SPAN_INIT("viewer"),
};

const struct span corpus_role_names[CORPUS_ROLE_COUNT] = {
    [CORPUS_ROLE_OWNER] = SPAN_INIT("owner"),
    [CORPUS_ROLE_ADMINISTRATOR] = SPAN_INIT("administrator"),
    [CORPUS_ROLE_EDITOR] = SPAN_INIT("editor"),
    [CORPUS_ROLE_VIEWER] = SPAN_INIT("viewer"),
};

const struct span agent_role_names[AGENT_ROLE_COUNT] = {
    [AGENT_ROLE_ADMINISTRATOR] = SPAN_INIT("agent_administrator"),
    [AGENT_ROLE_DEVELOPER] = SPAN_INIT("agent_developer"),
    [AGENT_ROLE_VIEWER] = SPAN_INIT("agent_viewer"),
    [AGENT_ROLE_USER] = SPAN_INIT("agent_user"),
};

bool role_find(const struct span *names, size_t count, struct span name, size_t *ret_role)
{
    for (size_t role = 0; role < count; role++) {
        if (span_equal(names[role], name)) {
            *ret_role = role;
            return true;
        }
    }
    return false;
}
