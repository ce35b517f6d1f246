/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor/users.h"

#include "../unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A data directory of root's with a database; other tests need no root, these do. */
struct fixture {
    char path[64];
    int fd;
};

static void make_file(int fd, const char *name)
{
    int file = openat(fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(file >= 0);
    (void)close(file);
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    if (fixture == NULL)
        return -1;
    (void)snprintf(fixture->path, sizeof fixture->path, "/tmp/postern-users-XXXXXX");
    if (mkdtemp(fixture->path) == NULL)
        return -1;
    fixture->fd = open(fixture->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *state = fixture;
    return fixture->fd >= 0 ? 0 : -1;
}

static int teardown(void **state)
{
    static const char *const files[] = {"postern.db", "postern.db-wal", "other", "lock"};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        (void)unlinkat(fixture->fd, files[i], 0);
    (void)unlinkat(fixture->fd, "events", AT_REMOVEDIR);
    (void)close(fixture->fd);
    int result = rmdir(fixture->path);
    free(fixture);
    return result;
}

static struct stat look(int fd, const char *name)
{
    struct stat info;
    assert_int_equal(fstatat(fd, name, &info, AT_SYMLINK_NOFOLLOW), 0);
    return info;
}

static void not_as_root_nothing_changes(void **state)
{
    const struct fixture *fixture = *state;
    struct users users = {.are_changed = true};
    if (geteuid() == 0)
        skip();
    struct stat before = look(fixture->fd, ".");
    assert_int_equal(users_choose(fixture->fd, &users, NULL), OK);
    assert_false(users.are_changed || users.are_separate);
    assert_int_equal(look(fixture->fd, ".").st_mode, before.st_mode);
    assert_int_equal(users_check(&users, SPAN("strict"), NULL), OK);
}

static void root_gives_the_front_what_it_writes_and_nothing_else(void **state)
{
    const struct fixture *fixture = *state;
    struct users users;
    if (geteuid() != 0)
        skip();
    make_file(fixture->fd, "postern.db");
    make_file(fixture->fd, "postern.db-wal");
    make_file(fixture->fd, "lock");
    assert_int_equal(mkdirat(fixture->fd, "events", 0700), 0);
    assert_int_equal(users_choose(fixture->fd, &users, NULL), OK);
    if (!users.are_separate) /* a host that does not let root do it */
        skip();
    assert_int_not_equal(users.front.uid, users.signer.uid);
    assert_int_equal(look(fixture->fd, ".").st_mode & 07777, 01770);
    assert_int_equal(look(fixture->fd, ".").st_uid, 0);
    assert_int_equal(look(fixture->fd, ".").st_gid, users.front.gid);
    assert_int_equal(look(fixture->fd, "postern.db").st_uid, users.front.uid);
    assert_int_equal(look(fixture->fd, "postern.db-wal").st_uid, users.front.uid);
    assert_int_equal(look(fixture->fd, "events").st_uid, users.front.uid);
    assert_int_equal(look(fixture->fd, "lock").st_uid, 0);
    assert_int_equal(users_check(&users, SPAN("strict"), NULL), OK);
    assert_int_equal(users_choose(fixture->fd, &users, NULL), OK); /* again: nothing to do */
}

static void what_may_lead_elsewhere_is_not_given(void **state)
{
    const struct fixture *fixture = *state;
    struct users users;
    struct err err = {0};
    if (geteuid() != 0)
        skip();
    make_file(fixture->fd, "other");
    assert_int_equal(linkat(fixture->fd, "other", fixture->fd, "postern.db", 0), 0);
    assert_int_equal(users_choose(fixture->fd, &users, &err), FORBIDDEN);
    assert_int_equal(look(fixture->fd, "other").st_uid, 0);
    assert_int_equal(unlinkat(fixture->fd, "postern.db", 0), 0);
    assert_int_equal(symlinkat("other", fixture->fd, "postern.db"), 0);
    assert_int_equal(users_choose(fixture->fd, &users, &err), FORBIDDEN);
    assert_int_equal(look(fixture->fd, "other").st_uid, 0);
}

static void a_directory_of_somebody_else_is_served_as_that_user(void **state)
{
    const struct fixture *fixture = *state;
    struct users users;
    if (geteuid() != 0)
        skip();
    make_file(fixture->fd, "postern.db");
    assert_int_equal(fchown(fixture->fd, 65000, 65000), 0);
    assert_int_equal(users_choose(fixture->fd, &users, NULL), OK);
    assert_true(users.are_changed);
    assert_false(users.are_separate);
    assert_int_equal(users.front.uid, 65000);
    assert_int_equal(users.signer.uid, 65000);
    assert_int_equal(look(fixture->fd, ".").st_uid, 65000);
    assert_int_equal(users_check(&users, SPAN("auto"), NULL), OK);
    assert_int_equal(users_check(&users, SPAN("strict"), NULL), FORBIDDEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(not_as_root_nothing_changes, setup, teardown),
        cmocka_unit_test_setup_teardown(root_gives_the_front_what_it_writes_and_nothing_else, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_may_lead_elsewhere_is_not_given, setup, teardown),
        cmocka_unit_test_setup_teardown(a_directory_of_somebody_else_is_served_as_that_user, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
