-- SPDX-License-Identifier: Apache-2.0
-- The first schema. Times are seconds since the epoch; 0 is "never" where a comment says so.
-- A sequence is the revision at which its row was made: the order of pages.

-- Facts about the installation.
CREATE TABLE meta (
    name {text} NOT NULL PRIMARY KEY,
    value {bytes} NOT NULL
) {strict};

-- The one row that numbers every change; raised inside the change's transaction, so that numbers
-- become visible in their order.
CREATE TABLE change_counter (
    name {text} NOT NULL PRIMARY KEY CHECK (name = 'change'),
    revision {int64} NOT NULL
) {strict};
INSERT INTO change_counter (name, revision) VALUES ('change', 0);

CREATE TABLE change (
    revision {int64} NOT NULL PRIMARY KEY,
    account_id {text} NOT NULL, -- empty: of the installation
    kind {text} NOT NULL,
    id {text} NOT NULL,
    jti {text} NOT NULL -- empty: not about a single token
) {strict};

CREATE TABLE server_key (
    sequence {int64} NOT NULL PRIMARY KEY,
    id {text} NOT NULL UNIQUE,
    kind {text} NOT NULL,
    alg {text} NOT NULL,
    public_jwk {text} NOT NULL,
    sealed {bytes} NOT NULL,
    check_value {bytes} NOT NULL,
    state {text} NOT NULL CHECK (state IN ('active', 'retired')),
    created_at {int64} NOT NULL
) {strict};

CREATE TABLE account (
    sequence {int64} NOT NULL PRIMARY KEY,
    id {text} NOT NULL UNIQUE,
    name {text} NOT NULL,
    is_enabled {int64} NOT NULL,
    created_at {int64} NOT NULL
) {strict};

CREATE TABLE app_user (
    sequence {int64} NOT NULL PRIMARY KEY,
    id {text} NOT NULL UNIQUE,
    account_id {text} NOT NULL REFERENCES account (id),
    username {text} NOT NULL,
    email {text},
    description {text},
    is_enabled {int64} NOT NULL,
    version {int64} NOT NULL,
    record_mac {bytes} NOT NULL,
    created_at {int64} NOT NULL,
    updated_at {int64} NOT NULL,
    UNIQUE (account_id, username)
) {strict};
CREATE UNIQUE INDEX app_user_page ON app_user (account_id, sequence);

CREATE TABLE app_client (
    sequence {int64} NOT NULL PRIMARY KEY,
    id {text} NOT NULL UNIQUE,
    account_id {text} NOT NULL REFERENCES account (id),
    client_id {text} NOT NULL UNIQUE,
    name {text} NOT NULL,
    description {text},
    is_enabled {int64} NOT NULL,
    token_ttl_seconds {int64} NOT NULL, -- 0: the server's default
    version {int64} NOT NULL,
    record_mac {bytes} NOT NULL,
    created_at {int64} NOT NULL,
    updated_at {int64} NOT NULL
) {strict};
CREATE UNIQUE INDEX app_client_page ON app_client (account_id, sequence);

-- What an owner proves itself with. The order counts: the owner's record MAC covers it.
CREATE TABLE credential (
    account_id {text} NOT NULL REFERENCES account (id),
    owner_kind {text} NOT NULL CHECK (owner_kind IN ('app_client', 'api_key', 'app_user')),
    owner_id {text} NOT NULL,
    position {int64} NOT NULL,
    id {text} NOT NULL UNIQUE,
    kind {text} NOT NULL
        CHECK (kind IN ('client_secret', 'api_key', 'public_key', 'certificate', 'federated')),
    hash {bytes} NOT NULL,      -- of secrets, else empty
    sealed {bytes} NOT NULL,    -- empty: no copy is kept
    hint {text} NOT NULL,
    public_material {bytes},    -- of public keys and certificates
    rule {text},                -- JSON: which foreign tokens or certificates are taken
    created_at {int64} NOT NULL,
    expires_at {int64} NOT NULL, -- 0: never
    retired_at {int64} NOT NULL, -- 0: in use
    PRIMARY KEY (account_id, owner_kind, owner_id, position)
) {keyed};

-- Written in batches, never per token.
CREATE TABLE credential_use (
    credential_id {text} NOT NULL PRIMARY KEY,
    account_id {text} NOT NULL,
    first_at {int64} NOT NULL,
    last_at {int64} NOT NULL,
    use_count {int64} NOT NULL,
    last_address {text} NOT NULL
) {keyed};

CREATE TABLE corpus (
    sequence {int64} NOT NULL PRIMARY KEY,
    id {text} NOT NULL UNIQUE,
    account_id {text} NOT NULL REFERENCES account (id),
    key {text} NOT NULL,
    name {text} NOT NULL,
    description {text},
    is_enabled {int64} NOT NULL,
    save_history {int64} NOT NULL,
    queries_are_answers {int64} NOT NULL,
    documents_are_questions {int64} NOT NULL,
    encoder_id {text} NOT NULL, -- empty: not set
    encoder_name {text} NOT NULL,
    filter_attributes {text} NOT NULL, -- JSON array
    custom_dimensions {text} NOT NULL, -- JSON array
    version {int64} NOT NULL,
    created_at {int64} NOT NULL,
    updated_at {int64} NOT NULL,
    UNIQUE (account_id, key)
) {strict};
CREATE UNIQUE INDEX corpus_page ON corpus (account_id, sequence);

-- Who holds which role where. Rows keep the order in which they were given, because the holder's
-- record MAC covers it; for the same reason a grant outlives its corpus (ids never come back).
CREATE TABLE role_grant (
    account_id {text} NOT NULL REFERENCES account (id),
    holder_kind {text} NOT NULL CHECK (holder_kind IN ('app_client', 'api_key', 'app_user')),
    holder_id {text} NOT NULL,
    position {int64} NOT NULL,
    scope_kind {text} NOT NULL CHECK (scope_kind IN ('api', 'corpus', 'agent')),
    scope_id {text} NOT NULL, -- a corpus id, an agent key; empty for the API
    role {text} NOT NULL,
    PRIMARY KEY (account_id, holder_kind, holder_id, position)
) {keyed};

-- What a create with an Idempotency-Key made: ids, not bodies.
CREATE TABLE idempotency (
    account_id {text} NOT NULL REFERENCES account (id),
    key {text} NOT NULL,
    request {bytes} NOT NULL,
    kind {text} NOT NULL,
    id {text} NOT NULL,
    created_at {int64} NOT NULL,
    PRIMARY KEY (account_id, key)
) {keyed};

CREATE TABLE audit_event (
    sequence {int64} NOT NULL PRIMARY KEY,
    account_id {text} NOT NULL, -- empty: of the installation
    action {text} NOT NULL,
    actor_kind {text} NOT NULL,
    actor_id {text} NOT NULL,
    credential_id {text} NOT NULL,
    address {text} NOT NULL,
    request_id {text} NOT NULL,
    target_id {text} NOT NULL,
    at {int64} NOT NULL
) {strict};
CREATE UNIQUE INDEX audit_event_page ON audit_event (account_id, sequence);
