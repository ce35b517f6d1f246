-- SPDX-License-Identifier: Apache-2.0
-- API keys, users in full, accounts that can be disabled; and the revision at which what a principal
-- had issued stopped being good.

CREATE TABLE api_key (
    sequence {int64} NOT NULL PRIMARY KEY,
    id {text} NOT NULL UNIQUE,
    account_id {text} NOT NULL REFERENCES account (id),
    user_id {text} NOT NULL, -- whose rights it has; empty: its own
    owner_id {text} NOT NULL, -- the user or client that made it; empty: the host's administrator
    owner_credential_id {text} NOT NULL, -- what that one authenticated with
    api_key_role {text} NOT NULL, -- as asked for by the older form; empty: made with roles
    name {text} NOT NULL,
    is_enabled {int64} NOT NULL,
    version {int64} NOT NULL,
    record_mac {bytes} NOT NULL,
    created_at {int64} NOT NULL,
    updated_at {int64} NOT NULL
) {strict};
CREATE UNIQUE INDEX api_key_page ON api_key (account_id, sequence);
CREATE INDEX api_key_owner ON api_key (account_id, owner_id);
CREATE INDEX api_key_user ON api_key (account_id, user_id);

ALTER TABLE app_client ADD COLUMN revoked_revision {int64} NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN revoked_revision {int64} NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN version {int64} NOT NULL DEFAULT 1;

CREATE UNIQUE INDEX app_user_email ON app_user (account_id, email);
CREATE INDEX role_grant_scope ON role_grant (account_id, scope_kind, scope_id);
