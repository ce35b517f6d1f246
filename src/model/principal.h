/* SPDX-License-Identifier: Apache-2.0 */
/* Who may act: application clients, API keys and users, with their roles and the credentials that
 * they prove themselves with. Values only: spans belong to whoever made the struct, usually a
 * request's arena. */
#pragma once

#include "model/role.h"

/* What may prove an identity; the store has room for all from its first migration. */
enum credential_kind {
    CREDENTIAL_CLIENT_SECRET,
    CREDENTIAL_API_KEY,
    CREDENTIAL_PUBLIC_KEY,
    CREDENTIAL_CERTIFICATE,
    CREDENTIAL_FEDERATED,
    CREDENTIAL_KIND_COUNT
};

extern const struct span principal_credential_kinds[CREDENTIAL_KIND_COUNT]; /* "client_secret", … */

enum { CREDENTIAL_HASH_BYTES = 33 }; /* version byte 1, HMAC-SHA-256 under the pepper */

struct credential {
    struct span id; /* crd_ + 12 base62 */
    enum credential_kind kind;
    struct span hash;   /* CREDENTIAL_HASH_BYTES */
    struct span sealed; /* empty when no copy is kept */
    struct span hint;   /* the secret's last four characters */
    int64_t created_at; /* seconds since the epoch, like every *_at here */
    int64_t expires_at; /* 0: never */
    int64_t retired_at; /* 0: in use */
};

struct corpus_grant {
    struct span corpus_key; /* how callers name the corpus; empty: it was deleted, and the grant is
                             * here only because the record's MAC covers it. Not shown to anyone */
    struct span corpus_id;  /* what the grant is bound to: a key can be used again, an id cannot */
    enum corpus_role role;
};

struct agent_grant {
    struct span agent_key;
    enum agent_role role;
};

enum principal_kind {
    PRINCIPAL_APP_CLIENT,
    PRINCIPAL_API_KEY,
    PRINCIPAL_USER,
    PRINCIPAL_KIND_COUNT
};

/* "app_client", "api_key", "app_user": words of the database and of the change feed. */
extern const struct span principal_kind_names[PRINCIPAL_KIND_COUNT];

/* What an API key was asked to be by the contract's older form; also the kind of its text. */
enum api_key_role {
    API_KEY_ROLE_NONE, /* made with roles */
    API_KEY_ROLE_SERVING,
    API_KEY_ROLE_SERVING_AND_INDEXING,
    API_KEY_ROLE_PERSONAL, /* has its user's roles, as they are when it is used, and none itself */
    API_KEY_ROLE_COUNT
};

extern const struct span principal_api_key_roles[API_KEY_ROLE_COUNT]; /* "", "serving", … */

struct principal {
    enum principal_kind kind;
    struct span id; /* app_, aky_ or usr_ + 12 base62: the management API's name for it */
    struct span account_id;
    struct span client_id; /* clients: 26 lowercase letters and digits, OAuth's name for it */
    struct span user_id;   /* personal API keys: whose, covered by the MAC */
    struct span owner_id;  /* API keys: the user or client that made it; empty: the host's
                            * administrator. It dies with that one */
    struct span owner_credential_id; /* API keys: what the maker authenticated with */
    enum api_key_role api_key_role;  /* API keys */
    struct span name;                /* a user's is its username, unique in its account */
    struct span email;               /* users; empty: none */
    struct span description;
    bool has_description;
    bool is_enabled;
    api_role_set api_roles;
    struct corpus_grant *corpus_grants;
    size_t corpus_grant_count;
    struct agent_grant *agent_grants;
    size_t agent_grant_count;
    int64_t token_ttl_seconds;   /* clients; 0: the server's default */
    struct span invitation_hash; /* of a user to be created: stored as its one-time code */
    int64_t expires_at;          /* API keys: their credential's, 0: never; or the invitation's */
    int64_t version;             /* +1 with every change of what the MAC covers */
    int64_t revoked_revision;    /* tokens with a lower rev are refused: it was disabled then */
    struct span record_mac;      /* over the record of signing/record.h, by the signer */
    int64_t sequence;            /* order in lists */
    int64_t created_at;
    int64_t updated_at;
    struct credential *credentials;
    size_t credential_count;

    /* The account's, set by store_principal_find() alone. */
    int64_t account_token_ttl_seconds; /* the longest; 0: none */
    int64_t account_revoked_revision;
    bool is_account_enabled;
    bool is_maker_enabled; /* of API keys: who made it is there and enabled; else true */
};

enum {
    ID_RANDOM_LEN = 12,
    CLIENT_ID_LEN = 26,
    NAME_LEN_MAX = 255, /* bytes of UTF-8, like every length here */
    DESCRIPTION_LEN_MAX = 1000,
    USERNAME_LEN_MAX = 128,
    EMAIL_LEN_MAX = 254,
    USER_DESCRIPTION_LEN_MAX = 255,
    GRANTS_MAX = 256,
    CREDENTIALS_MAX = 16,
    API_KEYS_MAX = 1000, /* of one maker; the host's administrator has no such limit */
    TOKEN_TTL_SECONDS_MAX = 86400,
};
