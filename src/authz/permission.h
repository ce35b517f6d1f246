/* SPDX-License-Identifier: Apache-2.0 */
/* Who may do what: permissions, the roles that give them, and what a holder may hand on. Tables.
 *
 * A route names one permission (web/route.h). There is no default: a zeroed row denies. */
#pragma once

#include "model/principal.h"

enum permission {
    PERMISSION_UNSET = 0,     /* never allowed; the table test refuses it */
    PERMISSION_PUBLIC,        /* no caller is looked for */
    PERMISSION_AUTHENTICATED, /* any principal of the account; the handler narrows what it sees */
    PERMISSION_APP_CLIENT_MANAGE,
    PERMISSION_API_KEY_MANAGE, /* those of others; everyone manages its own */
    PERMISSION_USER_MANAGE,
    PERMISSION_USER_READ, /* those of others */
    PERMISSION_CORPUS_CREATE,
    PERMISSION_CORPUS_READ,   /* by API role, or by a role on the corpus that the path names */
    PERMISSION_CORPUS_UPDATE, /* likewise */
    PERMISSION_CORPUS_DELETE, /* likewise */
    PERMISSION_CORPUS_RESET,  /* likewise */
    PERMISSION_CORPUS_COMPUTE_SIZE,
    PERMISSION_DOCUMENT_WRITE, /* by API role, or by a role on the corpus */
    PERMISSION_INTROSPECT,     /* asked of the client that authenticates there, not by a route */
    PERMISSION_CONTROL, /* the host's administrator, by the control socket; unknown to the network
                         */
    PERMISSION_COUNT
};

enum caller_kind {
    CALLER_CONTROL,    /* the control socket: the host's administrator, with owner rights */
    CALLER_APP_CLIENT, /* an access token */
    CALLER_API_KEY,    /* an API key with rights of its own */
    CALLER_USER,       /* a personal API key: its user */
};

/* One principal, whatever it authenticated with, and its rights at the time of the request. */
struct caller {
    enum caller_kind kind;
    struct span account_id;
    struct span id;            /* app_…, aky_…, usr_…; for the control socket "uid N pid N" */
    struct span credential_id; /* the key's, or what the token was obtained with; empty on the
                                * control socket */
    api_role_set api_roles;
    const struct corpus_grant *corpus_grants;
    size_t corpus_grant_count;
};

/* By an API role: on everything in the account. */
bool authz_has(const struct caller *caller, enum permission permission);

/* By an API role, or by a role on this corpus. */
bool authz_has_on_corpus(const struct caller *caller, enum permission permission,
                         struct span corpus_id);

/* Can a role on one corpus be enough? */
bool authz_is_per_corpus(enum permission permission);

/* The API roles that a holder of these may grant (rule R7: never more than it holds). */
api_role_set authz_grantable(api_role_set held);

/* Are the target's rights within the caller's? Asked before granting, reading a secret back,
 * changing and deleting. */
bool authz_covers(const struct caller *caller, const struct principal *target);

/* "public", "app_client_manage", …: the openapi file's word for it. */
struct span permission_name(enum permission permission);
