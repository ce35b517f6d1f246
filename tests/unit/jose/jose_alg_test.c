/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/jose_alg.h"

#include "unit.h"

static void each_row_is_found_by_its_name(void **state)
{
    (void)state;
    const struct {
        const char *name;
        enum jose_kty kty;
    } expected[JOSE_ALG_COUNT] = {
        [JOSE_RS256] = {"RS256", JOSE_RSA},
        [JOSE_PS256] = {"PS256", JOSE_RSA},
        [JOSE_ES256] = {"ES256", JOSE_EC_P256},
        [JOSE_EDDSA] = {"EdDSA", JOSE_OKP_ED25519},
    };
    for (unsigned i = 0; i < JOSE_ALG_COUNT; i++) {
        enum jose_alg alg = JOSE_ALG_COUNT;
        assert_span_equal(jose_algs[i].name, expected[i].name);
        assert_int_equal(jose_algs[i].kty, expected[i].kty);
        assert_true(jose_alg_find(span_cstr(expected[i].name), &alg));
        assert_int_equal(alg, i);
    }
}

static void rfc_9864_name_of_eddsa_is_read(void **state)
{
    (void)state;
    enum jose_alg alg = JOSE_ALG_COUNT;
    assert_true(jose_alg_find(SPAN("Ed25519"), &alg));
    assert_int_equal(alg, JOSE_EDDSA);
}

/* J01, J02: no spelling of none, no HMAC; RFC 7515 §4.1.1: case matters. */
static void nothing_else_is_found(void **state)
{
    (void)state;
    const struct span names[] = {
        SPAN("none"),    SPAN("None"),   SPAN("nOnE"),    SPAN("none "),  SPAN(""),
        SPAN("HS256"),   SPAN("HS512"),  SPAN("RS384"),   SPAN("ES256K"), SPAN("ES512"),
        SPAN("rs256"),   SPAN("RS256 "), SPAN("RS25"),    SPAN("RS2567"), SPAN("eddsa"),
        SPAN("ed25519"), SPAN("Ed448"),  SPAN("RS256\0"), SPAN("dir"),    SPAN("RSA-OAEP"),
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        enum jose_alg alg = JOSE_ALG_COUNT;
        assert_false(jose_alg_find(names[i], &alg));
        assert_int_equal(alg, JOSE_ALG_COUNT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row_is_found_by_its_name),
        cmocka_unit_test(rfc_9864_name_of_eddsa_is_read),
        cmocka_unit_test(nothing_else_is_found),
    };
    return RUN_TESTS(tests);
}
