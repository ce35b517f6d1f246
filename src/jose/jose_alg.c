/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/jose_alg.h"

const struct jose_alg_row jose_algs[JOSE_ALG_COUNT] = {
    [JOSE_RS256] = {SPAN_INIT("RS256"), JOSE_RSA},
    [JOSE_PS256] = {SPAN_INIT("PS256"), JOSE_RSA},
    [JOSE_ES256] = {SPAN_INIT("ES256"), JOSE_EC_P256},
    [JOSE_EDDSA] = {SPAN_INIT("EdDSA"), JOSE_OKP_ED25519},
};

bool jose_alg_find(struct span name, enum jose_alg *ret_alg)
{
    if (span_equal(name, SPAN("Ed25519"))) {
        *ret_alg = JOSE_EDDSA;
        return true;
    }
    for (unsigned alg = 0; alg < JOSE_ALG_COUNT; alg++) {
        if (span_equal(name, jose_algs[alg].name)) {
            *ret_alg = (enum jose_alg)alg;
            return true;
        }
    }
    return false;
}
