-- SPDX-License-Identifier: Apache-2.0
-- Access tokens that were revoked one by one (RFC 7009), until they would have expired.

CREATE TABLE revoked_token (
    jti {text} NOT NULL PRIMARY KEY,
    account_id {text} NOT NULL REFERENCES account (id),
    client_id {text} NOT NULL, -- OAuth's, whose token it was
    expires_at {int64} NOT NULL
) {strict};
CREATE INDEX revoked_token_expiry ON revoked_token (expires_at);
