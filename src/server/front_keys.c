/* SPDX-License-Identifier: Apache-2.0 */
#include "server/front_keys.h"

#include "jose/jwk.h"
#include "log/log.h"
#include "model/audit_event.h"
#include "signing/signing.h"
#include "store/store.h"

enum { KEYS_BYTES_MAX = 1 << 20, SIGNER_TIMEOUT_MS = 10000 };

static const struct server_key *find_key(const struct front_keys *keys, enum signing_key_kind kind,
                                         struct span alg)
{
    const struct server_key *found = NULL;
    for (size_t i = 0; i < keys->count; i++) {
        const struct server_key *key = &keys->keys[i];
        bool is_it = span_equal(key->kind, signing_key_kind_names[kind]) &&
                     (kind != SIGNING_KEY_TOKEN || span_equal(key->alg, alg)) &&
                     span_equal(key->state, SPAN("active"));
        if (is_it && (found == NULL || key->created_at >= found->created_at))
            found = key;
    }
    return found;
}

static enum status read_keys(struct front_keys *keys, struct store *store, struct err *err)
{
    arena_reset(&keys->arena);
    return store_server_key_list(store, &keys->arena, &keys->keys, &keys->count, err);
}

static enum status make_key(struct store *store, struct signing_lane *lane,
                            enum signing_key_kind kind, struct span alg, int64_t now,
                            struct err *err)
{
    struct arena arena;
    struct signing_reply reply;
    const struct signing_request make = {.op = SIGNING_KEY_MAKE,
                                         .key_make = {.kind = kind, .alg = alg}};
    arena_init(&arena, KEYS_BYTES_MAX);
    enum status status = signing_call(lane, &make, SIGNER_TIMEOUT_MS, &arena, &reply, err);
    if (status == OK) {
        const struct server_key key = {
            .id = reply.key_make.id,
            .kind = signing_key_kind_names[kind],
            .alg = alg,
            .public_jwk = reply.key_make.public_jwk,
            .sealed = reply.key_make.sealed,
            .check_value = reply.key_make.check_value,
            .state = SPAN("active"),
            .created_at = now,
        };
        const struct audit_event audit = {.actor_kind = SPAN("system"),
                                          .action = AUDIT_SERVER_KEY_CREATE,
                                          .target_id = key.id,
                                          .at = now};
        int64_t revision;
        status = store_server_key_add(store, &key, &audit, &revision, err);
        if (status == OK)
            log_info("made a new %.*s key", SPAN_FMT(key.kind));
    }
    arena_done(&arena);
    return status;
}

enum status front_keys_open(struct front_keys *keys, struct store *store, struct signing_lane *lane,
                            struct span alg, int64_t now, struct err *err)
{
    *keys = (struct front_keys){0};
    arena_init(&keys->arena, KEYS_BYTES_MAX);
    enum status status = read_keys(keys, store, err);
    /* What is there must open before anything is added beside it. */
    if (status == OK && keys->count > 0)
        status = front_keys_load(keys, lane, err);
    for (unsigned kind = 0; status == OK && kind < SIGNING_KEY_KIND_COUNT; kind++) {
        struct span key_alg = kind == SIGNING_KEY_TOKEN ? alg : (struct span){0};
        if (find_key(keys, kind, key_alg) == NULL)
            status = make_key(store, lane, kind, key_alg, now, err);
    }
    if (status == OK)
        status = read_keys(keys, store, err);
    if (status != OK)
        return status;
    const struct server_key *active = find_key(keys, SIGNING_KEY_TOKEN, alg);
    if (active == NULL)
        return fail(err, CORRUPT, "the token key that was just made is not in the store");
    keys->active_kid = active->id;
    return front_keys_load(keys, lane, err);
}

enum status front_keys_load(const struct front_keys *keys, struct signing_lane *lane,
                            struct err *err)
{
    for (size_t i = 0; i < keys->count; i++) {
        const struct server_key *key = &keys->keys[i];
        unsigned kind = 0;
        while (kind < SIGNING_KEY_KIND_COUNT &&
               !span_equal(key->kind, signing_key_kind_names[kind]))
            kind++;
        if (kind == SIGNING_KEY_KIND_COUNT)
            return fail(err, CORRUPT, "the store holds a key of an unknown kind");
        const struct signing_request load = {
            .op = SIGNING_KEY_LOAD,
            .key_load = {.kind = kind,
                         .alg = key->alg,
                         .id = key->id,
                         .sealed = key->sealed,
                         .check_value = key->check_value,
                         .is_active = span_equal(key->id, keys->active_kid)}};
        struct arena arena;
        struct signing_reply reply;
        arena_init(&arena, SIGNING_MESSAGE_MAX);
        enum status status = signing_call(lane, &load, SIGNER_TIMEOUT_MS, &arena, &reply, err);
        arena_done(&arena);
        if (status == CORRUPT) {
            if (err != NULL)
                *err = (struct err){0};
            return fail(err, CORRUPT,
                        "this database was made with another key-encryption key than keys/kek");
        }
        if (status != OK)
            return status;
    }
    return OK;
}

static enum status add_public(struct jwks *set, const struct server_key *key, struct err *err)
{
    struct jwk *public_key;
    if (key->public_jwk.len == 0)
        return OK;
    enum status status = jwk_parse(key->public_jwk, JOSE_RS256, &public_key, err);
    if (status == OK)
        status = jwks_add(set, public_key);
    return status == OK ? OK : fail(err, status, "a stored public key does not read");
}

enum status front_keys_public(const struct front_keys *keys, struct jwks **ret_set, struct err *err)
{
    struct jwks *set = jwks_new();
    if (set == NULL)
        return fail(err, NO_MEMORY, "no memory for the key set");
    enum status status = OK;
    for (size_t i = 0; status == OK && i < keys->count; i++) {
        if (span_equal(keys->keys[i].id, keys->active_kid))
            status = add_public(set, &keys->keys[i], err);
    }
    for (size_t i = keys->count; status == OK && i-- > 0;) {
        if (!span_equal(keys->keys[i].id, keys->active_kid))
            status = add_public(set, &keys->keys[i], err);
    }
    if (status != OK) {
        jwks_free(set);
        return status;
    }
    *ret_set = set;
    return OK;
}

void front_keys_close(struct front_keys *keys)
{
    arena_done(&keys->arena);
}
