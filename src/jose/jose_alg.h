/* SPDX-License-Identifier: Apache-2.0 */
/* The signature algorithms, one row each (RFC 7518 §3, RFC 8037 §3.1). "none" and HMAC do not
 * exist. */
#pragma once

#include "base/span.h"

enum jose_alg { JOSE_RS256, JOSE_PS256, JOSE_ES256, JOSE_EDDSA, JOSE_ALG_COUNT };

enum jose_kty { JOSE_RSA, JOSE_EC_P256, JOSE_OKP_ED25519, JOSE_KTY_COUNT };

struct jose_alg_row {
    struct span name; /* the JOSE header's alg */
    enum jose_kty kty;
};

extern const struct jose_alg_row jose_algs[JOSE_ALG_COUNT];

/* Case-sensitive (RFC 7515 §4.1.1); "Ed25519" (RFC 9864) reads as JOSE_EDDSA. False when unknown.
 */
bool jose_alg_find(struct span name, enum jose_alg *ret_alg);

enum { JOSE_SIGNATURE_BYTES_MAX = 1024 }; /* RSA of 8192 bits */
