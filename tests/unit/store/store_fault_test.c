/* SPDX-License-Identifier: Apache-2.0 */
/* What the store does when the disk fails it. This program's fsync and fdatasync stand before the
 * C library's, and SQLite lets its pwrite be replaced. */
#include "store_fixture.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static atomic_bool is_sync_failing; /* read by whichever thread SQLite syncs in */
static int write_error;             /* 0: writes work */

int fsync(int fd)
{
    if (is_sync_failing) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    if (is_sync_failing) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, fd);
}

static ssize_t failing_pwrite(int fd, const void *bytes, size_t size, off64_t offset)
{
    if (write_error != 0) {
        errno = write_error;
        return -1;
    }
    return pwrite64(fd, bytes, size, offset);
}

static int setup(void **state)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    assert_int_equal(vfs->xSetSystemCall(vfs, "pwrite64", (sqlite3_syscall_ptr)failing_pwrite),
                     SQLITE_OK);
    return fixture_setup(state);
}

static bool has_client(struct fixture *f, struct span id)
{
    struct principal got;
    enum status status = store_principal_get(f->store, PRINCIPAL_APP_CLIENT, ACCOUNT, id, &f->arena, &got, NULL);
    assert_true(status == OK || status == NOT_FOUND);
    return status == OK;
}

/* The outcome is unknown, but not open: what is read afterwards is what stays. */
static void a_commit_that_cannot_be_synced_is_unavailable_and_then_settled(void **state)
{
    struct fixture *f = *state;
    struct principal before = fixture_client(f, 1);
    fixture_create(f, &before);
    size_t heard = f->change_count;
    struct principal client = fixture_client(f, 2);
    is_sync_failing = true;
    assert_status(f, fixture_try_create(f, &client, NULL), UNAVAILABLE);
    struct principal other = fixture_client(f, 3);
    assert_status(f, fixture_try_create(f, &other, NULL), UNAVAILABLE);
    struct principal got;
    assert_status(f, store_principal_get(f->store, PRINCIPAL_APP_CLIENT, ACCOUNT, before.id, &f->arena, &got, &f->err),
                  UNAVAILABLE); /* it does not open without a sync */
    assert_status(f, store_ping(f->store, &f->err), UNAVAILABLE);
    is_sync_failing = false;
    assert_int_equal(f->change_count, heard);

    bool was_kept = has_client(f, client.id);
    assert_true(has_client(f, before.id));
    assert_false(has_client(f, other.id));
    assert_ok(f, store_ping(f->store, &f->err));
    assert_int_equal(f->reopenings, 1); /* who keeps something of it is told */
    fixture_create(f, &other);
    assert_int_equal(f->change_count, heard + 1);
    fixture_reopen(f);
    assert_int_equal(has_client(f, client.id), was_kept);
    assert_true(has_client(f, other.id));
}

static void a_full_disk_is_a_plain_rollback(void **state)
{
    struct fixture *f = *state;
    struct principal client = fixture_client(f, 1);
    int64_t revision = store_revision(f->store);
    write_error = ENOSPC;
    assert_status(f, fixture_try_create(f, &client, NULL), UNAVAILABLE);
    assert_false(has_client(f, client.id)); /* reading goes on meanwhile */
    assert_int_equal(store_revision(f->store), revision);
    write_error = 0;
    fixture_create(f, &client);
    assert_int_equal(f->revision, revision + 1);
    assert_int_equal(fixture_audit_count(f, ACCOUNT), 2);
}

static void a_write_error_is_survived(void **state)
{
    struct fixture *f = *state;
    struct principal client = fixture_client(f, 1);
    write_error = EIO;
    assert_status(f, fixture_try_create(f, &client, NULL), UNAVAILABLE);
    write_error = 0;
    assert_false(has_client(f, client.id));
    fixture_create(f, &client);
    fixture_reopen(f);
    assert_true(has_client(f, client.id));
}

struct watcher {
    struct fixture *f;
    atomic_bool is_done;
    bool was_wrong; /* an answer that was neither the client nor UNAVAILABLE */
};

static void *watch(void *context)
{
    struct watcher *watcher = context;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    while (!atomic_load(&watcher->is_done)) {
        struct principal got;
        enum status status =
            store_principal_get(watcher->f->store, PRINCIPAL_APP_CLIENT, ACCOUNT, SPAN("app_1"), &arena, &got, NULL);
        watcher->was_wrong |= status != OK && status != UNAVAILABLE;
        arena_reset(&arena);
    }
    arena_done(&arena);
    return NULL;
}

/* Closing everything waits for readers, and readers wait for the opening. */
static void readers_live_through_a_broken_writer(void **state)
{
    struct fixture *f = *state;
    struct principal client = fixture_client(f, 1);
    fixture_create(f, &client);
    struct watcher watchers[3];
    pthread_t threads[ARRAY_LEN(watchers)];
    for (size_t i = 0; i < ARRAY_LEN(watchers); i++) {
        watchers[i] = (struct watcher){.f = f};
        assert_int_equal(pthread_create(&threads[i], NULL, watch, &watchers[i]), 0);
    }
    for (unsigned round = 0; round < 10; round++) {
        struct principal lost = fixture_client(f, 100 + round);
        struct principal kept = fixture_client(f, 200 + round);
        is_sync_failing = true;
        assert_status(f, fixture_try_create(f, &lost, NULL), UNAVAILABLE);
        is_sync_failing = false;
        assert_ok(f, fixture_try_create(f, &kept, NULL));
    }
    for (size_t i = 0; i < ARRAY_LEN(watchers); i++) {
        atomic_store(&watchers[i].is_done, true);
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_false(watchers[i].was_wrong);
    }
}

/* The process dies: nothing is closed, the log stays as it is. */
static void what_was_acknowledged_outlives_the_process(void **state)
{
    struct fixture *f = *state;
    store_close(f->store); /* a connection does not go over a fork */
    f->store = NULL;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (fixture_try_open(f) != OK)
            _exit(1);
        struct principal client = fixture_client(f, 1);
        _exit(fixture_try_create(f, &client, NULL) == OK ? 0 : 2);
    }
    int how = -1;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_int_equal(how, 0);
    assert_int_equal(faccessat(f->data_fd, "postern.db-wal", F_OK, 0), 0);
    assert_ok(f, fixture_try_open(f));
    assert_true(has_client(f, SPAN("app_1")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_commit_that_cannot_be_synced_is_unavailable_and_then_settled, setup,
            fixture_teardown),
        cmocka_unit_test_setup_teardown(a_full_disk_is_a_plain_rollback, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_write_error_is_survived, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(readers_live_through_a_broken_writer, setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(what_was_acknowledged_outlives_the_process, setup,
                                        fixture_teardown),
    };
    return RUN_TESTS(tests);
}
