-- SPDX-License-Identifier: Apache-2.0
-- What was done to a corpus in the background, or at once where that was possible.

CREATE TABLE job (
    sequence {int64} NOT NULL PRIMARY KEY,
    id {text} NOT NULL UNIQUE,
    account_id {text} NOT NULL REFERENCES account (id),
    type {text} NOT NULL,
    corpus_id {text} NOT NULL, -- outlives its corpus: ids never come back
    corpus_key {text} NOT NULL,
    state {text} NOT NULL,
    created_by {text} NOT NULL, -- the caller: a client's id
    created_at {int64} NOT NULL,
    completed_at {int64} NOT NULL
) {strict};
CREATE UNIQUE INDEX job_page ON job (account_id, sequence);
