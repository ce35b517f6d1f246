/* SPDX-License-Identifier: Apache-2.0 */
/* The examples of RFC 7520 and RFC 8037 as files. Each has a row that says what must come out, and
 * a file without a row fails: most are refused, since they use what we do not have. */
#include "codec/json.h"
#include "jose/jws.h"
#include "jose_fixture.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

enum { ARENA_BYTES = 1 << 18 };

struct key_row {
    const char *file;
    enum jose_alg fallback;
    enum status parse;
};

static const struct key_row key_rows[] = {
    {"3_1.ec_public_key.json", JOSE_ES256, UNSUPPORTED},  /* P-521 */
    {"3_2.ec_private_key.json", JOSE_ES256, UNSUPPORTED}, /* P-521 */
    {"3_3.rsa_public_key.json", JOSE_RS256, OK},
    {"3_4.rsa_private_key.json", JOSE_RS256, OK}, /* its public members */
};

struct signature_row {
    const char *file;
    enum jose_alg fallback;
    enum status parse;  /* of the key */
    enum status split;  /* of the compact form; STATUS_COUNT: there is none */
    enum status verify; /* STATUS_COUNT: not reached */
};

static const struct signature_row signature_rows[] = {
    {"4_1.rsa_v15_signature.json", JOSE_RS256, OK, OK, OK},
    {"4_2.rsa-pss_signature.json", JOSE_PS256, OK, UNSUPPORTED, STATUS_COUNT},        /* PS384 */
    {"4_3.ecdsa_signature.json", JOSE_ES256, UNSUPPORTED, UNSUPPORTED, STATUS_COUNT}, /* ES512 */
    {"4_4.hmac-sha2_integrity_protection.json", JOSE_RS256, UNSUPPORTED, UNSUPPORTED, STATUS_COUNT},
    {"4_5.signature_with_detached_content.json", JOSE_RS256, UNSUPPORTED, UNSUPPORTED,
     STATUS_COUNT},
    {"4_6.protecting_specific_header_fields.json", JOSE_RS256, UNSUPPORTED, STATUS_COUNT,
     STATUS_COUNT},
    {"4_7.protecting_content_only.json", JOSE_RS256, UNSUPPORTED, STATUS_COUNT, STATUS_COUNT},
    {"4_8.multiple_signatures.json", JOSE_RS256, INVALID, STATUS_COUNT,
     STATUS_COUNT}, /* an array of keys */
    {"jws.json", JOSE_EDDSA, OK, OK, OK},
};

static json_t *read_file(const char *folder, const char *name)
{
    char path[4096];
    json_t *json = NULL;
    struct err err = {0};
    AUTO(buf) struct buf text;
    buf_init(&text, 1 << 20);
    (void)snprintf(path, sizeof path, VECTORS_DIR "/jose/%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    for (int byte = fgetc(file); byte != EOF; byte = fgetc(file))
        buf_byte(&text, (char)byte);
    (void)fclose(file);
    assert_int_equal(json_parse(buf_span(&text), &json_limits_default, &json, &err), OK);
    return json;
}

static enum status parse_key(const json_t *json, enum jose_alg fallback, struct jwk **ret_key)
{
    char *text = json_dumps(json, JSON_COMPACT);
    assert_non_null(text);
    enum status status = jwk_parse(span_cstr(text), fallback, ret_key, NULL);
    free(text);
    return status;
}

/* J13: no JSON serialisation is a token. */
static void assert_not_a_token(const json_t *json)
{
    struct arena arena;
    struct jws jws;
    char *text = json_dumps(json, JSON_COMPACT);
    assert_non_null(text);
    arena_init(&arena, ARENA_BYTES);
    assert_int_equal(jws_split(span_cstr(text), &arena, &jws, NULL), INVALID);
    arena_done(&arena);
    free(text);
}

static void check_compact(const json_t *example, const struct signature_row *row,
                          const struct jwk *key)
{
    struct arena arena;
    struct jws jws;
    arena_init(&arena, ARENA_BYTES);
    const json_t *output = json_object_get(example, "output");
    const json_t *compact = json_object_get(output, "compact");
    assert_int_equal(json_is_string(compact), row->split != STATUS_COUNT);
    if (row->split != STATUS_COUNT)
        assert_int_equal(jws_split(json_text(compact), &arena, &jws, NULL), row->split);
    if (row->verify != STATUS_COUNT) {
        struct span payload =
            json_text(json_object_get(json_object_get(example, "input"), "payload"));
        assert_int_equal(span_compare(jws.payload, payload), 0);
        assert_int_equal(jws_verify(&jws, key, NULL), row->verify);
    }
    assert_not_a_token(json_object_get(output, "json"));
    if (json_object_get(output, "json_flat") != NULL)
        assert_not_a_token(json_object_get(output, "json_flat"));
    arena_done(&arena);
}

static void signatures_come_out_as_expected(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(signature_rows); i++) {
        const struct signature_row *row = &signature_rows[i];
        const char *folder = strcmp(row->file, "jws.json") == 0 ? "curve25519" : "jws";
        AUTO(json) json_t *example = read_file(folder, row->file);
        AUTO(jwk) struct jwk *key = NULL;
        print_message("%s\n", row->file);
        const json_t *input = json_object_get(example, "input");
        assert_int_equal(parse_key(json_object_get(input, "key"), row->fallback, &key), row->parse);
        check_compact(example, row, key);
    }
}

static void keys_come_out_as_expected(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(key_rows); i++) {
        AUTO(json) json_t *json = read_file("jwk", key_rows[i].file);
        AUTO(jwk) struct jwk *key = NULL;
        print_message("%s\n", key_rows[i].file);
        assert_int_equal(parse_key(json, key_rows[i].fallback, &key), key_rows[i].parse);
        if (key != NULL)
            assert_span_equal(jwk_kid(key), "bilbo.baggins@hobbiton.example");
    }
}

/* 7638-03: the private key's thumbprint is the public key's. */
static void both_halves_have_one_thumbprint(void **state)
{
    (void)state;
    AUTO(json) json_t *public_json = read_file("jwk", "3_3.rsa_public_key.json");
    AUTO(json) json_t *private_json = read_file("jwk", "3_4.rsa_private_key.json");
    AUTO(jwk) struct jwk *public_key = NULL;
    AUTO(jwk) struct jwk *private_key = NULL;
    char first[JWK_THUMBPRINT_LEN];
    char second[JWK_THUMBPRINT_LEN];
    assert_int_equal(parse_key(public_json, JOSE_RS256, &public_key), OK);
    assert_int_equal(parse_key(private_json, JOSE_RS256, &private_key), OK);
    jwk_thumbprint(public_key, first);
    jwk_thumbprint(private_key, second);
    assert_memory_equal(first, second, sizeof first);
}

static bool has_row(const char *file)
{
    for (size_t i = 0; i < ARRAY_LEN(key_rows); i++) {
        if (strcmp(key_rows[i].file, file) == 0)
            return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(signature_rows); i++) {
        if (strcmp(signature_rows[i].file, file) == 0)
            return true;
    }
    return false;
}

static void every_file_has_a_row(void **state)
{
    (void)state;
    const char *folders[] = {"curve25519", "jwk", "jws"};
    size_t files = 0;
    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        char path[4096];
        (void)snprintf(path, sizeof path, VECTORS_DIR "/jose/%s", folders[i]);
        DIR *folder = opendir(path);
        assert_non_null(folder);
        for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
            if (entry->d_name[0] == '.')
                continue;
            if (!has_row(entry->d_name))
                fail_msg("%s has no row", entry->d_name);
            files++;
        }
        (void)closedir(folder);
    }
    assert_int_equal(files, ARRAY_LEN(key_rows) + ARRAY_LEN(signature_rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_come_out_as_expected),
        cmocka_unit_test(both_halves_have_one_thumbprint),
        cmocka_unit_test(signatures_come_out_as_expected),
        cmocka_unit_test(every_file_has_a_row),
    };
    return RUN_TESTS(tests);
}
