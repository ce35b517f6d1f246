/* SPDX-License-Identifier: Apache-2.0 */
/* A request and a reply of every operation, all fields filled. */
#pragma once

#include "signing/signing.h"

static const struct signing_request sample_requests[SIGNING_OP_COUNT] = {
    [SIGNING_PING] = {.op = SIGNING_PING},
    [SIGNING_KEY_MAKE] = {.op = SIGNING_KEY_MAKE,
                          .key_make = {.kind = SIGNING_KEY_TOKEN, .alg = SPAN_INIT("RS256")}},
    [SIGNING_KEY_LOAD] = {.op = SIGNING_KEY_LOAD,
                          .key_load = {.kind = SIGNING_KEY_RECORD_MAC,
                                       .alg = SPAN_INIT("ES256"),
                                       .id = SPAN_INIT("record_mac"),
                                       .sealed = SPAN_INIT("\x01sealed\0box"),
                                       .check_value = SPAN_INIT("0123456789abcdef"),
                                       .is_active = true}},
    [SIGNING_TOKEN] = {.op = SIGNING_TOKEN,
                       .token = {.record = SPAN_INIT("the record"),
                                 .record_mac = SPAN_INIT("0123456789abcdef0123456789abcdef"),
                                 .credential_id = SPAN_INIT("crd_0123456789ab"),
                                 .secret = SPAN_INIT("pst_cs_secret"),
                                 .audience = SPAN_INIT("https://auth.example.com/v2"),
                                 .ttl_seconds = 600,
                                 .revision = INT64_MAX}},
    [SIGNING_PROTECT] = {.op = SIGNING_PROTECT,
                         .protect = {.account_id = SPAN_INIT("acc_1"),
                                     .owner_id = SPAN_INIT("app_1"),
                                     .credential_id = SPAN_INIT("crd_1"),
                                     .secret = SPAN_INIT("pst_cs_secret"),
                                     .keep_sealed = true}},
    [SIGNING_UNSEAL] = {.op = SIGNING_UNSEAL,
                        .unseal = {.account_id = SPAN_INIT("acc_1"),
                                   .owner_id = SPAN_INIT("app_1"),
                                   .credential_id = SPAN_INIT("crd_1"),
                                   .sealed = SPAN_INIT("box")}},
    [SIGNING_RECORD_MAC] = {.op = SIGNING_RECORD_MAC,
                            .record_mac = {.record = SPAN_INIT("the record")}},
};

static const struct signing_reply sample_replies[SIGNING_OP_COUNT] = {
    [SIGNING_PING] = {.op = SIGNING_PING},
    [SIGNING_KEY_MAKE] = {.op = SIGNING_KEY_MAKE,
                          .key_make = {.id = SPAN_INIT("kid"),
                                       .public_jwk = SPAN_INIT("{\"kty\":\"RSA\"}"),
                                       .sealed = SPAN_INIT("box"),
                                       .check_value = SPAN_INIT("0123456789abcdef")}},
    [SIGNING_KEY_LOAD] = {.op = SIGNING_KEY_LOAD},
    [SIGNING_TOKEN] = {.op = SIGNING_TOKEN,
                       .token = {.token = SPAN_INIT("a.b.c"),
                                 .expires_in = 1800,
                                 .token_id = SPAN_INIT("jti")}},
    [SIGNING_PROTECT] = {.op = SIGNING_PROTECT,
                         .protect = {.hash = SPAN_INIT("\x01hash"), .sealed = SPAN_INIT("box")}},
    [SIGNING_UNSEAL] = {.op = SIGNING_UNSEAL, .unseal = {.secret = SPAN_INIT("pst_cs_secret")}},
    [SIGNING_RECORD_MAC] = {.op = SIGNING_RECORD_MAC, .record_mac = {.mac = SPAN_INIT("mac")}},
};
