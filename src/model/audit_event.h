/* SPDX-License-Identifier: Apache-2.0 */
/* What the audit trail records: who did what to which, from where. One row of a table per event. */
#pragma once

#include "base/span.h"

enum audit_action {
    AUDIT_ACCOUNT_CREATE,
    AUDIT_ACCOUNT_UPDATE,
    AUDIT_APP_CLIENT_CREATE,
    AUDIT_APP_CLIENT_UPDATE,
    AUDIT_APP_CLIENT_DELETE,
    AUDIT_APP_CLIENT_REVEAL,         /* its secret was read back */
    AUDIT_APP_CLIENT_SECRET_IN_PAGE, /* its secret came from a web page */
    AUDIT_API_KEY_CREATE,
    AUDIT_API_KEY_UPDATE,
    AUDIT_API_KEY_REGENERATE,
    AUDIT_API_KEY_DELETE,
    AUDIT_API_KEY_REVEAL,
    AUDIT_USER_CREATE,
    AUDIT_USER_UPDATE,
    AUDIT_USER_DELETE,
    AUDIT_USER_RESET_PASSWORD,
    AUDIT_USER_REDEEM, /* its one-time code was used */
    AUDIT_CORPUS_CREATE,
    AUDIT_CORPUS_UPDATE,
    AUDIT_CORPUS_REPLACE_FILTER_ATTRIBUTES,
    AUDIT_CORPUS_RESET,
    AUDIT_CORPUS_DELETE,
    AUDIT_TOKEN_REVOKE,
    AUDIT_SERVER_KEY_CREATE,
    AUDIT_CLOCK_ACCEPT,
    AUDIT_ACTION_COUNT
};

extern const struct span audit_action_names[AUDIT_ACTION_COUNT]; /* "app_client.create", … */

struct audit_event {
    struct span account_id;
    struct span actor_kind;    /* "system", "control", "app_client", … */
    struct span actor_id;      /* "uid 0 pid 123", a client's id, … */
    struct span credential_id; /* the one that was used; empty for none */
    struct span address;       /* of the caller; empty on the control socket */
    struct span request_id;
    enum audit_action action;
    struct span target_id;
    int64_t at;
};
