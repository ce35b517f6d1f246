-- SPDX-License-Identifier: Apache-2.0
-- The longest life of the tokens of an account's clients.

ALTER TABLE account ADD COLUMN token_ttl_seconds {int64} NOT NULL DEFAULT 0; -- 0: the server's
