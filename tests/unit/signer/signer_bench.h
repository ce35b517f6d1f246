/* SPDX-License-Identifier: Apache-2.0 */
/* What the signer's tests stand on: a client with a protected secret, its record and MAC, and keys
 * that were made, "stored" and loaded; over any way of asking the signer. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "crypto/digest.h"
#include "signing/record.h"
#include "signing/signing.h"

#include "../unit.h"

#define ISSUER   "https://auth.example.com"
#define AUDIENCE ISSUER "/v2"
#define SECRET   "pst_cs_0123456789abAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAACCCCCC"

static const unsigned char bench_kek[32] = "a key-encryption key of 32 bytes";

/* Asks, and answers with the reply's status; spans of the reply are in the arena. */
typedef enum status bench_ask(void *context, const struct signing_request *request,
                              struct arena *arena, struct signing_reply *ret_reply);

struct bench {
    bench_ask *ask;
    void *context;
    struct arena arena;
    struct span public_jwk;
};

static inline enum status bench_call(struct bench *bench, const struct signing_request *request,
                                     struct signing_reply *ret_reply)
{
    return bench->ask(bench->context, request, &bench->arena, ret_reply);
}

static inline struct signing_request bench_load_of(enum signing_key_kind kind, struct span alg,
                                                   const struct signing_reply *made)
{
    return (struct signing_request){.op = SIGNING_KEY_LOAD,
                                    .key_load = {.kind = kind,
                                                 .alg = alg,
                                                 .id = made->key_make.id,
                                                 .sealed = made->key_make.sealed,
                                                 .check_value = made->key_make.check_value,
                                                 .is_active = true}};
}

static inline struct signing_reply bench_make_key(struct bench *bench, enum signing_key_kind kind,
                                                  struct span alg)
{
    struct signing_reply made;
    const struct signing_request make = {.op = SIGNING_KEY_MAKE, .key_make = {kind, alg}};
    assert_int_equal(bench_call(bench, &make, &made), OK);
    return made;
}

static inline void bench_load_keys(struct bench *bench, struct span alg)
{
    for (unsigned kind = 0; kind < SIGNING_KEY_KIND_COUNT; kind++) {
        struct signing_reply reply;
        struct span key_alg = kind == SIGNING_KEY_TOKEN ? alg : SPAN("");
        const struct signing_reply made = bench_make_key(bench, kind, key_alg);
        const struct signing_request load = bench_load_of(kind, key_alg, &made);
        if (kind == SIGNING_KEY_TOKEN)
            bench->public_jwk = made.key_make.public_jwk;
        assert_int_equal(bench_call(bench, &load, &reply), OK);
    }
}

/* An enabled client with two roles and one credential for SECRET. */
static inline struct principal bench_client(struct bench *bench)
{
    struct principal client = {
        .id = SPAN("app_0123456789ab"),
        .account_id = SPAN("acc_0123456789ab"),
        .client_id = SPAN("abcdefghijklmnopqrstuvwxyz"),
        .is_enabled = true,
        .version = 1,
        .api_roles = 1U << API_ROLE_OWNER | 1U << API_ROLE_CORPUS_VIEWER,
        .credential_count = 1,
    };
    struct signing_reply reply;
    const struct signing_request protect = {.op = SIGNING_PROTECT,
                                            .protect = {.account_id = client.account_id,
                                                        .owner_id = client.id,
                                                        .credential_id = SPAN("crd_0123456789ab"),
                                                        .secret = SPAN(SECRET),
                                                        .keep_sealed = true}};
    assert_int_equal(bench_call(bench, &protect, &reply), OK);
    client.credentials = arena_zalloc(&bench->arena, 2, sizeof *client.credentials);
    assert_non_null(client.credentials);
    client.credentials[0] = (struct credential){.id = SPAN("crd_0123456789ab"),
                                                .kind = CREDENTIAL_CLIENT_SECRET,
                                                .hash = reply.protect.hash,
                                                .sealed = reply.protect.sealed};
    return client;
}

static inline struct span bench_record(struct bench *bench, const struct principal *client)
{
    unsigned char digest[RECORD_DIGEST_BYTES];
    struct buf grants;
    struct buf record;
    buf_init_arena(&grants, &bench->arena, RECORD_LEN_MAX);
    buf_init_arena(&record, &bench->arena, RECORD_LEN_MAX);
    record_write_grants(client, &grants);
    sha256(buf_span(&grants), digest);
    record_write(client, digest, &record);
    assert_true(buf_ok(&record));
    return buf_span(&record);
}

/* A token request for the client as it is, its record authenticated, with the right secret. */
static inline struct signing_request bench_token(struct bench *bench,
                                                 const struct principal *client)
{
    struct signing_reply reply;
    struct span record = bench_record(bench, client);
    const struct signing_request mac = {.op = SIGNING_RECORD_MAC, .record_mac = {record}};
    assert_int_equal(bench_call(bench, &mac, &reply), OK);
    return (struct signing_request){.op = SIGNING_TOKEN,
                                    .token = {.record = record,
                                              .record_mac = reply.record_mac.mac,
                                              .credential_id = SPAN("crd_0123456789ab"),
                                              .secret = SPAN(SECRET),
                                              .audience = SPAN(AUDIENCE),
                                              .revision = 42}};
}
