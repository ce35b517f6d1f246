/* SPDX-License-Identifier: Apache-2.0 */
/* Taking a compact JWS apart; verifying is jws_verify.c, so that programs which only look link no
 * cryptography. */
#include "jose/jws.h"

#include "base/arena.h"
#include "codec/base64url.h"
#include "codec/json.h"
#include "codec/utf8.h"
#include "jose/jwk.h"

static const struct json_limits header_limits = {.depth_max = 8, .members_max = 64};

/* A text member of the header, copied; empty when absent. False: it has another type. */
static bool read_text(const json_t *header, const char *name, struct arena *arena,
                      struct span *ret_text)
{
    const json_t *value = json_object_get(header, name);
    *ret_text = (struct span){0};
    if (value == NULL)
        return true;
    if (!json_is_string(value))
        return false;
    *ret_text = arena_copy(arena, json_text(value));
    return ret_text->ptr != NULL;
}

/* RFC 7515 §4.1.9: compared as media types, and "application/" may be left out. */
static struct span typ_essence(struct span typ)
{
    struct span prefix = SPAN("application/");
    return span_starts_nocase(typ, prefix) ? span_from(typ, prefix.len) : typ;
}

static enum status read_header(struct arena *arena, struct jws *jws, struct err *err)
{
    AUTO(json) json_t *header = NULL;
    struct span typ;
    if (jws->header.len > JWS_HEADER_LEN_MAX ||
        json_parse(jws->header, &header_limits, &header, NULL) != OK || !json_is_object(header))
        return fail(err, INVALID, "The token's header is not a JSON object");
    /* RFC 7515 §4.1.11: we understand no extension, so any crit is one too many. */
    if (json_object_get(header, "crit") != NULL)
        return fail(err, INVALID, "The token's header has crit, which is not supported");
    if (!read_text(header, "kid", arena, &jws->kid) || !read_text(header, "typ", arena, &typ) ||
        jws->kid.len > JWK_KID_LEN_MAX)
        return fail(err, INVALID, "The token's header has a kid or typ that is not a short text");
    jws->typ = typ_essence(typ);
    const json_t *alg = json_object_get(header, "alg");
    if (!json_is_string(alg))
        return fail(err, INVALID, "The token's header names no alg");
    if (!jose_alg_find(json_text(alg), &jws->alg))
        return fail(err, UNSUPPORTED, "The token's alg is not supported");
    return OK;
}

enum status jws_split(struct span text, struct arena *arena, struct jws *ret_jws, struct err *err)
{
    struct jws jws = {0};
    struct span rest = text;
    struct span header;
    struct span payload;
    if (text.len > JWS_LEN_MAX)
        return fail(err, INVALID, "The token is longer than %d bytes", JWS_LEN_MAX);
    if (!span_cut(&rest, '.', &header) || !span_cut(&rest, '.', &payload) ||
        span_find(rest, '.') < rest.len)
        return fail(err, INVALID, "The token does not have three parts");
    jws.signing_input = span_first(text, header.len + 1 + payload.len);
    enum status status = base64url_decode(header, arena, &jws.header);
    if (status == OK)
        status = base64url_decode(payload, arena, &jws.payload);
    if (status == OK)
        status = base64url_decode(rest, arena, &jws.signature);
    if (status == NO_MEMORY)
        return fail(err, status, "no memory for a token");
    if (status != OK)
        return fail(err, INVALID, "The token is not base64url");
    status = read_header(arena, &jws, err);
    if (status == OK)
        *ret_jws = jws;
    return status;
}
