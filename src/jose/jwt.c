/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/jwt.h"

#include "base/arena.h"
#include "codec/json.h"

static const struct json_limits claims_limits = {.depth_max = 8, .members_max = 1024};

/* What reading the claims needs at every step. */
struct claims_reader {
    const json_t *json;
    struct arena *arena;
    struct err *err;
    enum status status; /* the first failure */
};

static void refuse(struct claims_reader *reader, const char *name, const char *why)
{
    if (reader->status == OK)
        reader->status = fail(reader->err, INVALID, "The token's %s %s", name, why);
}

static struct span keep(struct claims_reader *reader, const json_t *string)
{
    struct span text = arena_copy(reader->arena, json_text(string));
    if (text.ptr == NULL && reader->status == OK)
        reader->status = fail(reader->err, NO_MEMORY, "no memory for the claims");
    return text;
}

static struct span read_text(struct claims_reader *reader, const char *name)
{
    const json_t *value = json_object_get(reader->json, name);
    if (value == NULL)
        return (struct span){0};
    if (!json_is_string(value)) {
        refuse(reader, name, "is not a string");
        return (struct span){0};
    }
    return keep(reader, value);
}

/* RFC 7519 §2 NumericDate: a number, perhaps with a fraction, that fits. */
static int64_t read_number(struct claims_reader *reader, const char *name)
{
    const json_t *value = json_object_get(reader->json, name);
    if (value == NULL)
        return 0;
    if (json_is_integer(value) && json_integer_value(value) >= 0)
        return json_integer_value(value);
    double real = json_is_real(value) ? json_real_value(value) : -1;
    if (!(real >= 0 && real < 9e15)) { /* also refuses NaN */
        refuse(reader, name, "is not a number that can be");
        return 0;
    }
    return (int64_t)real; /* towards zero */
}

static size_t read_texts(struct claims_reader *reader, const char *name, const json_t *value,
                         struct span *texts, size_t max)
{
    size_t count = json_array_size(value);
    if (count > max) {
        refuse(reader, name, "has too many members");
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *member = json_array_get(value, i);
        if (!json_is_string(member)) {
            refuse(reader, name, "has a member that is not a string");
            return 0;
        }
        texts[i] = keep(reader, member);
    }
    return count;
}

static void read_audience(struct claims_reader *reader, struct jwt_claims *claims)
{
    const json_t *value = json_object_get(reader->json, "aud");
    if (json_is_string(value)) {
        claims->audiences[0] = keep(reader, value);
        claims->audience_count = 1;
    } else if (json_is_array(value)) {
        claims->audience_count =
            read_texts(reader, "aud", value, claims->audiences, JWT_AUDIENCES_MAX);
    } else if (value != NULL) {
        refuse(reader, "aud", "is neither a string nor an array of strings");
    }
}

static void read_roles(struct claims_reader *reader, struct jwt_claims *claims)
{
    const json_t *value = json_object_get(reader->json, "roles");
    claims->has_roles = json_is_array(value);
    if (claims->has_roles)
        claims->role_count = read_texts(reader, "roles", value, claims->roles, JWT_ROLES_MAX);
    else if (value != NULL)
        refuse(reader, "roles", "is not an array");
}

enum status jwt_claims_parse(struct span payload, struct arena *arena,
                             struct jwt_claims *ret_claims, struct err *err)
{
    AUTO(json) json_t *json = NULL;
    struct err why = {0};
    enum status status = json_parse(payload, &claims_limits, &json, &why);
    if (status == NO_MEMORY)
        return fail(err, status, "no memory for the claims");
    if (status != OK || !json_is_object(json))
        return fail(err, INVALID, "The token's payload is not a JSON object");
    struct claims_reader reader = {.json = json, .arena = arena, .err = err, .status = OK};
    struct jwt_claims claims = {
        .issuer = read_text(&reader, "iss"),
        .subject = read_text(&reader, "sub"),
        .client_id = read_text(&reader, "client_id"),
        .issued_at = read_number(&reader, "iat"),
        .expires_at = read_number(&reader, "exp"),
        .not_before = read_number(&reader, "nbf"),
        .token_id = read_text(&reader, "jti"),
        .scope = read_text(&reader, "scope"),
        .account_id = read_text(&reader, "account_id"),
        .credential_id = read_text(&reader, "credential_id"),
        .revision = read_number(&reader, "rev"),
    };
    read_audience(&reader, &claims);
    read_roles(&reader, &claims);
    if (reader.status == OK)
        *ret_claims = claims;
    return reader.status;
}

static void write_text(struct json_writer *writer, struct span name, struct span text)
{
    if (text.len > 0)
        json_member_text(writer, name, text);
}

void jwt_claims_write(const struct jwt_claims *claims, struct buf *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_object_open(&writer);
    write_text(&writer, SPAN("iss"), claims->issuer);
    write_text(&writer, SPAN("sub"), claims->subject);
    write_text(&writer, SPAN("client_id"), claims->client_id);
    if (claims->audience_count == 1) {
        write_text(&writer, SPAN("aud"), claims->audiences[0]);
    } else if (claims->audience_count > 1) {
        json_name(&writer, SPAN("aud"));
        json_array_open(&writer);
        for (size_t i = 0; i < claims->audience_count; i++)
            json_write_text(&writer, claims->audiences[i]);
        json_array_close(&writer);
    }
    json_member_int(&writer, SPAN("iat"), claims->issued_at);
    json_member_int(&writer, SPAN("exp"), claims->expires_at);
    write_text(&writer, SPAN("jti"), claims->token_id);
    if (claims->has_roles) {
        json_name(&writer, SPAN("roles"));
        json_array_open(&writer);
        for (size_t i = 0; i < claims->role_count; i++)
            json_write_text(&writer, claims->roles[i]);
        json_array_close(&writer);
    }
    write_text(&writer, SPAN("scope"), claims->scope);
    write_text(&writer, SPAN("account_id"), claims->account_id);
    write_text(&writer, SPAN("credential_id"), claims->credential_id);
    if (claims->revision > 0)
        json_member_int(&writer, SPAN("rev"), claims->revision);
    json_object_close(&writer);
}
