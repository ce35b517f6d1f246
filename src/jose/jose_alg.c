/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/jose_alg.h"

#include <stddef.h>

const struct jose_alg_row jose_algs[JOSE_ALG_COUNT] = {
    [JOSE_RS256] = {.name = SPAN_INIT("RS256"), .kty = JOSE_RSA},
    [JOSE_PS256] = {.name = SPAN_INIT("PS256"), .kty = JOSE_RSA},
    [JOSE_ES256] = {.name = SPAN_INIT("ES256"), .kty = JOSE_EC_P256},
    [JOSE_EDDSA] = {.name = SPAN_INIT("EdDSA"), .kty = JOSE_OKP_ED25519},
};

bool jose_alg_find(struct span name, enum jose_alg *ret_alg)
{
    /* RFC 9864 §2.2: the fully specified name of what RFC 8037 called EdDSA. */
    if (span_equal(name, SPAN("Ed25519"))) {
        *ret_alg = JOSE_EDDSA;
        return true;
    }
    for (size_t i = 0; i < JOSE_ALG_COUNT; i++) {
        if (span_equal(name, jose_algs[i].name)) {
            *ret_alg = (enum jose_alg)i;
            return true;
        }
    }
    return false;
}
