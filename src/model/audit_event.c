/* SPDX-License-Identifier: Apache-2.0 */
#include "model/audit_event.h"

const struct span audit_action_names[AUDIT_ACTION_COUNT] = {
    [AUDIT_ACCOUNT_CREATE] = SPAN_INIT("account.create"),
    [AUDIT_ACCOUNT_UPDATE] = SPAN_INIT("account.update"),
    [AUDIT_APP_CLIENT_CREATE] = SPAN_INIT("app_client.create"),
    [AUDIT_APP_CLIENT_UPDATE] = SPAN_INIT("app_client.update"),
    [AUDIT_APP_CLIENT_DELETE] = SPAN_INIT("app_client.delete"),
    [AUDIT_APP_CLIENT_REVEAL] = SPAN_INIT("app_client.reveal"),
    [AUDIT_APP_CLIENT_SECRET_IN_PAGE] = SPAN_INIT("app_client.secret_in_page"),
    [AUDIT_API_KEY_CREATE] = SPAN_INIT("api_key.create"),
    [AUDIT_API_KEY_UPDATE] = SPAN_INIT("api_key.update"),
    [AUDIT_API_KEY_REGENERATE] = SPAN_INIT("api_key.regenerate"),
    [AUDIT_API_KEY_DELETE] = SPAN_INIT("api_key.delete"),
    [AUDIT_API_KEY_REVEAL] = SPAN_INIT("api_key.reveal"),
    [AUDIT_USER_CREATE] = SPAN_INIT("user.create"),
    [AUDIT_USER_UPDATE] = SPAN_INIT("user.update"),
    [AUDIT_USER_DELETE] = SPAN_INIT("user.delete"),
    [AUDIT_CORPUS_CREATE] = SPAN_INIT("corpus.create"),
    [AUDIT_CORPUS_UPDATE] = SPAN_INIT("corpus.update"),
    [AUDIT_CORPUS_REPLACE_FILTER_ATTRIBUTES] = SPAN_INIT("corpus.replace_filter_attributes"),
    [AUDIT_CORPUS_DELETE] = SPAN_INIT("corpus.delete"),
    [AUDIT_TOKEN_REVOKE] = SPAN_INIT("token.revoke"),
    [AUDIT_SERVER_KEY_CREATE] = SPAN_INIT("server_key.create"),
    [AUDIT_CLOCK_ACCEPT] = SPAN_INIT("clock.accept"),
};
