/* SPDX-License-Identifier: Apache-2.0 */
#include "model/principal.h"

const struct span principal_credential_kinds[CREDENTIAL_KIND_COUNT] = {
    [CREDENTIAL_CLIENT_SECRET] = SPAN_INIT("client_secret"),
    [CREDENTIAL_API_KEY] = SPAN_INIT("api_key"),
    [CREDENTIAL_PUBLIC_KEY] = SPAN_INIT("public_key"),
    [CREDENTIAL_CERTIFICATE] = SPAN_INIT("certificate"),
    [CREDENTIAL_FEDERATED] = SPAN_INIT("federated"),
};

const struct span principal_kind_names[PRINCIPAL_KIND_COUNT] = {
    [PRINCIPAL_APP_CLIENT] = SPAN_INIT("app_client"),
    [PRINCIPAL_API_KEY] = SPAN_INIT("api_key"),
    [PRINCIPAL_USER] = SPAN_INIT("app_user"),
};

const struct span principal_api_key_roles[API_KEY_ROLE_COUNT] = {
    [API_KEY_ROLE_NONE] = SPAN_INIT(""),
    [API_KEY_ROLE_SERVING] = SPAN_INIT("serving"),
    [API_KEY_ROLE_SERVING_AND_INDEXING] = SPAN_INIT("serving_and_indexing"),
    [API_KEY_ROLE_PERSONAL] = SPAN_INIT("personal"),
};
