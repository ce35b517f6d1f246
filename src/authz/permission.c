/* SPDX-License-Identifier: Apache-2.0 */
#include "authz/permission.h"

#include "base/attr.h"

#include <assert.h>

/* Bits of API roles, and of corpus roles, that are enough for a permission. */
#define A(role) (1u << API_ROLE_##role)
#define C(role) (1u << CORPUS_ROLE_##role)

static const struct {
    api_role_set api_roles;
    unsigned corpus_roles;
} permissions[] = {
    [PERMISSION_APP_CLIENT_MANAGE] = {.api_roles = A(ADMINISTRATOR) | A(OWNER)},
    [PERMISSION_API_KEY_MANAGE] = {.api_roles = A(ADMINISTRATOR) | A(OWNER)},
    [PERMISSION_USER_MANAGE] = {.api_roles = A(ADMINISTRATOR) | A(OWNER)},
    [PERMISSION_USER_READ] = {.api_roles = A(CORPUS_VIEWER) | A(CORPUS_DEVELOPER) |
                                           A(CORPUS_ADMINISTRATOR) | A(VIEWER) | A(ADMINISTRATOR) |
                                           A(OWNER)},
    [PERMISSION_CORPUS_CREATE] = {.api_roles =
                                      A(CORPUS_ADMINISTRATOR) | A(ADMINISTRATOR) | A(OWNER)},
    [PERMISSION_CORPUS_READ] = {.api_roles = A(CORPUS_VIEWER) | A(CORPUS_DEVELOPER) |
                                             A(CORPUS_ADMINISTRATOR) | A(VIEWER) |
                                             A(ADMINISTRATOR) | A(OWNER),
                                .corpus_roles =
                                    C(VIEWER) | C(EDITOR) | C(ADMINISTRATOR) | C(OWNER)},
    [PERMISSION_CORPUS_UPDATE] = {.api_roles = A(CORPUS_DEVELOPER) | A(CORPUS_ADMINISTRATOR) |
                                               A(ADMINISTRATOR) | A(OWNER),
                                  .corpus_roles = C(ADMINISTRATOR) | C(OWNER)},
    [PERMISSION_CORPUS_DELETE] = {.api_roles =
                                      A(CORPUS_ADMINISTRATOR) | A(ADMINISTRATOR) | A(OWNER),
                                  .corpus_roles = C(OWNER)},
    [PERMISSION_CORPUS_RESET] = {.api_roles = A(CORPUS_ADMINISTRATOR) | A(ADMINISTRATOR) | A(OWNER),
                                 .corpus_roles = C(ADMINISTRATOR) | C(OWNER)},
    [PERMISSION_CORPUS_COMPUTE_SIZE] = {.api_roles = A(CORPUS_DEVELOPER) | A(CORPUS_ADMINISTRATOR) |
                                                     A(ADMINISTRATOR) | A(OWNER)},
    [PERMISSION_DOCUMENT_WRITE] = {.api_roles = A(CORPUS_DEVELOPER) | A(CORPUS_ADMINISTRATOR) |
                                                A(ADMINISTRATOR) | A(OWNER),
                                   .corpus_roles = C(EDITOR) | C(ADMINISTRATOR) | C(OWNER)},
    [PERMISSION_INTROSPECT] = {.api_roles = A(ADMINISTRATOR) | A(OWNER)},
    [PERMISSION_CONTROL] = {0},
};
static_assert(ARRAY_LEN(permissions) == PERMISSION_COUNT, "the last permission has a row");

/* A role and all that stand below it in the contract's hierarchies: what its holder may hand on. */
static const api_role_set granted_by[API_ROLE_COUNT] = {
    [API_ROLE_OWNER] = (1u << API_ROLE_COUNT) - 1,
    [API_ROLE_ADMINISTRATOR] =
        ((1u << API_ROLE_COUNT) - 1) & ~(A(OWNER) | A(BILLING_ADMINISTRATOR)),
    [API_ROLE_BILLING_ADMINISTRATOR] = A(BILLING_ADMINISTRATOR),
    [API_ROLE_CORPUS_ADMINISTRATOR] =
        A(CORPUS_ADMINISTRATOR) | A(CORPUS_DEVELOPER) | A(CORPUS_VIEWER),
    [API_ROLE_CORPUS_DEVELOPER] = A(CORPUS_DEVELOPER) | A(CORPUS_VIEWER),
    [API_ROLE_CORPUS_VIEWER] = A(CORPUS_VIEWER),
    [API_ROLE_AGENT_ADMINISTRATOR] =
        A(AGENT_ADMINISTRATOR) | A(AGENT_DEVELOPER) | A(AGENT_VIEWER) | A(AGENT_USER),
    [API_ROLE_AGENT_DEVELOPER] = A(AGENT_DEVELOPER) | A(AGENT_VIEWER) | A(AGENT_USER),
    [API_ROLE_AGENT_VIEWER] = A(AGENT_VIEWER),
    [API_ROLE_AGENT_USER] = A(AGENT_USER),
    [API_ROLE_PIPELINE_ADMINISTRATOR] = A(PIPELINE_ADMINISTRATOR) | A(PIPELINE_VIEWER),
    [API_ROLE_PIPELINE_VIEWER] = A(PIPELINE_VIEWER),
    [API_ROLE_VIEWER] = A(VIEWER) | A(CORPUS_VIEWER) | A(AGENT_VIEWER) | A(PIPELINE_VIEWER),
};

bool authz_has(const struct caller *caller, enum permission permission)
{
    if (permission == PERMISSION_PUBLIC || permission == PERMISSION_AUTHENTICATED)
        return true;
    if (permission == PERMISSION_CONTROL)
        return caller->kind == CALLER_CONTROL;
    return (caller->api_roles & permissions[permission].api_roles) != 0;
}

bool authz_has_on_corpus(const struct caller *caller, enum permission permission,
                         struct span corpus_id)
{
    if (authz_has(caller, permission))
        return true;
    for (size_t i = 0; i < caller->corpus_grant_count; i++) {
        const struct corpus_grant *grant = &caller->corpus_grants[i];
        if (span_equal(grant->corpus_id, corpus_id) &&
            (permissions[permission].corpus_roles & 1u << grant->role) != 0)
            return true;
    }
    return false;
}

bool authz_is_per_corpus(enum permission permission)
{
    return permissions[permission].corpus_roles != 0;
}

api_role_set authz_grantable(api_role_set held)
{
    api_role_set set = 0;
    for (unsigned role = 0; role < API_ROLE_COUNT; role++) {
        if ((held & 1u << role) != 0)
            set |= granted_by[role];
    }
    return set;
}

/* The highest role on any corpus that is within these API roles; CORPUS_ROLE_COUNT for none. */
static unsigned corpus_role_within(api_role_set grantable)
{
    if ((grantable & A(CORPUS_ADMINISTRATOR)) != 0)
        return CORPUS_ROLE_OWNER;
    if ((grantable & A(CORPUS_DEVELOPER)) != 0)
        return CORPUS_ROLE_EDITOR;
    return (grantable & A(CORPUS_VIEWER)) != 0 ? CORPUS_ROLE_VIEWER : CORPUS_ROLE_COUNT;
}

/* Agent roles, which have no effect here, are within agent_administrator. */
bool authz_covers(const struct caller *caller, const struct principal *target)
{
    api_role_set grantable = authz_grantable(caller->api_roles);
    if ((target->api_roles & ~grantable) != 0)
        return false;
    if (target->agent_grant_count > 0 && (grantable & A(AGENT_ADMINISTRATOR)) == 0)
        return false;
    unsigned everywhere = corpus_role_within(grantable);
    for (size_t i = 0; i < target->corpus_grant_count; i++) {
        const struct corpus_grant *wanted = &target->corpus_grants[i];
        /* Corpus roles are ordered: owner first, each holding the ones after it. */
        bool is_held = everywhere <= wanted->role;
        for (size_t j = 0; j < caller->corpus_grant_count; j++) {
            const struct corpus_grant *held = &caller->corpus_grants[j];
            is_held |= span_equal(held->corpus_id, wanted->corpus_id) && held->role <= wanted->role;
        }
        if (!is_held)
            return false;
    }
    return true;
}

struct span permission_name(enum permission permission)
{
    static const struct span names[PERMISSION_COUNT] = {
        [PERMISSION_UNSET] = SPAN_INIT("unset"),
        [PERMISSION_PUBLIC] = SPAN_INIT("public"),
        [PERMISSION_AUTHENTICATED] = SPAN_INIT("authenticated"),
        [PERMISSION_APP_CLIENT_MANAGE] = SPAN_INIT("app_client_manage"),
        [PERMISSION_API_KEY_MANAGE] = SPAN_INIT("api_key_manage"),
        [PERMISSION_USER_MANAGE] = SPAN_INIT("user_manage"),
        [PERMISSION_USER_READ] = SPAN_INIT("user_read"),
        [PERMISSION_CORPUS_CREATE] = SPAN_INIT("corpus_create"),
        [PERMISSION_CORPUS_READ] = SPAN_INIT("corpus_read"),
        [PERMISSION_CORPUS_UPDATE] = SPAN_INIT("corpus_update"),
        [PERMISSION_CORPUS_DELETE] = SPAN_INIT("corpus_delete"),
        [PERMISSION_CORPUS_RESET] = SPAN_INIT("corpus_reset"),
        [PERMISSION_CORPUS_COMPUTE_SIZE] = SPAN_INIT("corpus_compute_size"),
        [PERMISSION_DOCUMENT_WRITE] = SPAN_INIT("document_write"),
        [PERMISSION_INTROSPECT] = SPAN_INIT("introspect"),
        [PERMISSION_CONTROL] = SPAN_INIT("control"),
    };
    return names[permission];
}
