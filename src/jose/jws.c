/* SPDX-License-Identifier: Apache-2.0 */
/* Without OpenSSL: the command-line client takes tokens apart and does not link it. */
#include "jose/jws.h"

#include "base/arena.h"
#include "codec/base64url.h"
#include "codec/json.h"
#include "jose/jwk.h"

static const struct json_limits header_limits = {.depth_max = 8, .members_max = 64};

struct parts {
    struct span header;
    struct span payload;
    struct span signature;
};

/* RFC 7515 §7.1: two dots, so not five parts as a JWE has, nor a JSON serialisation. */
static enum status cut(struct span text, struct parts *ret_parts, struct err *err)
{
    struct span rest = text;
    if (text.len > JWS_LEN_MAX)
        return fail(err, INVALID, "The token is longer than %d characters", JWS_LEN_MAX);
    bool has_dots = span_cut(&rest, '.', &ret_parts->header);
    has_dots = has_dots && span_cut(&rest, '.', &ret_parts->payload);
    ret_parts->signature = rest;
    if (!has_dots || span_find(rest, '.') != rest.len)
        return fail(err, INVALID, "The token does not have three parts");
    if (ret_parts->header.len == 0)
        return fail(err, INVALID, "The token has no header");
    if (ret_parts->header.len > base64url_encoded_len(JWS_HEADER_LEN_MAX))
        return fail(err, INVALID, "The header of the token is too long");
    if (ret_parts->signature.len > base64url_encoded_len(JOSE_SIGNATURE_BYTES_MAX))
        return fail(err, INVALID, "The signature of the token is too long");
    return OK;
}

static enum status decode(struct span text, struct arena *arena, struct span *ret_bytes,
                          struct err *err)
{
    enum status status = base64url_decode(text, arena, ret_bytes);
    if (status == NO_MEMORY)
        return fail(err, NO_MEMORY, "no memory for a token");
    if (status != OK)
        return fail(err, INVALID, "The token is not base64url");
    return OK;
}

/* An absent member is an empty text; the answer is a copy in the arena. */
static enum status read_text(const json_t *header, const char *name, struct arena *arena,
                             struct span *ret_text, struct err *err)
{
    const json_t *member = json_object_get(header, name);
    *ret_text = (struct span){0};
    if (member == NULL)
        return OK;
    if (!json_is_string(member))
        return fail(err, INVALID, "%s in the header of the token is not a string", name);
    *ret_text = arena_copy(arena, json_text(member));
    return ret_text->ptr == NULL ? fail(err, NO_MEMORY, "no memory for a token") : OK;
}

/* RFC 7515 §4.1.9: a media type, where "application/" may be left out. */
static struct span short_media_type(struct span type)
{
    const struct span prefix = SPAN("application/");
    return span_starts_nocase(type, prefix) ? span_from(type, prefix.len) : type;
}

static enum status read_alg(const json_t *header, enum jose_alg *ret_alg, struct err *err)
{
    const json_t *alg = json_object_get(header, "alg");
    if (!json_is_string(alg))
        return fail(err, INVALID, "The token has no alg");
    if (!jose_alg_find(json_text(alg), ret_alg))
        return fail(err, UNSUPPORTED, "The alg of the token is not one that we have");
    return OK;
}

static enum status read_header(const json_t *header, struct arena *arena, struct jws *jws,
                               struct err *err)
{
    struct span content_type;
    enum status status = read_alg(header, &jws->alg, err);
    if (status != OK)
        return status;
    /* RFC 7515 §4.1.11: no extension is understood here, so whatever crit lists is refused, and so
     * are its malformed variants. */
    if (json_object_get(header, "crit") != NULL)
        return fail(err, INVALID, "The token has crit, and we understand no extension");
    status = read_text(header, "kid", arena, &jws->kid, err);
    if (status == OK)
        status = read_text(header, "typ", arena, &jws->typ, err);
    if (status == OK)
        status = read_text(header, "cty", arena, &content_type, err);
    if (status != OK)
        return status;
    if (jws->kid.len > JWK_KID_LEN_MAX)
        return fail(err, INVALID, "The kid of the token is too long");
    /* RFC 7519 §5.2: a token within a token. We neither make nor open any. */
    if (span_equal_nocase(short_media_type(content_type), SPAN("JWT")))
        return fail(err, INVALID, "The token holds another token");
    jws->typ = short_media_type(jws->typ);
    return OK;
}

static enum status parse_header(struct arena *arena, struct jws *jws, struct err *err)
{
    AUTO(json) json_t *header = NULL;
    enum status status = json_parse(jws->header, &header_limits, &header, NULL);
    if (status == NO_MEMORY)
        return fail(err, NO_MEMORY, "no memory for a token");
    if (status != OK || !json_is_object(header))
        return fail(err, INVALID, "The header of the token is not a JSON object");
    return read_header(header, arena, jws, err);
}

enum status jws_split(struct span text, struct arena *arena, struct jws *ret_jws, struct err *err)
{
    struct parts parts;
    struct jws jws = {0};
    enum status status = cut(text, &parts, err);
    if (status == OK)
        status = decode(parts.header, arena, &jws.header, err);
    if (status == OK)
        status = parse_header(arena, &jws, err);
    if (status != OK)
        return status;
    /* RFC 7515 appendix F: detached content looks so. No token of ours is empty. */
    if (parts.payload.len == 0)
        return fail(err, INVALID, "The token has no payload");
    status = decode(parts.payload, arena, &jws.payload, err);
    if (status == OK)
        status = decode(parts.signature, arena, &jws.signature, err);
    if (status != OK)
        return status;
    jws.signing_input = span_first(text, parts.header.len + 1 + parts.payload.len);
    *ret_jws = jws;
    return OK;
}
