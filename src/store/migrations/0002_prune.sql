-- SPDX-License-Identifier: Apache-2.0
-- Idempotency keys are forgotten a day after their request: found by time.

CREATE INDEX idempotency_age ON idempotency (created_at);
