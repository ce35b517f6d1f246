/* SPDX-License-Identifier: Apache-2.0 */
/* Says of each token what the product says: lines of a key set and a token, both base64url, come
 * in; "accepted" or "refused" goes out. For tests/differential/jwt.test.ts, which asks another
 * implementation the same. */
#include "base/arena.h"
#include "codec/base64url.h"
#include "jose/jwk.h"
#include "jose/jwt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_BYTES_MAX = 1 << 22 };

static bool is_accepted(struct span line, const struct jwt_rules *rules, struct arena *arena)
{
    struct span keys_text;
    struct span keys_json;
    struct span token;
    struct jwks *keys;
    struct jwt_claims claims;
    if (!span_cut(&line, '\t', &keys_text) ||
        base64url_decode(keys_text, arena, &keys_json) != OK ||
        base64url_decode(line, arena, &token) != OK) {
        (void)fputs("verify-tokens: a line is not two base64url texts\n", stderr);
        exit(2);
    }
    if (jwks_parse(keys_json, &keys, NULL) != OK)
        return false;
    enum status status = jwt_access_token_check(token, keys, rules, arena, &claims, NULL);
    jwks_free(keys);
    return status == OK;
}

int main(int argc, char **argv)
{
    struct jwt_rules rules = {0};
    if (argc != 4 || !span_to_int64(span_cstr(argv[3]), &rules.now)) {
        (void)fputs("usage: verify-tokens ISSUER AUDIENCE NOW\n", stderr);
        return 2;
    }
    rules.issuer = span_cstr(argv[1]);
    rules.audience = span_cstr(argv[2]);
    char *line = NULL;
    size_t capacity = 0;
    ssize_t len;
    while ((len = getline(&line, &capacity, stdin)) > 0) {
        struct arena arena;
        arena_init(&arena, ARENA_BYTES_MAX);
        struct span text = span_first(span_of(line, (size_t)len), (size_t)len - 1);
        (void)puts(is_accepted(text, &rules, &arena) ? "accepted" : "refused");
        (void)fflush(stdout);
        arena_done(&arena);
    }
    free(line);
    return 0;
}
