/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_routes.h"

#include "api/api_account.h"
#include "api/api_app_client.h"
#include "api/api_clock.h"
#include "api/api_corpus.h"
#include "api/api_health.h"
#include "api/api_status.h"

const struct route api_routes[API_ROUTE_COUNT] = {
    {
        .method = HTTP_POST,
        .path = SPAN_INIT("/v2/app_clients"),
        .permission = PERMISSION_APP_CLIENT_MANAGE,
        .lane = LANE_WORKER,
        .handle = api_app_client_create,
        .name = SPAN_INIT("createAppClient"),
    },
    {
        .method = HTTP_GET,
        .path = SPAN_INIT("/v2/app_clients"),
        .permission = PERMISSION_APP_CLIENT_MANAGE,
        .lane = LANE_WORKER,
        .handle = api_app_client_list,
        .name = SPAN_INIT("listAppClients"),
    },
    {
        .method = HTTP_GET,
        .path = SPAN_INIT("/v2/app_clients/{app_client_id}"),
        .permission = PERMISSION_APP_CLIENT_MANAGE,
        .lane = LANE_WORKER,
        .handle = api_app_client_get,
        .name = SPAN_INIT("getAppClient"),
    },
    {
        .method = HTTP_PATCH,
        .path = SPAN_INIT("/v2/app_clients/{app_client_id}"),
        .permission = PERMISSION_APP_CLIENT_MANAGE,
        .lane = LANE_WORKER,
        .handle = api_app_client_update,
        .name = SPAN_INIT("updateAppClient"),
    },
    {
        .method = HTTP_DELETE,
        .path = SPAN_INIT("/v2/app_clients/{app_client_id}"),
        .permission = PERMISSION_APP_CLIENT_MANAGE,
        .lane = LANE_WORKER,
        .handle = api_app_client_delete,
        .name = SPAN_INIT("deleteAppClient"),
    },
    {
        .method = HTTP_POST,
        .path = SPAN_INIT("/v2/corpora"),
        .permission = PERMISSION_CORPUS_CREATE,
        .lane = LANE_WORKER,
        .handle = api_corpus_create,
        .name = SPAN_INIT("createCorpus"),
    },
    {
        .method = HTTP_GET,
        .path = SPAN_INIT("/v2/corpora"),
        .permission = PERMISSION_AUTHENTICATED,
        .lane = LANE_WORKER,
        .handle = api_corpus_list,
        .name = SPAN_INIT("listCorpora"),
    },
    {
        .method = HTTP_GET,
        .path = SPAN_INIT("/v2/corpora/{corpus_key}"),
        .permission = PERMISSION_CORPUS_READ,
        .lane = LANE_WORKER,
        .handle = api_corpus_get,
        .name = SPAN_INIT("getCorpus"),
    },
    {
        .method = HTTP_DELETE,
        .path = SPAN_INIT("/v2/corpora/{corpus_key}"),
        .permission = PERMISSION_CORPUS_DELETE,
        .lane = LANE_WORKER,
        .handle = api_corpus_delete,
        .name = SPAN_INIT("deleteCorpus"),
    },
    {
        .method = HTTP_GET,
        .path = SPAN_INIT("/healthz"),
        .permission = PERMISSION_PUBLIC,
        .lane = LANE_FAST,
        .handle = api_health_live,
        .name = SPAN_INIT("getHealth"),
    },
    {
        .method = HTTP_GET,
        .path = SPAN_INIT("/readyz"),
        .permission = PERMISSION_PUBLIC,
        .lane = LANE_WORKER,
        .handle = api_health_ready,
        .name = SPAN_INIT("getReadiness"),
    },
    {
        .method = HTTP_POST,
        .path = SPAN_INIT("/control/clock"),
        .permission = PERMISSION_CONTROL,
        .lane = LANE_WORKER,
        .handle = api_clock_accept,
        .name = SPAN_INIT("acceptClock"),
    },
    {
        .method = HTTP_GET,
        .path = SPAN_INIT("/control/account"),
        .permission = PERMISSION_CONTROL,
        .lane = LANE_WORKER,
        .handle = api_account_get,
        .name = SPAN_INIT("getAccount"),
    },
    {
        .method = HTTP_PATCH,
        .path = SPAN_INIT("/control/account"),
        .permission = PERMISSION_CONTROL,
        .lane = LANE_WORKER,
        .handle = api_account_update,
        .name = SPAN_INIT("updateAccount"),
    },
    {
        .method = HTTP_GET,
        .path = SPAN_INIT("/metrics"),
        .permission = PERMISSION_CONTROL,
        .lane = LANE_WORKER,
        .handle = api_metrics_get,
        .name = SPAN_INIT("getMetrics"),
    },
    {
        .method = HTTP_GET,
        .path = SPAN_INIT("/control/status"),
        .permission = PERMISSION_CONTROL,
        .lane = LANE_WORKER,
        .handle = api_status_get,
        .name = SPAN_INIT("getStatus"),
    },
};
