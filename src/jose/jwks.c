/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/jwk.h"

#include "base/buf.h"
#include "jose/jose_internal.h"

#include <stdlib.h>

enum { SET_TEXT_LEN_MAX = 512 * 1024, SET_CAPACITY_FIRST = 4 };

static const struct json_limits set_limits = {.depth_max = 8, .members_max = 256};

struct jwks {
    struct jwk **keys;
    size_t count;
    size_t capacity;
};

static void auto_jwks(struct jwks **set)
{
    jwks_free(*set);
}

struct jwks *jwks_new(void)
{
    return calloc(1, sizeof(struct jwks));
}

void jwks_free(struct jwks *set)
{
    if (set == NULL)
        return;
    for (size_t i = 0; i < set->count; i++)
        jwk_free(set->keys[i]);
    free(set->keys);
    free(set);
}

enum status jwks_add(struct jwks *set, struct jwk *take_key)
{
    AUTO(jwk) struct jwk *key = take_key;
    if (jwks_find(set, jwk_kid(key)) != NULL)
        return CONFLICT;
    if (set->count == set->capacity) {
        size_t capacity = set->capacity == 0 ? SET_CAPACITY_FIRST : set->capacity * 2;
        struct jwk **keys = reallocarray(set->keys, capacity, sizeof *keys);
        if (keys == NULL)
            return NO_MEMORY;
        set->keys = keys;
        set->capacity = capacity;
    }
    set->keys[set->count++] = key;
    key = NULL;
    return OK;
}

/* Do several keys have this one's kid? Then a token does not say which of them it means. */
static bool is_ambiguous(const json_t *keys, const json_t *object)
{
    struct span kid = json_text(json_object_get(object, "kid"));
    size_t same = 0;
    for (size_t i = 0; kid.len > 0 && i < json_array_size(keys); i++)
        same += span_equal(json_text(json_object_get(json_array_get(keys, i), "kid")), kid);
    return same > 1;
}

/* RFC 7517 §5: what we cannot use is skipped. */
static enum status add_usable(struct jwks *set, const json_t *keys, size_t index, struct err *err)
{
    const json_t *object = json_array_get(keys, index);
    struct jwk *key = NULL;
    if (!json_is_object(object))
        return fail(err, INVALID, "every element of keys must be an object");
    if (is_ambiguous(keys, object))
        return OK;
    enum status status = jwk_from_json(object, JOSE_ALG_COUNT, &key, NULL);
    if (status == OK)
        status = jwks_add(set, key);
    return status == NO_MEMORY ? fail(err, NO_MEMORY, "no memory for keys") : OK;
}

enum status jwks_parse(struct span json, struct jwks **ret_set, struct err *err)
{
    AUTO(json) json_t *object = NULL;
    if (json.len > SET_TEXT_LEN_MAX)
        return fail(err, INVALID, "a key set has more than %d octets", SET_TEXT_LEN_MAX);
    enum status status = json_parse(json, &set_limits, &object, err);
    if (status != OK)
        return status;
    const json_t *keys = json_object_get(object, "keys");
    if (!json_is_array(keys))
        return fail(err, INVALID, "keys must be an array");
    AUTO(jwks) struct jwks *set = jwks_new();
    if (set == NULL)
        return fail(err, NO_MEMORY, "no memory for keys");
    for (size_t i = 0; i < json_array_size(keys); i++) {
        status = add_usable(set, keys, i, err);
        if (status != OK)
            return status;
    }
    *ret_set = set;
    set = NULL;
    return OK;
}

size_t jwks_count(const struct jwks *set)
{
    return set->count;
}

const struct jwk *jwks_at(const struct jwks *set, size_t index)
{
    return index < set->count ? set->keys[index] : NULL;
}

/* RFC 8725 §3.10: kid is compared with the kids that we hold and with nothing else. */
const struct jwk *jwks_find(const struct jwks *set, struct span kid)
{
    for (size_t i = 0; i < set->count; i++) {
        if (span_equal(jwk_kid(set->keys[i]), kid))
            return set->keys[i];
    }
    return NULL;
}

void jwks_write(const struct jwks *set, struct buf *out)
{
    buf_put(out, SPAN("{\"keys\":["));
    for (size_t i = 0; i < set->count; i++) {
        if (i > 0)
            buf_byte(out, ',');
        jwk_write(set->keys[i], out);
    }
    buf_put(out, SPAN("]}"));
}
