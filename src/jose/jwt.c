/* SPDX-License-Identifier: Apache-2.0 */
/* Without OpenSSL: the command-line client reads claims and does not link it. */
#include "jose/jwt.h"

#include "base/arena.h"
#include "codec/json.h"

static const struct json_limits claims_limits = {.depth_max = 8, .members_max = JWT_ROLES_MAX};

struct text_claim {
    const char *name;
    size_t offset; /* of the span in struct jwt_claims */
};

static const struct text_claim text_claims[] = {
    {"iss", offsetof(struct jwt_claims, issuer)},
    {"sub", offsetof(struct jwt_claims, subject)},
    {"client_id", offsetof(struct jwt_claims, client_id)},
    {"jti", offsetof(struct jwt_claims, token_id)},
    {"scope", offsetof(struct jwt_claims, scope)},
    {"account_id", offsetof(struct jwt_claims, account_id)},
    {"credential_id", offsetof(struct jwt_claims, credential_id)},
};

struct number_claim {
    const char *name;
    size_t offset; /* of the int64_t in struct jwt_claims */
};

static const struct number_claim number_claims[] = {
    {"iat", offsetof(struct jwt_claims, issued_at)},
    {"exp", offsetof(struct jwt_claims, expires_at)},
    {"nbf", offsetof(struct jwt_claims, not_before)},
    {"rev", offsetof(struct jwt_claims, revision)},
};

static enum status read_text(const json_t *value, const char *name, struct arena *arena,
                             struct span *ret_text, struct err *err)
{
    if (!json_is_string(value))
        return fail(err, INVALID, "The claim %s is not made of strings", name);
    *ret_text = arena_copy(arena, json_text(value));
    return ret_text->ptr == NULL ? fail(err, NO_MEMORY, "no memory for claims") : OK;
}

/* RFC 7519 §2: a NumericDate is a number and may have a fraction, which is cut. */
static enum status read_number(const json_t *value, const char *name, int64_t *ret_number,
                               struct err *err)
{
    const double limit = 9223372036854775808.0; /* 2^63, exact in a double */
    if (json_is_integer(value)) {
        *ret_number = json_integer_value(value);
        return OK;
    }
    double real = json_real_value(value); /* 0 for what is not a real */
    if (!json_is_real(value) || !(real >= -limit && real < limit))
        return fail(err, INVALID, "The claim %s is not a number that fits", name);
    *ret_number = (int64_t)real;
    return OK;
}

/* One string or an array of at most limit strings. */
static enum status read_list(const json_t *value, const char *name, size_t limit,
                             struct arena *arena, struct span *texts, size_t *ret_count,
                             struct err *err)
{
    if (json_array_size(value) > limit)
        return fail(err, INVALID, "The claim %s has more than %zu values", name, limit);
    for (size_t i = 0; i < json_array_size(value); i++) {
        enum status status = read_text(json_array_get(value, i), name, arena, &texts[i], err);
        if (status != OK)
            return status;
    }
    *ret_count = json_array_size(value);
    return OK;
}

/* RFC 7519 §4.1.3: a string, or an array of strings. */
static enum status read_audience(const json_t *value, struct arena *arena,
                                 struct jwt_claims *claims, struct err *err)
{
    if (json_is_array(value))
        return read_list(value, "aud", JWT_AUDIENCES_MAX, arena, claims->audiences,
                         &claims->audience_count, err);
    claims->audience_count = 1;
    return read_text(value, "aud", arena, &claims->audiences[0], err);
}

static enum status read_roles(const json_t *value, struct arena *arena, struct jwt_claims *claims,
                              struct err *err)
{
    if (!json_is_array(value))
        return fail(err, INVALID, "The claim roles is not an array");
    claims->has_roles = true;
    return read_list(value, "roles", JWT_ROLES_MAX, arena, claims->roles, &claims->role_count, err);
}

static enum status read_lists(const json_t *object, struct arena *arena, struct jwt_claims *claims,
                              struct err *err)
{
    const json_t *audience = json_object_get(object, "aud");
    const json_t *roles = json_object_get(object, "roles");
    enum status status = OK;
    if (audience != NULL)
        status = read_audience(audience, arena, claims, err);
    if (status == OK && roles != NULL)
        status = read_roles(roles, arena, claims, err);
    return status;
}

static enum status read_claims(const json_t *object, struct arena *arena, struct jwt_claims *claims,
                               struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(text_claims); i++) {
        const struct text_claim *row = &text_claims[i];
        const json_t *value = json_object_get(object, row->name);
        struct span text;
        if (value == NULL)
            continue;
        enum status status = read_text(value, row->name, arena, &text, err);
        if (status != OK)
            return status;
        *(struct span *)(void *)((char *)claims + row->offset) = text;
    }
    for (size_t i = 0; i < ARRAY_LEN(number_claims); i++) {
        const struct number_claim *row = &number_claims[i];
        const json_t *value = json_object_get(object, row->name);
        int64_t number;
        if (value == NULL)
            continue;
        enum status status = read_number(value, row->name, &number, err);
        if (status != OK)
            return status;
        *(int64_t *)(void *)((char *)claims + row->offset) = number;
    }
    return read_lists(object, arena, claims, err);
}

enum status jwt_claims_parse(struct span payload, struct arena *arena,
                             struct jwt_claims *ret_claims, struct err *err)
{
    AUTO(json) json_t *object = NULL;
    if (payload.len > JWS_LEN_MAX)
        return fail(err, INVALID, "The payload of the token is too long");
    enum status status = json_parse(payload, &claims_limits, &object, NULL);
    if (status == NO_MEMORY)
        return fail(err, NO_MEMORY, "no memory for claims");
    if (status != OK || !json_is_object(object))
        return fail(err, INVALID, "The payload of the token is not a JSON object");
    *ret_claims = (struct jwt_claims){0};
    return read_claims(object, arena, ret_claims, err);
}

static void write_text(struct json_writer *writer, struct span name, struct span text)
{
    if (text.len > 0)
        json_member_text(writer, name, text);
}

static void write_number(struct json_writer *writer, struct span name, int64_t number)
{
    if (number != 0)
        json_member_int(writer, name, number);
}

static void write_list(struct json_writer *writer, struct span name, const struct span *texts,
                       size_t count)
{
    json_name(writer, name);
    json_array_open(writer);
    for (size_t i = 0; i < count; i++)
        json_write_text(writer, texts[i]);
    json_array_close(writer);
}

void jwt_claims_write(const struct jwt_claims *claims, struct buf *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_object_open(&writer);
    write_text(&writer, SPAN("iss"), claims->issuer);
    write_text(&writer, SPAN("sub"), claims->subject);
    write_text(&writer, SPAN("client_id"), claims->client_id);
    if (claims->audience_count == 1)
        json_member_text(&writer, SPAN("aud"), claims->audiences[0]);
    if (claims->audience_count > 1)
        write_list(&writer, SPAN("aud"), claims->audiences, claims->audience_count);
    write_number(&writer, SPAN("iat"), claims->issued_at);
    write_number(&writer, SPAN("exp"), claims->expires_at);
    write_number(&writer, SPAN("nbf"), claims->not_before);
    write_text(&writer, SPAN("jti"), claims->token_id);
    if (claims->has_roles)
        write_list(&writer, SPAN("roles"), claims->roles, claims->role_count);
    write_text(&writer, SPAN("scope"), claims->scope);
    write_text(&writer, SPAN("account_id"), claims->account_id);
    write_text(&writer, SPAN("credential_id"), claims->credential_id);
    write_number(&writer, SPAN("rev"), claims->revision);
    json_object_close(&writer);
}
