# SPDX-License-Identifier: Apache-2.0
"""requests-oauthlib gets a token from a server and lists corpora with it.

Reads {"url", "client_id", "client_secret", "method"} from standard input; prints one JSON object.
"""
import json
import sys

from oauthlib.oauth2 import BackendApplicationClient, OAuth2Error
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

given = json.load(sys.stdin)
session = OAuth2Session(client=BackendApplicationClient(client_id=given["client_id"]))
if given["method"] == "basic":
    how = {"auth": HTTPBasicAuth(given["client_id"], given["client_secret"])}
else:
    how = {"include_client_id": True, "client_secret": given["client_secret"]}
try:
    token = session.fetch_token(token_url=given["url"] + "/oauth2/token", **how)
except OAuth2Error as error:
    print(json.dumps({"error": error.error, "status": error.status_code}))
else:
    reply = session.get(given["url"] + "/v2/corpora")
    print(json.dumps({"token": token, "status": reply.status_code, "body": reply.json()}))
