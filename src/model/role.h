/* SPDX-License-Identifier: Apache-2.0 */
/* The roles of the contract, each a row: API roles (account-wide), corpus roles and agent roles. */
#pragma once

#include "base/span.h"

enum api_role {
    API_ROLE_OWNER,
    API_ROLE_ADMINISTRATOR,
    API_ROLE_BILLING_ADMINISTRATOR,
    API_ROLE_CORPUS_ADMINISTRATOR,
    API_ROLE_CORPUS_DEVELOPER,
    API_ROLE_CORPUS_VIEWER,
    API_ROLE_AGENT_ADMINISTRATOR,
    API_ROLE_AGENT_DEVELOPER,
    API_ROLE_AGENT_VIEWER,
    API_ROLE_AGENT_USER,
    API_ROLE_PIPELINE_ADMINISTRATOR,
    API_ROLE_PIPELINE_VIEWER,
    API_ROLE_VIEWER,
    API_ROLE_COUNT
};

enum corpus_role {
    CORPUS_ROLE_OWNER,
    CORPUS_ROLE_ADMINISTRATOR,
    CORPUS_ROLE_EDITOR,
    CORPUS_ROLE_VIEWER,
    CORPUS_ROLE_COUNT
};

enum agent_role {
    AGENT_ROLE_ADMINISTRATOR,
    AGENT_ROLE_DEVELOPER,
    AGENT_ROLE_VIEWER,
    AGENT_ROLE_USER,
    AGENT_ROLE_COUNT
};

typedef uint32_t api_role_set; /* bit n is enum api_role n */

extern const struct span api_role_names[API_ROLE_COUNT];       /* "owner", … */
extern const struct span corpus_role_names[CORPUS_ROLE_COUNT]; /* "owner", "administrator", … */
extern const struct span agent_role_names[AGENT_ROLE_COUNT];   /* "agent_administrator", … */

/* Position of name among count names; false when it is none of them. */
bool role_find(const struct span *names, size_t count, struct span name, size_t *ret_role);
