/* SPDX-License-Identifier: Apache-2.0 */
/* An application client and the credentials it authenticates with. Values only: spans belong to
 * whoever made the struct, usually a request's arena. */
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

extern const struct span credential_kind_names[CREDENTIAL_KIND_COUNT]; /* "client_secret", … */

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

struct app_client {
    struct span id; /* app_ + 12 base62: the management API's name for it */
    struct span account_id;
    struct span client_id; /* 26 lowercase letters and digits: OAuth's name for it */
    struct span name;
    struct span description;
    bool has_description;
    bool is_enabled;
    api_role_set api_roles;
    struct corpus_grant *corpus_grants;
    size_t corpus_grant_count;
    struct agent_grant *agent_grants;
    size_t agent_grant_count;
    int64_t token_ttl_seconds;         /* 0: the server's default */
    int64_t account_token_ttl_seconds; /* the account's longest; 0: none. Set by
                                        * store_app_client_find() alone */
    int64_t version;                   /* +1 with every change of what the MAC covers */
    struct span record_mac;            /* over the record of signing/record.h, by the signer */
    int64_t sequence;                  /* order in lists */
    int64_t created_at;
    int64_t updated_at;
    struct credential *credentials;
    size_t credential_count;
};

enum {
    ID_RANDOM_LEN = 12,
    CLIENT_ID_LEN = 26,
    NAME_LEN_MAX = 255, /* bytes of UTF-8, like every length here */
    DESCRIPTION_LEN_MAX = 1000,
    GRANTS_MAX = 256,
    CREDENTIALS_MAX = 16,
    TOKEN_TTL_SECONDS_MAX = 86400,
};
