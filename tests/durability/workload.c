/* SPDX-License-Identifier: Apache-2.0 */
#include "workload.h"

enum {
    STEP_ACCOUNT = 1,
    STEP_CORPORA = 2,
    STEP_CLIENTS = 5,
    STEP_UPDATES = STEP_CLIENTS + WORKLOAD_CLIENTS,
    STEP_META = 34,
    STEP_KEY = 35,
    STEP_USES = 36,
    STEP_CORPUS_DELETE = 37,
    STEP_CLIENT_DELETE = 38,
    STEP_ACCOUNT_UPDATE = 39,
    STEP_IDEMPOTENT = 41,
    STEP_AUDIT = 42,
    STEP_TOKEN_REVOKE = 43,
    STEP_CORPUS_UPDATE = 44,
    STEP_USER = 45,
    STEP_API_KEY = 46,
    STEP_USERS_API_KEY = 47,
    STEP_PERSONAL_API_KEY = 48,
    STEP_CLIENTS_API_KEY = 49,
    STEP_USER_UPDATE = 50,
    STEP_API_KEY_DISABLE = 51,
    STEP_API_KEY_USE = 52,
    STEP_API_KEY_REGENERATE = 53,
    STEP_USER_DISABLE = 54,
    STEP_OWNING_CLIENT_DELETE = 55, /* with the key that it made */
    STEP_USER_DELETE = 56,          /* with the key that it made, and the one with its rights */
    STEP_API_KEY_DELETE = 57,
    STEP_ACCOUNT_DISABLE = 58,
    STEP_ACCOUNT_ENABLE = 59,
    DELETED = 9, /* this client goes */
    KEPT = 8,    /* the clients before it stay, and are changed again and again */
    ONCE = 100,  /* this one was made with an idempotency key, makes an API key, and goes */
};

void (*workload_enter)(void);
void (*workload_leave)(void);

static void enter(void)
{
    if (workload_enter != NULL)
        workload_enter();
}

static enum status left(enum status status)
{
    if (workload_leave != NULL)
        workload_leave();
    return status;
}

static enum status open_store(struct fixture *f)
{
    enter();
    return left(fixture_try_open(f));
}

static enum status reopen(struct fixture *f)
{
    enter();
    store_close(f->store);
    f->store = NULL;
    return left(fixture_try_open(f));
}

static enum status make_account(struct fixture *f)
{
    const struct principal owner = fixture_owner(SPAN("usr_1"), ACCOUNT);
    const struct account_new account = {
        .account_id = ACCOUNT,
        .name = SPAN("Main"),
        .owner = &owner,
        .now = 1700000000,
    };
    const struct audit_event audit = fixture_audit(AUDIT_ACCOUNT_CREATE, ACCOUNT);
    enter();
    return left(store_account_create(f->store, &account, &audit, &f->revision, &f->err));
}

static enum status make_corpus(struct fixture *f, unsigned number)
{
    const struct corpus corpus = fixture_corpus(f, number);
    enter();
    return left(fixture_try_create_corpus(f, &corpus, NULL));
}

/* A client with a long description: some of its rows need pages of their own. */
static enum status make_client(struct fixture *f, unsigned number)
{
    struct principal client = fixture_client(f, number);
    client.description = SPAN("as it was made");
    client.has_description = true;
    enter();
    return left(fixture_try_create(f, &client, NULL));
}

static enum status update_client(struct fixture *f, unsigned number, size_t step)
{
    struct principal client;
    struct span id = fixture_text(f, "app_", number);
    enter();
    enum status status = left(store_principal_get(f->store, PRINCIPAL_APP_CLIENT, ACCOUNT, id,
                                                  &f->arena, &client, &f->err));
    if (status != OK)
        return status;
    const size_t len = 40 + (step * 97) % 3000;
    char *text = arena_alloc(&f->arena, len);
    assert_non_null(text);
    memset(text, 'a' + (int)(step % 26), len);
    client.description = span_of(text, len);
    client.has_description = true;
    client.version++;
    const struct audit_event audit = fixture_audit(AUDIT_APP_CLIENT_UPDATE, id);
    enter();
    return left(store_principal_update(f->store, &client, &audit, &f->revision, &f->err));
}

static enum status add_key(struct fixture *f)
{
    const struct server_key key = {
        .id = SPAN("kid_1"),
        .kind = SPAN("token"),
        .alg = SPAN("ES256"),
        .public_jwk = SPAN("{}"),
        .sealed = SPAN("sealed"),
        .check_value = SPAN("check"),
        .state = SPAN("active"),
        .created_at = 1700000000,
    };
    const struct audit_event audit = fixture_audit(AUDIT_SERVER_KEY_CREATE, SPAN("kid_1"));
    enter();
    return left(store_server_key_add(f->store, &key, &audit, &f->revision, &f->err));
}

static enum status add_use_of(struct fixture *f, const char *prefix, size_t count)
{
    struct credential_use uses[KEPT];
    assert_true(count <= ARRAY_LEN(uses));
    for (unsigned i = 0; i < count; i++)
        uses[i] = (struct credential_use){
            .credential_id = fixture_text(f, prefix, i + 1),
            .first_at = 1700000000,
            .last_at = 1700000100,
            .count = 5,
            .last_address = SPAN("192.0.2.1"),
        };
    enter();
    return left(store_use_add(f->store, uses, count, &f->err));
}

static enum status add_uses(struct fixture *f)
{
    return add_use_of(f, "crd_", KEPT);
}

static enum status delete_principal(struct fixture *f, enum principal_kind kind, struct span id,
                                    enum audit_action action)
{
    const struct audit_event audit = fixture_audit(action, id);
    enter();
    return left(store_principal_delete(f->store, kind, ACCOUNT, id, &audit, &f->revision, &f->err));
}

static enum status delete_client(struct fixture *f)
{
    return delete_principal(f, PRINCIPAL_APP_CLIENT, fixture_text(f, "app_", DELETED),
                            AUDIT_APP_CLIENT_DELETE);
}

static enum status delete_owning_client(struct fixture *f)
{
    return delete_principal(f, PRINCIPAL_APP_CLIENT, fixture_text(f, "app_", ONCE),
                            AUDIT_APP_CLIENT_DELETE);
}

static enum status delete_corpus(struct fixture *f)
{
    const struct audit_event audit = fixture_audit(AUDIT_CORPUS_DELETE, SPAN("crp_3"));
    enter();
    return left(
        store_corpus_delete(f->store, ACCOUNT, SPAN("key-3"), &audit, &f->revision, &f->err));
}

static enum status write_account(struct fixture *f, bool is_enabled)
{
    struct account account;
    enter();
    enum status status =
        left(store_account_get(f->store, ACCOUNT, &f->arena, &account, &f->err));
    if (status != OK)
        return status;
    account.name = SPAN("Renamed");
    account.token_ttl_seconds = 600;
    account.is_enabled = is_enabled;
    account.version++;
    const struct audit_event audit = fixture_audit(AUDIT_ACCOUNT_UPDATE, ACCOUNT);
    enter();
    return left(store_account_update(f->store, &account, &audit, &f->revision, &f->err));
}

static enum status update_account(struct fixture *f)
{
    return write_account(f, true);
}

static enum status disable_account(struct fixture *f)
{
    return write_account(f, false);
}

static enum status make_once(struct fixture *f)
{
    const struct principal client = fixture_client(f, ONCE);
    const struct store_idempotency idempotency = {.key = SPAN("a key"), .request = SPAN("digest")};
    enter();
    return left(fixture_try_create(f, &client, &idempotency));
}

static enum status add_audit(struct fixture *f)
{
    const struct audit_event audit = fixture_audit(AUDIT_APP_CLIENT_REVEAL, SPAN("app_1"));
    enter();
    return left(store_audit_add(f->store, &audit, &f->err));
}

static enum status revoke_token(struct fixture *f)
{
    const struct revoked_token token = {.account_id = ACCOUNT,
                                        .client_id = SPAN("client"),
                                        .jti = SPAN("0123456789abcdefghijkl"),
                                        .expires_at = 1700001800,
                                        .now = 1700000000};
    const struct audit_event audit = fixture_audit(AUDIT_TOKEN_REVOKE, token.jti);
    enter();
    return left(store_token_revoke(f->store, &token, &audit, &f->err));
}

/* With its job. */
static enum status update_corpus(struct fixture *f)
{
    struct corpus corpus = fixture_corpus(f, 1);
    const struct job job = {.id = SPAN("job_1"),
                            .account_id = ACCOUNT,
                            .type = SPAN("replace_filter_attributes"),
                            .corpus_id = corpus.id,
                            .corpus_key = corpus.key,
                            .state = SPAN("completed"),
                            .created_by = SPAN("app_1"),
                            .created_at = 1700000000,
                            .completed_at = 1700000000};
    corpus.name = SPAN("Renamed");
    corpus.version++;
    const struct audit_event audit = fixture_audit(AUDIT_CORPUS_UPDATE, corpus.id);
    enter();
    return left(store_corpus_update(f->store, &corpus, &job, &audit, &f->revision, &f->err));
}

/* --- Users and API keys --- */

#define USER_ID   SPAN("usr_2")
#define USER_NAME SPAN("ada")

static enum status create(struct fixture *f, const struct principal *principal,
                          enum audit_action action)
{
    const struct audit_event audit = fixture_audit(action, principal->id);
    enter();
    return left(store_principal_create(f->store, principal, NULL, &audit, &f->arena,
                                       &f->existing_id, &f->revision, &f->err));
}

static enum status make_user(struct fixture *f)
{
    struct corpus_grant grant = {SPAN("key-2"), SPAN("crp_2"), CORPUS_ROLE_EDITOR};
    struct principal user = fixture_owner(USER_ID, ACCOUNT);
    user.name = USER_NAME;
    user.email = SPAN("ada@example.com");
    user.api_roles = 1u << API_ROLE_VIEWER;
    user.corpus_grants = &grant;
    user.corpus_grant_count = 1;
    return create(f, &user, AUDIT_USER_CREATE);
}

static struct credential key_credential(struct fixture *f, const char *prefix, unsigned number)
{
    return (struct credential){
        .id = fixture_text(f, prefix, number),
        .kind = CREDENTIAL_API_KEY,
        .hash = SPAN("\x01"
                     "0123456789abcdef0123456789abcde\0"),
        .sealed = SPAN("sealed\0bytes"),
        .hint = SPAN("wxyz"),
        .created_at = 1700000001,
    };
}

static enum status make_key(struct fixture *f, unsigned number, struct span owner_id,
                            struct span user_id)
{
    struct corpus_grant grant = {SPAN("key-1"), SPAN("crp_1"), CORPUS_ROLE_VIEWER};
    struct credential credential = key_credential(f, "crd_k", number);
    struct principal key = {
        .kind = PRINCIPAL_API_KEY,
        .id = fixture_text(f, "aky_", number),
        .account_id = ACCOUNT,
        .owner_id = owner_id,
        .user_id = user_id,
        .owner_credential_id = SPAN("crd_1"),
        .api_key_role = user_id.len > 0 ? API_KEY_ROLE_PERSONAL : API_KEY_ROLE_SERVING,
        .name = fixture_text(f, "Key ", number),
        .is_enabled = true,
        .corpus_grants = &grant,
        .corpus_grant_count = user_id.len > 0 ? 0 : 1,
        .version = 1,
        .record_mac = SPAN("mac\0mac"),
        .created_at = 1700000001,
        .updated_at = 1700000001,
        .credentials = &credential,
        .credential_count = 1,
    };
    return create(f, &key, AUDIT_API_KEY_CREATE);
}

static enum status make_plain_key(struct fixture *f)
{
    return make_key(f, 1, SPAN("app_1"), SPAN(""));
}

static enum status make_users_key(struct fixture *f)
{
    return make_key(f, 2, USER_ID, SPAN(""));
}

static enum status make_personal_key(struct fixture *f)
{
    return make_key(f, 3, SPAN(""), USER_ID);
}

static enum status make_clients_key(struct fixture *f)
{
    return make_key(f, 4, fixture_text(f, "app_", ONCE), SPAN(""));
}

static enum status get_next(struct fixture *f, enum principal_kind kind, struct span id,
                            struct principal *ret)
{
    enter();
    enum status status =
        left(store_principal_get(f->store, kind, ACCOUNT, id, &f->arena, ret, &f->err));
    if (status == OK)
        ret->version++;
    return status;
}

static enum status update(struct fixture *f, const struct principal *principal,
                          enum audit_action action)
{
    const struct audit_event audit = fixture_audit(action, principal->id);
    enter();
    return left(store_principal_update(f->store, principal, &audit, &f->revision, &f->err));
}

static enum status update_user(struct fixture *f)
{
    struct principal user;
    enum status status = get_next(f, PRINCIPAL_USER, USER_NAME, &user);
    if (status != OK)
        return status;
    user.api_roles = 1u << API_ROLE_OWNER;
    user.description = SPAN("now an owner");
    user.has_description = true;
    return update(f, &user, AUDIT_USER_UPDATE);
}

static enum status disable_user(struct fixture *f)
{
    struct principal user;
    enum status status = get_next(f, PRINCIPAL_USER, USER_NAME, &user);
    if (status != OK)
        return status;
    user.is_enabled = false;
    return update(f, &user, AUDIT_USER_UPDATE);
}

static enum status delete_user(struct fixture *f)
{
    return delete_principal(f, PRINCIPAL_USER, USER_ID, AUDIT_USER_DELETE);
}

static enum status disable_key(struct fixture *f)
{
    struct principal key;
    enum status status = get_next(f, PRINCIPAL_API_KEY, SPAN("aky_1"), &key);
    if (status != OK)
        return status;
    key.is_enabled = false;
    return update(f, &key, AUDIT_API_KEY_UPDATE);
}

static enum status use_key(struct fixture *f)
{
    return add_use_of(f, "crd_k", 1);
}

/* Another credential takes the place of the one that was used. */
static enum status regenerate_key(struct fixture *f)
{
    struct principal key;
    enum status status = get_next(f, PRINCIPAL_API_KEY, SPAN("aky_1"), &key);
    if (status != OK)
        return status;
    struct credential credential = key_credential(f, "crd_again", 1);
    key.credentials = &credential;
    key.credential_count = 1;
    const struct audit_event audit = fixture_audit(AUDIT_API_KEY_REGENERATE, key.id);
    enter();
    return left(store_principal_update_credentials(f->store, &key, &audit, &f->revision, &f->err));
}

static enum status delete_key(struct fixture *f)
{
    return delete_principal(f, PRINCIPAL_API_KEY, SPAN("aky_1"), AUDIT_API_KEY_DELETE);
}

/* --- The steps --- */

static enum status set_meta(struct fixture *f)
{
    enter();
    return left(store_meta_set(f->store, SPAN("fact"), SPAN("value"), &f->err));
}

static enum status (*const steps[WORKLOAD_SHORT])(struct fixture *f) = {
    [WORKLOAD_OPEN] = open_store,
    [STEP_ACCOUNT] = make_account,
    [STEP_META] = set_meta,
    [STEP_KEY] = add_key,
    [STEP_USES] = add_uses,
    [STEP_CORPUS_DELETE] = delete_corpus,
    [STEP_CLIENT_DELETE] = delete_client,
    [STEP_ACCOUNT_UPDATE] = update_account,
    [WORKLOAD_REOPEN] = reopen,
    [STEP_IDEMPOTENT] = make_once,
    [STEP_AUDIT] = add_audit,
    [STEP_TOKEN_REVOKE] = revoke_token,
    [STEP_CORPUS_UPDATE] = update_corpus,
    [STEP_USER] = make_user,
    [STEP_API_KEY] = make_plain_key,
    [STEP_USERS_API_KEY] = make_users_key,
    [STEP_PERSONAL_API_KEY] = make_personal_key,
    [STEP_CLIENTS_API_KEY] = make_clients_key,
    [STEP_USER_UPDATE] = update_user,
    [STEP_API_KEY_DISABLE] = disable_key,
    [STEP_API_KEY_USE] = use_key,
    [STEP_API_KEY_REGENERATE] = regenerate_key,
    [STEP_USER_DISABLE] = disable_user,
    [STEP_OWNING_CLIENT_DELETE] = delete_owning_client,
    [STEP_USER_DELETE] = delete_user,
    [STEP_API_KEY_DELETE] = delete_key,
    [STEP_ACCOUNT_DISABLE] = disable_account,
    [STEP_ACCOUNT_ENABLE] = update_account,
};

enum status workload_step(struct fixture *f, size_t n)
{
    f->err = (struct err){0};
    if (n < ARRAY_LEN(steps) && steps[n] != NULL)
        return steps[n](f);
    if (n < STEP_CLIENTS)
        return make_corpus(f, (unsigned)(n - STEP_CORPORA) + 1);
    if (n < STEP_UPDATES)
        return make_client(f, (unsigned)(n - STEP_CLIENTS) + 1);
    return update_client(f, (unsigned)(n % KEPT) + 1, n);
}

static bool has(struct fixture *f, enum principal_kind kind, struct span id)
{
    struct principal principal;
    enum status status =
        store_principal_get(f->store, kind, ACCOUNT, id, &f->arena, &principal, &f->err);
    assert_true(status == OK || status == NOT_FOUND);
    return status == OK;
}

/* The keys by the steps that make and delete them. */
void workload_check(struct fixture *f, size_t steps_done)
{
    static const struct {
        enum principal_kind kind;
        const char *id;
        size_t made_in;
        size_t gone_in;
    } lives[] = {
        {PRINCIPAL_USER, "ada", STEP_USER, STEP_USER_DELETE},
        {PRINCIPAL_API_KEY, "aky_1", STEP_API_KEY, STEP_API_KEY_DELETE},
        {PRINCIPAL_API_KEY, "aky_2", STEP_USERS_API_KEY, STEP_USER_DELETE},
        {PRINCIPAL_API_KEY, "aky_3", STEP_PERSONAL_API_KEY, STEP_USER_DELETE},
        {PRINCIPAL_API_KEY, "aky_4", STEP_CLIENTS_API_KEY, STEP_OWNING_CLIENT_DELETE},
        {PRINCIPAL_APP_CLIENT, "app_100", STEP_IDEMPOTENT, STEP_OWNING_CLIENT_DELETE},
        {PRINCIPAL_APP_CLIENT, "app_9", STEP_CLIENTS + DELETED - 1, STEP_CLIENT_DELETE},
    };
    for (size_t i = 0; i < ARRAY_LEN(lives); i++) {
        bool is_alive = steps_done > lives[i].made_in && steps_done <= lives[i].gone_in;
        assert_int_equal(has(f, lives[i].kind, span_of(lives[i].id, strlen(lives[i].id))),
                         is_alive);
    }
}
