-- SPDX-License-Identifier: Apache-2.0
-- What an invited user, or one who lost access, shows once instead of a credential.

CREATE TABLE one_time_code (
    hash {bytes} NOT NULL PRIMARY KEY, -- SHA-256 of the text, which is 256 random bits
    account_id {text} NOT NULL REFERENCES account (id),
    user_id {text} NOT NULL REFERENCES app_user (id),
    is_invitation {int64} NOT NULL, -- using it enables the user
    expires_at {int64} NOT NULL
) {strict};
CREATE UNIQUE INDEX one_time_code_user ON one_time_code (user_id); -- a new one replaces the old

-- Few grants are of owners: whether one is left is asked at every change of a user.
CREATE INDEX role_grant_owner ON role_grant (account_id, holder_kind, holder_id)
    WHERE scope_kind = 'api' AND role = 'owner';
