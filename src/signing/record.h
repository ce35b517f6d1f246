/* SPDX-License-Identifier: Apache-2.0 */
/* The authenticated record of a principal: what the signer's MAC covers, in one canonical encoding.
 *
 * The front keeps the encoded bytes beside the principal and sends them as they are; the signer
 * checks the MAC over those bytes before it reads them. So an UPDATE by hand of status, roles,
 * grants, life or hash yields no token. Encoding (base/wire.h): u8 version 1, u8 kind (1 client,
 * 2 API key, 3 user), account id, id, client_id (of personal API keys: the user's id), u8
 * is_enabled, i64 version, i64 token_ttl_seconds, u32 api_roles, 32 bytes of grants digest, u8
 * credential count, then per credential, by ascending id: id, u8 kind, hash, i64 expires_at, i64
 * retired_at. Lists are sorted, so the order in which a store hands them out does not matter; a
 * corpus grant is its corpus id (not the key) and its role. */
#pragma once

#include "base/attr.h"
#include "base/span.h"
#include "base/status.h"
#include "model/principal.h"

struct buf;

enum { RECORD_DIGEST_BYTES = 32, RECORD_MAC_BYTES = 32, RECORD_LEN_MAX = 4096 };

struct record_credential {
    struct span id;
    enum credential_kind kind;
    struct span hash;
    int64_t expires_at;
    int64_t retired_at;
};

struct record {
    enum principal_kind kind;
    struct span account_id;
    struct span id;
    struct span client_id; /* of personal API keys: user_id */
    bool is_enabled;
    int64_t version;
    int64_t token_ttl_seconds;
    api_role_set api_roles;
    struct span grants_digest;
    struct record_credential credentials[CREDENTIALS_MAX];
    size_t credential_count;
};

/* grants_digest: SHA-256 over what record_write_grants() writes, computed by the caller (this
 * module knows no crypto). Both fail out when something is longer than record_read() takes, or
 * there are more than GRANTS_MAX grants of a kind or CREDENTIALS_MAX credentials. */
void record_write_grants(const struct principal *principal, struct buf *out);
void record_write(const struct principal *principal,
                  const unsigned char grants_digest[static RECORD_DIGEST_BYTES], struct buf *out);

/* INVALID: not such an encoding, to the last byte. Spans borrow bytes. */
enum status record_read(struct span bytes, struct record *ret_record, struct err *err) MUST_USE;
