/* SPDX-License-Identifier: Apache-2.0 */
#include "oauth/oauth_metadata.h"

#include "codec/base64url.h"
#include "crypto/digest.h"
#include "jose/jwk.h"
#include "oauth/oauth_error.h"
#include "web/app.h"
#include "web/reply.h"

enum { ETAG_BYTES = 12 };

void oauth_etag_write(struct span document, struct buf *out)
{
    unsigned char digest[SHA256_BYTES];
    sha256(document, digest);
    buf_byte(out, '"');
    base64url_write(out, span_of(digest, ETAG_BYTES));
    buf_byte(out, '"');
}

static void write_list(struct json_writer *writer, struct span name, const char *const *values)
{
    json_name(writer, name);
    json_array_open(writer);
    for (const char *const *value = values; *value != NULL; value++)
        json_write_text(writer, span_cstr(*value));
    json_array_close(writer);
}

static void write_url(struct json_writer *writer, struct span name, struct span issuer,
                      const char *path)
{
    char url[1024];
    struct buf text = {.data = url, .capacity = sizeof url, .limit = sizeof url};
    buf_put(&text, issuer);
    buf_put(&text, span_cstr(path));
    if (!buf_ok(&text)) {
        writer->out->has_failed = true;
        return;
    }
    json_member_text(writer, name, buf_span(&text));
}

/* What OpenID's readers take for the algorithms of tokens. RS256 is there whatever the keys are:
 * OpenID Connect Discovery 1.0 §3 demands it. */
static void write_algs(struct json_writer *writer, const struct jwks *keys)
{
    bool is_listed[JOSE_ALG_COUNT] = {[JOSE_RS256] = true};
    for (size_t i = 0; i < jwks_count(keys); i++)
        is_listed[jwk_alg(jwks_at(keys, i))] = true;
    json_name(writer, SPAN("id_token_signing_alg_values_supported"));
    json_array_open(writer);
    for (size_t alg = 0; alg < JOSE_ALG_COUNT; alg++) {
        if (is_listed[alg])
            json_write_text(writer, jose_algs[alg].name);
    }
    json_array_close(writer);
}

void oauth_metadata_write(const struct oauth_metadata *metadata, struct buf *out)
{
    static const char *const grant_types[] = {"client_credentials", NULL};
    static const char *const none[] = {NULL};
    static const char *const auth_methods[] = {"client_secret_basic", "client_secret_post", NULL};
    static const char *const subject_types[] = {"public", NULL};
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_object_open(&writer);
    json_member_text(&writer, SPAN("issuer"), metadata->issuer);
    if (metadata->has_authorization_endpoint)
        write_url(&writer, SPAN("authorization_endpoint"), metadata->issuer, "/oauth2/authorize");
    write_url(&writer, SPAN("token_endpoint"), metadata->issuer, "/oauth2/token");
    write_url(&writer, SPAN("introspection_endpoint"), metadata->issuer, "/oauth2/introspect");
    write_url(&writer, SPAN("revocation_endpoint"), metadata->issuer, "/oauth2/revoke");
    write_url(&writer, SPAN("jwks_uri"), metadata->issuer, "/.well-known/jwks.json");
    write_list(&writer, SPAN("grant_types_supported"), grant_types);
    /* Required by RFC 8414 §2 although there is none: the document's readers demand the member. */
    write_list(&writer, SPAN("response_types_supported"), none);
    write_list(&writer, SPAN("token_endpoint_auth_methods_supported"), auth_methods);
    write_list(&writer, SPAN("introspection_endpoint_auth_methods_supported"), auth_methods);
    write_list(&writer, SPAN("revocation_endpoint_auth_methods_supported"), auth_methods);
    /* For readers of the OpenID locations, which refuse a document without them (RFC 8414 §5). */
    write_list(&writer, SPAN("subject_types_supported"), subject_types);
    write_algs(&writer, metadata->keys);
    json_object_close(&writer);
}

void oauth_authorize(struct exchange *x)
{
    oauth_fail(x, OAUTH_UNSUPPORTED_RESPONSE_TYPE,
               "No response type exists here: application clients use "
               "grant_type=client_credentials at the token endpoint");
}

/* RFC 9110 §13.1.2: "*", or our tag among those listed; a weak one matches too. */
static bool has_same_etag(const struct exchange *x, struct span etag)
{
    struct span value;
    if (exchange_header(x, SPAN("if-none-match"), &value) != OK)
        return false;
    if (span_equal(value, SPAN("*")))
        return true;
    bool goes_on = true;
    while (goes_on) {
        struct span tag;
        goes_on = span_cut(&value, ',', &tag);
        tag = span_trim(tag);
        if (span_starts(tag, SPAN("W/")))
            tag = span_from(tag, 2);
        if (span_equal(tag, etag))
            return true;
    }
    return false;
}

static void serve(struct exchange *x, struct span document, struct span etag)
{
    if (has_same_etag(x, etag))
        reply_empty(x, 304);
    else
        reply_document(x, SPAN("application/json"), document);
    reply_header(x, SPAN("Cache-Control"), SPAN("public, max-age=300"));
    reply_header(x, SPAN("ETag"), etag);
}

void oauth_metadata(struct exchange *x)
{
    serve(x, x->app->metadata_json, x->app->metadata_etag);
}

void oauth_jwks(struct exchange *x)
{
    serve(x, x->app->jwks_json, x->app->jwks_etag);
}
