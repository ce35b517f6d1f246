/* SPDX-License-Identifier: Apache-2.0 */
#include "model/app_client.h"

const struct span credential_kind_names[CREDENTIAL_KIND_COUNT] = {
    [CREDENTIAL_CLIENT_SECRET] = SPAN_INIT("client_secret"),
    [CREDENTIAL_API_KEY] = SPAN_INIT("api_key"),
    [CREDENTIAL_PUBLIC_KEY] = SPAN_INIT("public_key"),
    [CREDENTIAL_CERTIFICATE] = SPAN_INIT("certificate"),
    [CREDENTIAL_FEDERATED] = SPAN_INIT("federated"),
};
