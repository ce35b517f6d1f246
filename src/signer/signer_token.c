/* SPDX-License-Identifier: Apache-2.0 */
/* Access tokens (RFC 9068): the signer checks the client's record and the presented secret, and
 * writes every claim itself; it never signs bytes that it is handed. */
#include "codec/base64url.h"
#include "jose/jose_sign.h"
#include "jose/jwt.h"
#include "log/log.h"
#include "signer/signer_internal.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { TOKEN_ID_BYTES = 16 };

struct verdict {
    bool is_authentic; /* the record is one that we made the MAC of */
    bool is_genuine;   /* the secret is theirs */
    bool is_usable;    /* and principal and credential are on */
};

static enum credential_kind credential_of(enum principal_kind kind)
{
    return kind == PRINCIPAL_APP_CLIENT ? CREDENTIAL_CLIENT_SECRET : CREDENTIAL_API_KEY;
}

/* Every check is made, whichever of them fails, and the secret of a credential that is not there is
 * compared too: the time says nothing about which was wrong (T17). */
static struct verdict examine(struct signer_worker *worker, const struct signing_request *request,
                              int64_t now, struct record *ret_record)
{
    static const unsigned char nothing[CREDENTIAL_HASH_BYTES] = {0};
    struct record record = {0};
    unsigned char mac[SHA256_BYTES];
    signer_mac_record(worker, request->token.record, mac);
    bool is_authentic = ct_equal(span_of(mac, sizeof mac), request->token.record_mac);
    is_authentic &= record_read(request->token.record, &record, NULL) == OK;

    struct record_credential credential = {.hash = span_of(nothing, sizeof nothing),
                                           .kind = CREDENTIAL_KIND_COUNT};
    for (size_t i = 0; i < record.credential_count; i++) {
        if (span_equal(record.credentials[i].id, request->token.credential_id))
            credential = record.credentials[i];
    }
    bool is_ours = credential.kind == credential_of(record.kind);
    bool is_current =
        credential.retired_at == 0 && (credential.expires_at == 0 || now < credential.expires_at);

    signer_hash_secret(worker, record.account_id, record.id, request->token.secret, worker->hash);
    bool is_secret = ct_equal(span_of(worker->hash, sizeof worker->hash), credential.hash);
    *ret_record = record;
    bool is_genuine = is_secret & is_ours;
    return (struct verdict){.is_authentic = is_authentic,
                            .is_genuine = is_genuine,
                            .is_usable = is_genuine & is_current & record.is_enabled};
}

/* The record's life, else the configured one; a wish only shortens it. */
static int64_t life_of(const struct signer *signer, const struct record *record, int64_t wished)
{
    int64_t life =
        record->token_ttl_seconds > 0 ? record->token_ttl_seconds : signer->token_ttl_seconds;
    if (wished > 0 && wished < life)
        life = wished;
    return life < TOKEN_TTL_SECONDS_MAX ? life : TOKEN_TTL_SECONDS_MAX;
}

/* 128 random bits as base64url, into the worker's id. */
static struct span make_token_id(struct signer_worker *worker)
{
    static_assert((int)SIGNER_RANDOM_BYTES % (int)TOKEN_ID_BYTES == 0, "no id from two draws");
    if (worker->random_left == 0) {
        crypto_random(worker->random, sizeof worker->random);
        worker->random_left = sizeof worker->random;
    }
    unsigned char *random = worker->random + sizeof worker->random - worker->random_left;
    worker->random_left -= TOKEN_ID_BYTES;
    struct buf text = {
        .data = worker->id, .capacity = sizeof worker->id, .limit = sizeof worker->id};
    base64url_write(&text, span_of(random, TOKEN_ID_BYTES));
    wipe(random, TOKEN_ID_BYTES);
    return buf_span(&text);
}

static void write_claims(struct signer_worker *worker, const struct signing_request *request,
                         const struct record *record, int64_t now, struct signing_reply *reply)
{
    int64_t life = life_of(worker->signer, record, request->token.ttl_seconds);
    struct jwt_claims claims = {
        .issuer = worker->signer->issuer,
        .subject = record->client_id,
        .client_id = record->client_id,
        .audiences = {request->token.audience},
        .audience_count = 1,
        .issued_at = now,
        .expires_at = now + life,
        .token_id = make_token_id(worker),
        .has_roles = true,
        .account_id = record->account_id,
        .credential_id = request->token.credential_id,
        .revision = request->token.revision,
    };
    for (unsigned role = 0; role < API_ROLE_COUNT; role++) {
        if ((record->api_roles >> role & 1) != 0)
            claims.roles[claims.role_count++] = api_role_names[role];
    }
    static_assert((int)API_ROLE_COUNT <= (int)JWT_ROLES_MAX, "every role fits");
    jwt_claims_write(&claims, &worker->text);
    reply->token.expires_in = life;
    reply->token.token_id = claims.token_id;
}

/* OK: the record is one of ours, and the secret is that of a principal and credential that are on.
 * FORBIDDEN: it is theirs, and they are off. */
static enum status judge(struct signer_worker *worker, const struct signing_request *request,
                         const struct signer_time *time, struct record *ret_record, struct err *err)
{
    if (worker->ring.pepper == NULL || worker->ring.record_mac == NULL ||
        worker->ring.signer == NULL)
        return fail(err, UNAVAILABLE, "not all keys are loaded");
    const struct verdict verdict = examine(worker, request, time->now, ret_record);
    if (!verdict.is_authentic)
        return fail(err, CORRUPT, "a client's record does not match its authentication code");
    if (verdict.is_usable)
        return OK;
    return verdict.is_genuine ? FORBIDDEN : UNAUTHENTICATED;
}

enum status signer_op_secret(struct signer_worker *worker, const struct signing_request *request,
                             const struct signer_time *time, struct signing_reply *reply,
                             struct err *err)
{
    struct record record;
    (void)reply;
    return judge(worker, request, time, &record, err);
}

enum status signer_op_token(struct signer_worker *worker, const struct signing_request *request,
                            const struct signer_time *time, struct signing_reply *reply,
                            struct err *err)
{
    struct record record;
    if (request->token.audience.len == 0 || request->token.revision < 0)
        return fail(err, INVALID,
                    "a token request without an audience, or with a negative revision");
    if (time->now_us < atomic_load_explicit(&worker->signer->held_until_us, memory_order_relaxed))
        return fail(err, UNAVAILABLE,
                    "the clock is behind the time of earlier tokens: set it, or `postern clock "
                    "accept`");
    enum status status = judge(worker, request, time, &record, err);
    if (status == FORBIDDEN)
        status = UNAUTHENTICATED; /* who asks for tokens learns nothing more */
    if (status == OK && record.kind != PRINCIPAL_APP_CLIENT)
        status = fail(err, UNAUTHENTICATED, "only clients obtain tokens");
    if (status != OK)
        return status;
    write_claims(worker, request, &record, time->now, reply);
    if (!buf_ok(&worker->text))
        return fail(err, INVALID, "the claims are too long");
    status = jose_sign(worker->ring.signer, SPAN("at+jwt"), buf_span(&worker->text),
                       &worker->output, err);
    if (status == CORRUPT) {
        log_error("%s; ending", err->detail);
        abort();
    }
    if (status == OK && worker->output.len > SIGNING_TOKEN_LEN_MAX)
        return fail(err, INVALID, "the token is longer than %d bytes", SIGNING_TOKEN_LEN_MAX);
    reply->token.token = buf_span(&worker->output);
    return status;
}
