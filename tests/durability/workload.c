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
    DELETED = 9, /* this client goes */
    KEPT = 8,    /* the clients before it stay, and are changed again and again */
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
    enum status status =
        left(store_principal_get(f->store, PRINCIPAL_APP_CLIENT, ACCOUNT, id, &f->arena, &client, &f->err));
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

static enum status add_uses(struct fixture *f)
{
    struct credential_use uses[KEPT];
    for (unsigned i = 0; i < KEPT; i++)
        uses[i] = (struct credential_use){
            .credential_id = fixture_text(f, "crd_", i + 1),
            .first_at = 1700000000,
            .last_at = 1700000100,
            .count = 5,
            .last_address = SPAN("192.0.2.1"),
        };
    enter();
    return left(store_use_add(f->store, uses, KEPT, &f->err));
}

static enum status delete_client(struct fixture *f)
{
    struct span id = fixture_text(f, "app_", DELETED);
    const struct audit_event audit = fixture_audit(AUDIT_APP_CLIENT_DELETE, id);
    enter();
    return left(store_principal_delete(f->store, PRINCIPAL_APP_CLIENT, ACCOUNT, id, &audit,
                                        &f->revision, &f->err));
}

static enum status delete_corpus(struct fixture *f)
{
    const struct audit_event audit = fixture_audit(AUDIT_CORPUS_DELETE, SPAN("crp_3"));
    enter();
    return left(
        store_corpus_delete(f->store, ACCOUNT, SPAN("key-3"), &audit, &f->revision, &f->err));
}

static enum status update_account(struct fixture *f)
{
    const struct account account = {.id = ACCOUNT,
                                    .name = SPAN("Renamed"),
                                    .token_ttl_seconds = 600,
                                    .is_enabled = true,
                                    .version = 2};
    const struct audit_event audit = fixture_audit(AUDIT_ACCOUNT_UPDATE, ACCOUNT);
    enter();
    return left(store_account_update(f->store, &account, &audit, &f->revision, &f->err));
}

static enum status make_once(struct fixture *f)
{
    const struct principal client = fixture_client(f, 100);
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

enum status workload_step(struct fixture *f, size_t n)
{
    f->err = (struct err){0};
    switch (n) {
    case WORKLOAD_OPEN:
        return open_store(f);
    case WORKLOAD_REOPEN:
        return reopen(f);
    case STEP_ACCOUNT:
        return make_account(f);
    case STEP_META:
        enter();
        return left(store_meta_set(f->store, SPAN("fact"), SPAN("value"), &f->err));
    case STEP_KEY:
        return add_key(f);
    case STEP_USES:
        return add_uses(f);
    case STEP_CORPUS_DELETE:
        return delete_corpus(f);
    case STEP_CLIENT_DELETE:
        return delete_client(f);
    case STEP_ACCOUNT_UPDATE:
        return update_account(f);
    case STEP_IDEMPOTENT:
        return make_once(f);
    case STEP_AUDIT:
        return add_audit(f);
    case STEP_TOKEN_REVOKE:
        return revoke_token(f);
    case STEP_CORPUS_UPDATE:
        return update_corpus(f);
    default:
        break;
    }
    if (n < STEP_CLIENTS)
        return make_corpus(f, (unsigned)(n - STEP_CORPORA) + 1);
    if (n < STEP_UPDATES)
        return make_client(f, (unsigned)(n - STEP_CLIENTS) + 1);
    return update_client(f, (unsigned)(n % KEPT) + 1, n);
}
