/* SPDX-License-Identifier: Apache-2.0 */
#include "store_fixture.h"

#include <sys/stat.h>

enum { PAGE_BYTES = 4096 };

static void files_are_the_owners_alone(void **state)
{
    struct fixture *f = *state;
    static const char *const files[] = {"postern.db", "postern.db-wal", "postern.db-shm"};
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        struct stat found;
        assert_int_equal(fstatat(f->data_fd, files[i], &found, AT_SYMLINK_NOFOLLOW), 0);
        assert_int_equal(found.st_mode & 0777, 0600);
    }
}

static void a_clean_close_leaves_one_file(void **state)
{
    struct fixture *f = *state;
    store_close(f->store);
    f->store = NULL;
    assert_int_equal(faccessat(f->data_fd, "postern.db", F_OK, 0), 0);
    assert_int_equal(faccessat(f->data_fd, "postern.db-wal", F_OK, 0), -1);
    store_close(NULL);
}

static void the_directory_may_be_moved_and_out_of_reach(void **state)
{
    struct fixture *f = *state;
    char elsewhere[80];
    (void)snprintf(elsewhere, sizeof elsewhere, "%s-moved", f->directory);
    assert_int_equal(rename(f->directory, elsewhere), 0);
    fixture_reopen(f); /* by the descriptor: the old name is gone */
    fixture_account(f, ACCOUNT);
    assert_int_equal(rename(elsewhere, f->directory), 0);
}

static void a_link_in_place_of_the_database_is_refused(void **state)
{
    struct fixture *f = *state;
    store_close(f->store);
    f->store = NULL;
    assert_int_equal(renameat(f->data_fd, "postern.db", f->data_fd, "elsewhere.db"), 0);
    assert_int_equal(symlinkat("elsewhere.db", f->data_fd, "postern.db"), 0);
    assert_status(f, fixture_try_open(f), UNAVAILABLE);
    assert_null(f->store);
    assert_int_equal(unlinkat(f->data_fd, "elsewhere.db", 0), 0);
}

/* Each page but the first, in turn: a page of no kind. */
static void a_damaged_page_is_found(void **state)
{
    struct fixture *f = *state;
    char page[PAGE_BYTES];
    assert_ok(f, store_check(f->store, &f->err));
    store_close(f->store);
    f->store = NULL;
    int fd = openat(f->data_fd, "postern.db", O_RDWR | O_CLOEXEC);
    off_t size = lseek(fd, 0, SEEK_END);
    size_t found = 0;
    size_t refused = 0;
    for (off_t at = PAGE_BYTES; at < size; at += PAGE_BYTES) {
        assert_int_equal(pread(fd, page, sizeof page, at), sizeof page);
        char kind = page[0];
        page[0] ^= 0x40;
        assert_int_equal(pwrite(fd, page, sizeof page, at), sizeof page);
        if (fixture_try_open(f) == OK) {
            assert_status(f, store_check(f->store, &f->err), CORRUPT);
            found++;
            store_close(f->store);
            f->store = NULL;
        } else {
            refused++;
        }
        page[0] = kind;
        assert_int_equal(pwrite(fd, page, sizeof page, at), sizeof page);
    }
    assert_int_equal(close(fd), 0);
    assert_true(found > 0 && found + refused == (size_t)size / PAGE_BYTES - 1);
    assert_ok(f, fixture_try_open(f));
    assert_ok(f, store_check(f->store, &f->err));
}

static void what_is_no_database_is_refused(void **state)
{
    struct fixture *f = *state;
    store_close(f->store);
    f->store = NULL;
    int fd = openat(f->data_fd, "postern.db", O_WRONLY | O_TRUNC | O_CLOEXEC);
    char junk[8192];
    memset(junk, 'j', sizeof junk);
    assert_int_equal(write(fd, junk, sizeof junk), sizeof junk);
    assert_int_equal(close(fd), 0);
    assert_status(f, fixture_try_open(f), CORRUPT);
    assert_null(f->store);
}

static void revisions_rise_and_are_heard(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(store_revision(f->store), 1000);
    fixture_account(f, ACCOUNT);
    assert_int_equal(f->revision, 1001);
    assert_int_equal(f->last_change, 1001);
    struct principal client = fixture_client(f, 1);
    fixture_create(f, &client);
    assert_int_equal(f->revision, 1002);
    assert_int_equal(store_revision(f->store), 1002);
    assert_int_equal(f->change_count, 2);
    assert_string_equal(f->last_kind, "app_client");
    assert_string_equal(f->last_id, "client1");
}

/* So a backup that is put back gives no number twice. */
static void opening_raises_the_revision_to_the_clock_but_never_lowers_it(void **state)
{
    struct fixture *f = *state;
    fixture_account(f, ACCOUNT);
    f->now = 1;
    fixture_reopen(f);
    assert_int_equal(store_revision(f->store), 1001);
    f->now = 1700000000000000;
    fixture_reopen(f);
    assert_int_equal(store_revision(f->store), 1700000000000000);
    struct principal client = fixture_client(f, 1);
    fixture_create(f, &client);
    assert_int_equal(f->revision, 1700000000000001);
}

static void a_new_store_object_finds_everything(void **state)
{
    struct fixture *f = *state;
    fixture_account(f, ACCOUNT);
    struct principal client = fixture_client(f, 1);
    fixture_create(f, &client);
    int64_t revision = f->revision;
    fixture_reopen(f);
    assert_int_equal(store_revision(f->store), revision);
    struct principal got = fixture_get(f, client.id);
    assert_span_equal(got.client_id, "client1");
    assert_int_equal(got.sequence, revision);
    assert_int_equal(fixture_audit_count(f, ACCOUNT), 2);
}

static void ping_answers_and_changes_nothing(void **state)
{
    struct fixture *f = *state;
    assert_ok(f, store_ping(f->store, &f->err));
    assert_int_equal(store_revision(f->store), 1000);
    assert_int_equal(f->change_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        empty_store_test(files_are_the_owners_alone),
        empty_store_test(a_clean_close_leaves_one_file),
        empty_store_test(the_directory_may_be_moved_and_out_of_reach),
        empty_store_test(a_link_in_place_of_the_database_is_refused),
        empty_store_test(a_damaged_page_is_found),
        empty_store_test(what_is_no_database_is_refused),
        empty_store_test(revisions_rise_and_are_heard),
        empty_store_test(opening_raises_the_revision_to_the_clock_but_never_lowers_it),
        empty_store_test(a_new_store_object_finds_everything),
        empty_store_test(ping_answers_and_changes_nothing),
    };
    return RUN_TESTS(tests);
}
