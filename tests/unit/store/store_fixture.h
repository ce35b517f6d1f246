/* SPDX-License-Identifier: Apache-2.0 */
/* A store on a real file in a directory of its own, and the rows that most tests begin with. */
#pragma once

#include "base/arena.h"
#include "store/store.h"

#include "../unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct fixture {
    char directory[64];
    int data_fd;
    int64_t now; /* microseconds, given to store_open() */
    struct store *store;
    struct arena arena;
    struct err err;
    int64_t revision;
    struct span existing_id;
    size_t change_count;
    size_t reopenings; /* heard by the listener */
    int64_t last_change;
    char last_kind[32];
    char last_id[64];
};

#define ACCOUNT       SPAN("acc_1")
#define OTHER_ACCOUNT SPAN("acc_2")

static inline void fixture_listen(void *context, const struct store_change *change)
{
    struct fixture *f = context;
    if (span_equal(change->kind,
                   SPAN("*"))) { /* no change: opened again, the number is an old one */
        f->reopenings++;
        return;
    }
    assert_true(change->revision > f->last_change);
    f->change_count++;
    f->last_change = change->revision;
    (void)snprintf(f->last_kind, sizeof f->last_kind, "%.*s", SPAN_FMT(change->kind));
    (void)snprintf(f->last_id, sizeof f->last_id, "%.*s", SPAN_FMT(change->id));
}

static inline enum status fixture_try_open(struct fixture *f)
{
    const struct store_options options = {
        .data_fd = f->data_fd,
        .path = f->directory,
        .now = f->now,
        .readers = 2,
        .on_change = fixture_listen,
        .change_context = f,
    };
    f->err = (struct err){0};
    return store_open(&options, &f->store, &f->err);
}

/* Asserts OK and shows the reason when it is not. */
#define assert_ok(f, call)                                                                         \
    do {                                                                                           \
        (f)->err = (struct err){0};                                                                \
        enum status assert_status_ = (call);                                                       \
        if (assert_status_ != OK)                                                                  \
            print_error("%s: %s\n", status_name(assert_status_), (f)->err.detail);                 \
        assert_int_equal(assert_status_, OK);                                                      \
    } while (0)

#define assert_status(f, call, status)                                                             \
    do {                                                                                           \
        (f)->err = (struct err){0};                                                                \
        assert_int_equal((call), (status));                                                        \
    } while (0)

static inline void fixture_reopen(struct fixture *f)
{
    store_close(f->store);
    f->store = NULL;
    assert_ok(f, fixture_try_open(f));
}

static inline struct audit_event fixture_audit(enum audit_action action, struct span target_id)
{
    return (struct audit_event){
        .account_id = ACCOUNT,
        .actor_kind = SPAN("control"),
        .actor_id = SPAN("uid 0 pid 1"),
        .request_id = SPAN("req_1"),
        .action = action,
        .target_id = target_id,
        .at = 1700000000,
    };
}

/* An account's first user. */
static inline struct principal fixture_owner(struct span id, struct span account_id)
{
    return (struct principal){
        .kind = PRINCIPAL_USER,
        .id = id,
        .account_id = account_id,
        .name = SPAN("owner"),
        .is_enabled = true,
        .api_roles = 1u << API_ROLE_OWNER,
        .version = 1,
        .record_mac = SPAN("mac"),
        .created_at = 1700000000,
        .updated_at = 1700000000,
    };
}

static inline void fixture_account(struct fixture *f, struct span id)
{
    const struct principal owner =
        fixture_owner(span_equal(id, ACCOUNT) ? SPAN("usr_1") : SPAN("usr_2"), id);
    const struct account_new account = {
        .account_id = id,
        .name = SPAN("Main"),
        .owner = &owner,
        .now = 1700000000,
    };
    struct audit_event audit = fixture_audit(AUDIT_ACCOUNT_CREATE, id);
    audit.account_id = id;
    assert_ok(f, store_account_create(f->store, &account, &audit, &f->revision, &f->err));
}

static inline void fixture_make_directory(struct fixture *f)
{
    const char *base = getenv("TMPDIR");
    (void)snprintf(f->directory, sizeof f->directory, "%s/postern-store-XXXXXX",
                   base == NULL || strlen(base) > 30 ? "/tmp" : base);
    assert_non_null(mkdtemp(f->directory));
    f->data_fd = open(f->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(f->data_fd >= 0);
}

/* Without accounts. */
static inline int fixture_setup_empty(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    arena_init(&f->arena, 64 << 20);
    f->now = 1000;
    fixture_make_directory(f);
    assert_ok(f, fixture_try_open(f));
    *state = f;
    return 0;
}

static inline int fixture_setup(void **state)
{
    (void)fixture_setup_empty(state);
    fixture_account(*state, ACCOUNT);
    fixture_account(*state, OTHER_ACCOUNT);
    return 0;
}

static inline int fixture_teardown(void **state)
{
    static const char *const files[] = {"postern.db", "postern.db-wal", "postern.db-shm",
                                        "postern.db-journal"};
    struct fixture *f = *state;
    store_close(f->store);
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        (void)unlinkat(f->data_fd, files[i], 0);
    (void)close(f->data_fd);
    assert_int_equal(rmdir(f->directory), 0); /* nothing else was left there */
    arena_done(&f->arena);
    free(f);
    return 0;
}

/* Text that differs by number, in the fixture's memory. */
static inline struct span fixture_text(struct fixture *f, const char *prefix, unsigned number)
{
    struct span text = arena_printf(&f->arena, "%s%u", prefix, number);
    assert_non_null(text.ptr);
    return text;
}

/* A client with one secret, no roles and no grants; number makes its ids. */
static inline struct principal fixture_client(struct fixture *f, unsigned number)
{
    struct credential *credential = arena_zalloc(&f->arena, 1, sizeof *credential);
    assert_non_null(credential);
    *credential = (struct credential){
        .id = fixture_text(f, "crd_", number),
        .kind = CREDENTIAL_CLIENT_SECRET,
        .hash = SPAN("\x01"
                     "0123456789abcdef0123456789abcde\0"),
        .sealed = SPAN("sealed\0bytes"),
        .hint = SPAN("wxyz"),
        .created_at = 1700000001,
    };
    return (struct principal){
        .id = fixture_text(f, "app_", number),
        .account_id = ACCOUNT,
        .client_id = fixture_text(f, "client", number),
        .name = fixture_text(f, "Client ", number),
        .is_enabled = true,
        .version = 1,
        .record_mac = SPAN("mac\0mac"),
        .created_at = 1700000001,
        .updated_at = 1700000002,
        .credentials = credential,
        .credential_count = 1,
    };
}

static inline enum status fixture_try_create(struct fixture *f, const struct principal *client,
                                             const struct store_idempotency *idempotency)
{
    struct audit_event audit = fixture_audit(AUDIT_APP_CLIENT_CREATE, client->id);
    audit.account_id = client->account_id;
    f->err = (struct err){0};
    return store_principal_create(f->store, client, idempotency, &audit, &f->arena,
                                   &f->existing_id, &f->revision, &f->err);
}

static inline void fixture_create(struct fixture *f, const struct principal *client)
{
    assert_ok(f, fixture_try_create(f, client, NULL));
    assert_int_equal(f->existing_id.len, 0);
}

static inline struct principal fixture_get(struct fixture *f, struct span id)
{
    struct principal client = {0};
    assert_ok(f, store_principal_get(f->store, PRINCIPAL_APP_CLIENT, ACCOUNT, id, &f->arena, &client, &f->err));
    return client;
}

static inline struct corpus fixture_corpus(struct fixture *f, unsigned number)
{
    return (struct corpus){
        .id = fixture_text(f, "crp_", number),
        .key = fixture_text(f, "key-", number),
        .account_id = ACCOUNT,
        .name = fixture_text(f, "Corpus ", number),
        .is_enabled = true,
        .encoder_name = SPAN("boomerang-2023-q3"),
        .filter_attributes = SPAN("[]"),
        .custom_dimensions = SPAN("[]"),
        .version = 1,
        .created_at = 1700000001,
        .updated_at = 1700000001,
    };
}

static inline enum status fixture_try_create_corpus(struct fixture *f, const struct corpus *corpus,
                                                    const struct store_idempotency *idempotency)
{
    struct audit_event audit = fixture_audit(AUDIT_CORPUS_CREATE, corpus->id);
    audit.account_id = corpus->account_id;
    f->err = (struct err){0};
    return store_corpus_create(f->store, corpus, idempotency, &audit, &f->arena, &f->existing_id,
                               &f->revision, &f->err);
}

static inline void fixture_create_corpus(struct fixture *f, const struct corpus *corpus)
{
    assert_ok(f, fixture_try_create_corpus(f, corpus, NULL));
}

/* How many audit events the account has. */
static inline size_t fixture_audit_count(struct fixture *f, struct span account_id)
{
    struct audit_row *rows;
    size_t count = 0;
    assert_ok(f, store_audit_list(f->store, account_id, INT64_MAX, 10000, &f->arena, &rows, &count,
                                  &f->err));
    return count;
}

#define store_test(function)                                                                       \
    cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)
#define empty_store_test(function)                                                                 \
    cmocka_unit_test_setup_teardown(function, fixture_setup_empty, fixture_teardown)
