/* SPDX-License-Identifier: Apache-2.0 */
#include "oauth/oauth_routes.h"

#include "config/config.h"

#include "oauth/oauth_introspect.h"
#include "oauth/oauth_metadata.h"
#include "oauth/oauth_token.h"

enum { OAUTH_BODY_BYTES_MAX = 65536 };

const struct route oauth_routes[OAUTH_ROUTE_COUNT] = {
    {
        .method = HTTP_POST,
        .path = SPAN_INIT("/oauth2/token"),
        .cors = CORS_OWN,
        .permission = PERMISSION_PUBLIC,
        .purposes = CONFIG_FOR_TOKEN,
        .lane = LANE_FAST,
        .body_bytes_max = OAUTH_BODY_BYTES_MAX,
        .handle = oauth_token,
        .resume = oauth_token_resume,
        .name = SPAN_INIT("getToken"),
    },
    {
        .method = HTTP_POST,
        .path = SPAN_INIT("/oauth/token"),
        .cors = CORS_OWN,
        .permission = PERMISSION_PUBLIC,
        .purposes = CONFIG_FOR_TOKEN,
        .lane = LANE_FAST,
        .body_bytes_max = OAUTH_BODY_BYTES_MAX,
        .handle = oauth_token,
        .resume = oauth_token_resume,
        .name = SPAN_INIT("getTokenAlias"),
    },
    {
        .method = HTTP_POST,
        .path = SPAN_INIT("/oauth2/introspect"),
        .cors = CORS_OWN,
        .permission = PERMISSION_PUBLIC, /* the client authenticates as at the token endpoint */
        .purposes = CONFIG_FOR_TOKEN,
        .lane = LANE_WORKER,
        .body_bytes_max = OAUTH_BODY_BYTES_MAX,
        .handle = oauth_introspect,
        .name = SPAN_INIT("introspectToken"),
    },
    {
        .method = HTTP_POST,
        .path = SPAN_INIT("/oauth2/revoke"),
        .cors = CORS_OWN,
        .permission = PERMISSION_PUBLIC, /* likewise */
        .purposes = CONFIG_FOR_TOKEN,
        .lane = LANE_WORKER,
        .body_bytes_max = OAUTH_BODY_BYTES_MAX,
        .handle = oauth_revoke,
        .name = SPAN_INIT("revokeToken"),
    },
    {
        .method = HTTP_GET,
        .path = SPAN_INIT("/oauth2/authorize"),
        .permission = PERMISSION_PUBLIC,
        .purposes = CONFIG_FOR_TOKEN,
        .lane = LANE_FAST,
        .handle = oauth_authorize,
        .name = SPAN_INIT("authorize"),
    },
    {
        .method = HTTP_GET,
        .path = SPAN_INIT("/.well-known/jwks.json"),
        .permission = PERMISSION_PUBLIC,
        .purposes = CONFIG_FOR_TOKEN,
        .lane = LANE_FAST,
        .cors = CORS_ANY_ORIGIN,
        .handle = oauth_jwks,
        .name = SPAN_INIT("getJwks"),
    },
    {
        .method = HTTP_GET,
        .path = SPAN_INIT("/.well-known/oauth-authorization-server"),
        .permission = PERMISSION_PUBLIC,
        .purposes = CONFIG_FOR_TOKEN,
        .lane = LANE_FAST,
        .cors = CORS_ANY_ORIGIN,
        .handle = oauth_metadata,
        .name = SPAN_INIT("getMetadata"),
    },
    {
        .method = HTTP_GET,
        .path = SPAN_INIT("/.well-known/openid-configuration"),
        .permission = PERMISSION_PUBLIC,
        .purposes = CONFIG_FOR_TOKEN,
        .lane = LANE_FAST,
        .cors = CORS_ANY_ORIGIN,
        .handle = oauth_metadata,
        .name = SPAN_INIT("getOpenidConfiguration"),
    },
};
