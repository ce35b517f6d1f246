/* SPDX-License-Identifier: Apache-2.0 */
#include "signing/record.h"

#include "base/wire.h"

#include <assert.h>
#include <stdlib.h>

enum {
    RECORD_VERSION = 1,
    GRANTS_VERSION = 1,
    ID_LEN_MAX = 64,
    HASH_LEN_MAX = 64,
    API_ROLES_ALL = (1 << API_ROLE_COUNT) - 1,
};

static_assert(3 * (4 + ID_LEN_MAX) + RECORD_DIGEST_BYTES + 24 +
                      CREDENTIALS_MAX * (4 + ID_LEN_MAX + 4 + HASH_LEN_MAX + 17) <=
                  RECORD_LEN_MAX,
              "the largest record fits");
static_assert(API_ROLE_COUNT <= 31, "every API role has its bit");

/* --- Writing. Lists are sorted: their order in the store says nothing and may change. --- */

/* What is read back is what may be written. */
static void write_text(struct buf *out, struct span text, size_t limit)
{
    if (text.len > limit)
        out->has_failed = true;
    wire_write_bytes(out, text);
}

static int compare_corpus_grants(const void *a, const void *b)
{
    const struct corpus_grant *const *left = a;
    const struct corpus_grant *const *right = b;
    int order = span_compare((*left)->corpus_id, (*right)->corpus_id);
    return order != 0 ? order : (int)(*left)->role - (int)(*right)->role;
}

static int compare_agent_grants(const void *a, const void *b)
{
    const struct agent_grant *const *left = a;
    const struct agent_grant *const *right = b;
    int order = span_compare((*left)->agent_key, (*right)->agent_key);
    return order != 0 ? order : (int)(*left)->role - (int)(*right)->role;
}

static int compare_credentials(const void *a, const void *b)
{
    const struct credential *const *left = a;
    const struct credential *const *right = b;
    return span_compare((*left)->id, (*right)->id);
}

void record_write_grants(const struct principal *principal, struct buf *out)
{
    const struct corpus_grant *corpora[GRANTS_MAX];
    const struct agent_grant *agents[GRANTS_MAX];
    size_t corpus_count = principal->corpus_grant_count;
    size_t agent_count = principal->agent_grant_count;
    if (corpus_count > GRANTS_MAX || agent_count > GRANTS_MAX) {
        out->has_failed = true;
        return;
    }
    for (size_t i = 0; i < corpus_count; i++)
        corpora[i] = &principal->corpus_grants[i];
    for (size_t i = 0; i < agent_count; i++)
        agents[i] = &principal->agent_grants[i];
    qsort(corpora, corpus_count, sizeof corpora[0], compare_corpus_grants);
    qsort(agents, agent_count, sizeof agents[0], compare_agent_grants);

    wire_write_u8(out, GRANTS_VERSION);
    wire_write_u32(out, (uint32_t)corpus_count);
    for (size_t i = 0; i < corpus_count; i++) {
        wire_write_bytes(out, corpora[i]->corpus_id);
        wire_write_u8(out, (uint8_t)corpora[i]->role);
    }
    wire_write_u32(out, (uint32_t)agent_count);
    for (size_t i = 0; i < agent_count; i++) {
        wire_write_bytes(out, agents[i]->agent_key);
        wire_write_u8(out, (uint8_t)agents[i]->role);
    }
}

static void write_credential(const struct credential *credential, struct buf *out)
{
    write_text(out, credential->id, ID_LEN_MAX);
    wire_write_u8(out, (uint8_t)credential->kind);
    write_text(out, credential->hash, HASH_LEN_MAX);
    wire_write_i64(out, credential->expires_at);
    wire_write_i64(out, credential->retired_at);
}

void record_write(const struct principal *principal,
                  const unsigned char grants_digest[static RECORD_DIGEST_BYTES], struct buf *out)
{
    const struct credential *credentials[CREDENTIALS_MAX];
    size_t count = principal->credential_count;
    if (count > CREDENTIALS_MAX) {
        out->has_failed = true;
        return;
    }
    for (size_t i = 0; i < count; i++)
        credentials[i] = &principal->credentials[i];
    qsort(credentials, count, sizeof credentials[0], compare_credentials);

    wire_write_u8(out, RECORD_VERSION);
    wire_write_u8(out, (uint8_t)(principal->kind + 1));
    write_text(out, principal->account_id, ID_LEN_MAX);
    write_text(out, principal->id, ID_LEN_MAX);
    write_text(out,
               principal->kind == PRINCIPAL_API_KEY ? principal->user_id : principal->client_id,
               ID_LEN_MAX);
    wire_write_u8(out, principal->is_enabled ? 1 : 0);
    wire_write_i64(out, principal->version);
    wire_write_i64(out, principal->token_ttl_seconds);
    wire_write_u32(out, principal->api_roles);
    buf_put(out, span_of(grants_digest, RECORD_DIGEST_BYTES));
    wire_write_u8(out, (uint8_t)count);
    for (size_t i = 0; i < count; i++)
        write_credential(credentials[i], out);
}

/* --- Reading --- */

static struct record_credential read_credential(struct wire_reader *reader)
{
    struct record_credential credential = {0};
    credential.id = wire_read_bytes(reader, ID_LEN_MAX);
    uint8_t kind = wire_read_u8(reader);
    if (kind < CREDENTIAL_KIND_COUNT)
        credential.kind = kind;
    else
        reader->has_failed = true;
    credential.hash = wire_read_bytes(reader, HASH_LEN_MAX);
    credential.expires_at = wire_read_i64(reader);
    credential.retired_at = wire_read_i64(reader);
    return credential;
}

enum status record_read(struct span bytes, struct record *ret_record, struct err *err)
{
    struct record record = {0};
    struct wire_reader reader = wire_reader_of(bytes);
    uint8_t version = wire_read_u8(&reader);
    uint8_t kind = wire_read_u8(&reader);
    record.kind = (enum principal_kind)(kind - 1);
    record.account_id = wire_read_bytes(&reader, ID_LEN_MAX);
    record.id = wire_read_bytes(&reader, ID_LEN_MAX);
    record.client_id = wire_read_bytes(&reader, ID_LEN_MAX);
    uint8_t is_enabled = wire_read_u8(&reader);
    record.is_enabled = is_enabled == 1;
    record.version = wire_read_i64(&reader);
    record.token_ttl_seconds = wire_read_i64(&reader);
    record.api_roles = wire_read_u32(&reader);
    record.grants_digest = wire_read_fixed(&reader, RECORD_DIGEST_BYTES);
    record.credential_count = wire_read_u8(&reader);
    if (version != RECORD_VERSION || kind < 1 || kind > PRINCIPAL_KIND_COUNT || is_enabled > 1 ||
        (record.api_roles & ~(api_role_set)API_ROLES_ALL) != 0 ||
        record.credential_count > CREDENTIALS_MAX || record.token_ttl_seconds < 0)
        return fail(err, INVALID, "not the encoding of a record");
    for (size_t i = 0; i < record.credential_count; i++)
        record.credentials[i] = read_credential(&reader);
    if (!wire_end(&reader))
        return fail(err, INVALID, "not the encoding of a record");
    *ret_record = record;
    return OK;
}
