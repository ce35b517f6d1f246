# SPDX-License-Identifier: Apache-2.0
"""Authlib gets a token from a server, checks it as an API would, and lists corpora with it.

Reads {"url", "client_id", "client_secret", "method"} from standard input; prints one JSON object.
"""
import json
import sys

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.jose import JsonWebKey, JsonWebToken
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata

given = json.load(sys.stdin)
metadata = AuthorizationServerMetadata(requests.get(given["url"] + "/.well-known/oauth-authorization-server").json())
metadata.validate_token_endpoint()
metadata.validate_grant_types_supported()
# Not response_types_supported: RFC 8414 section 2 wants an array, this Authlib one that is not empty; its clients do not ask.
metadata.validate_token_endpoint_auth_methods_supported()

session = OAuth2Session(given["client_id"], given["client_secret"], token_endpoint_auth_method=given["method"])
try:
    token = session.fetch_token(metadata["token_endpoint"], grant_type="client_credentials")
except OAuthError as error:
    print(json.dumps({"error": error.error}))
    sys.exit()

keys = JsonWebKey.import_key_set(requests.get(metadata["jwks_uri"]).json())
claims = JsonWebToken(["RS256", "PS256", "ES256", "EdDSA"]).decode(
    token["access_token"],
    keys,
    claims_options={
        "iss": {"essential": True, "value": given["url"]},
        "aud": {"essential": True, "value": given["url"] + "/v2"},
        "exp": {"essential": True},
    },
)
claims.validate()
reply = session.get(given["url"] + "/v2/corpora")
print(json.dumps({"token": token, "header": claims.header, "claims": claims, "status": reply.status_code, "body": reply.json()}))
