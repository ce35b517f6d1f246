-- SPDX-License-Identifier: Apache-2.0
-- When a credential's secret last came from a web page of another site (and was refused).

ALTER TABLE credential_use ADD COLUMN page_at {int64} NOT NULL DEFAULT 0; -- 0: never
