/* SPDX-License-Identifier: Apache-2.0 */
/* What the operations share: the worker's insides and the texts that keys authenticate. */
#pragma once

#include "base/buf.h"
#include "crypto/digest.h"
#include "model/principal.h"
#include "signer/signer_ops.h"
#include "signing/record.h"

enum {
    SIGNER_CHECK_BYTES = 16,
    SIGNER_TOKEN_ID_LEN = 22,
    SIGNER_ID_LEN_MAX = 64,
    SIGNER_RANDOM_BYTES = 512,
    SIGNER_MARK_BYTES = 8 + SHA256_BYTES, /* microseconds, and their MAC */
};

struct signer_worker {
    struct signer *signer;
    struct signer_ring ring;
    struct buf input;  /* what is hashed or sealed */
    struct buf text;   /* claims, public key */
    struct buf output; /* token, sealed box, opened secret */
    unsigned char hash[CREDENTIAL_HASH_BYTES];
    unsigned char mac[SHA256_BYTES];
    unsigned char check[SIGNER_CHECK_BYTES];
    unsigned char mark[SIGNER_MARK_BYTES];
    char id[SIGNER_ID_LEN_MAX];
    unsigned char random[SIGNER_RANDOM_BYTES]; /* for token ids: drawn at once, as a draw costs */
    size_t random_left;                        /* at its end; what was used is wiped */
};

typedef enum status signer_op(struct signer_worker *worker, const struct signing_request *request,
                              const struct signer_time *time, struct signing_reply *reply,
                              struct err *err);

signer_op signer_op_key_make; /* signer_key_ops.c */
signer_op signer_op_key_load; /* signer_key_ops.c */
signer_op signer_op_token;    /* signer_token.c */
signer_op signer_op_secret;
signer_op signer_op_protect;    /* signer_secret_ops.c */
signer_op signer_op_unseal;     /* signer_secret_ops.c */
signer_op signer_op_record_mac; /* signer_secret_ops.c */
signer_op signer_op_clock;      /* signer_clock_op.c */

/* The hash of a secret: version byte, then HMAC under the pepper over that byte and account, owner
 * and secret, each with its length. */
void signer_hash_secret(struct signer_worker *worker, struct span account_id, struct span owner_id,
                        struct span secret, unsigned char hash[static CREDENTIAL_HASH_BYTES]);

/* HMAC under the record key over a fixed text and the record's bytes. */
void signer_mac_record(struct signer_worker *worker, struct span record,
                       unsigned char mac[static SHA256_BYTES]);
