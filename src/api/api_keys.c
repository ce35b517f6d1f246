/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_keys.h"

#include "codec/json.h"
#include "jose/jwk.h"
#include "web/app.h"
#include "web/reply.h"

enum { PEM_BYTES_MAX = 4096, JWK_BYTES_MAX = 4096 };

static void write_key(struct exchange *x, struct json_writer *writer, const struct jwk *key,
                      bool is_signing)
{
    struct buf jwk;
    struct buf pem;
    buf_init_arena(&jwk, &x->arena, JWK_BYTES_MAX);
    buf_init_arena(&pem, &x->arena, PEM_BYTES_MAX);
    jwk_write(key, &jwk);
    if (jwk_write_pem(key, &pem) != OK || !buf_ok(&jwk)) {
        writer->out->has_failed = true;
        return;
    }
    json_object_open(writer);
    json_member_text(writer, SPAN("kid"), jwk_kid(key));
    json_member_text(writer, SPAN("alg"), jose_algs[jwk_alg(key)].name);
    json_member_bool(writer, SPAN("is_signing"), is_signing);
    json_name(writer, SPAN("jwk"));
    json_write_raw(writer, buf_span(&jwk));
    json_member_text(writer, SPAN("pem"), buf_span(&pem));
    json_object_close(writer);
}

void api_keys_list(struct exchange *x)
{
    const struct jwks *keys = x->app->keys;
    struct json_writer writer = reply_json(x, 200);
    reply_header(x, SPAN("Cache-Control"), SPAN("no-store"));
    json_object_open(&writer);
    json_name(&writer, SPAN("keys"));
    json_array_open(&writer);
    for (size_t i = 0; i < jwks_count(keys); i++)
        write_key(x, &writer, jwks_at(keys, i), i == 0);
    json_array_close(&writer);
    json_object_close(&writer);
}
