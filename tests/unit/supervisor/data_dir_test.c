/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor/data_dir.h"

#include "../unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

struct bench {
    char parent[64];
    char path[80]; /* parent/data: not made yet */
    struct data_dir dir;
    struct err err;
};

static int setup(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    assert_non_null(bench);
    (void)snprintf(bench->parent, sizeof bench->parent, "/tmp/postern-data-XXXXXX");
    assert_non_null(mkdtemp(bench->parent));
    (void)snprintf(bench->path, sizeof bench->path, "%s/data", bench->parent);
    bench->dir = (struct data_dir){-1, -1, -1};
    *state = bench;
    return 0;
}

static void bench_close(struct bench *bench)
{
    const int fds[] = {bench->dir.fd, bench->dir.lock_fd, bench->dir.kek_fd};
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        if (fds[i] >= 0)
            (void)close(fds[i]);
    }
    bench->dir = (struct data_dir){-1, -1, -1};
}

/* Everything that may be there goes; anything else makes the last rmdir fail. */
static int teardown(void **state)
{
    static const char *const files[] = {"keys/kek", "keys/kek.new", "keys",        "lock",
                                        "target",   "postern.db",   "control.sock"};
    struct bench *bench = *state;
    bench_close(bench);
    int fd = open(bench->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; fd >= 0 && i < ARRAY_LEN(files); i++) {
        if (unlinkat(fd, files[i], 0) != 0)
            (void)unlinkat(fd, files[i], AT_REMOVEDIR);
    }
    if (fd >= 0)
        (void)close(fd);
    (void)rmdir(bench->path);
    assert_int_equal(rmdir(bench->parent), 0);
    free(bench);
    return 0;
}

static enum status open_dir(struct bench *bench, bool initialise)
{
    bench->err = (struct err){0};
    return data_dir_open(span_cstr(bench->path), initialise, &bench->dir, &bench->err);
}

/* A whole directory, as the first start leaves it. */
static void initialise(struct bench *bench)
{
    assert_int_equal(open_dir(bench, true), OK);
    int fd = openat(bench->dir.fd, "postern.db", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    (void)close(fd);
    bench_close(bench);
}

static mode_t mode_of(const char *directory, const char *name)
{
    char path[160];
    struct stat info;
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    assert_int_equal(lstat(path, &info), 0);
    return info.st_mode & 07777;
}

static void write_kek(struct bench *bench, size_t size, mode_t mode)
{
    static const char bytes[64];
    char path[160];
    (void)snprintf(path, sizeof path, "%s/keys/kek", bench->path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), size);
    assert_int_equal(fchmod(fd, mode), 0);
    (void)close(fd);
}

static int open_fd_count(void)
{
    int count = 0;
    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void a_first_start_makes_what_only_its_owner_can_read(void **state)
{
    struct bench *bench = *state;
    char first[33] = {0};
    char again[33] = {0};
    mode_t mask = umask(0);
    assert_int_equal(open_dir(bench, true), OK);
    (void)umask(mask);
    assert_int_equal(mode_of(bench->parent, "data"), 0700);
    assert_int_equal(mode_of(bench->path, "keys"), 0700);
    assert_int_equal(mode_of(bench->path, "keys/kek"), 0600);
    assert_int_equal(mode_of(bench->path, "lock"), 0600);
    assert_int_equal(read(bench->dir.kek_fd, first, sizeof first), 32);
    assert_true(write(bench->dir.kek_fd, "x", 1) < 0); /* for reading only */
    const int fds[] = {bench->dir.fd, bench->dir.lock_fd, bench->dir.kek_fd};
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        assert_int_equal(fcntl(fds[i], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    bench_close(bench);

    /* The second start finds the same key. */
    assert_int_equal(open_dir(bench, true), OK);
    assert_int_equal(read(bench->dir.kek_fd, again, sizeof again), 32);
    assert_memory_equal(first, again, 32);
}

static void an_empty_directory_is_taken(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(mkdir(bench->path, 0700), 0);
    assert_int_equal(open_dir(bench, true), OK);
}

static void a_directory_never_initialised_keeps_no_trace(void **state)
{
    struct bench *bench = *state;
    int count = open_fd_count();
    assert_int_equal(open_dir(bench, false), NOT_FOUND);
    assert_int_equal(rmdir(bench->path), -1); /* was not made */
    assert_int_equal(errno, ENOENT);
    assert_int_equal(mkdir(bench->path, 0700), 0);
    assert_int_equal(open_dir(bench, false), NOT_FOUND);
    assert_non_null(strstr(bench->err.detail, "never initialised"));
    assert_int_equal(bench->dir.fd, -1);
    assert_int_equal(open_fd_count(), count);
    assert_int_equal(rmdir(bench->path), 0); /* is still empty */
}

static void a_first_start_that_made_no_database_was_no_start(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(open_dir(bench, true), OK);
    bench_close(bench);
    assert_int_equal(open_dir(bench, false), NOT_FOUND);
    assert_int_equal(open_dir(bench, true), OK);
}

static void an_offline_command_uses_what_is_there(void **state)
{
    struct bench *bench = *state;
    initialise(bench);
    assert_int_equal(open_dir(bench, false), OK);
    char word[40] = {0};
    char expected[40];
    (void)snprintf(expected, sizeof expected, "offline %ld\n", (long)getpid());
    assert_true(pread(bench->dir.lock_fd, word, sizeof word - 1, 0) > 0);
    assert_string_equal(word, expected);
    bench_close(bench);
    assert_int_equal(open_dir(bench, true), OK);
    memset(word, 0, sizeof word);
    (void)snprintf(expected, sizeof expected, "serving %ld\n", (long)getpid());
    assert_true(pread(bench->dir.lock_fd, word, sizeof word - 1, 0) > 0);
    assert_string_equal(word, expected);
}

static void a_missing_key_beside_a_database_is_not_made_anew(void **state)
{
    struct bench *bench = *state;
    initialise(bench);
    char path[160];
    (void)snprintf(path, sizeof path, "%s/keys/kek", bench->path);
    assert_int_equal(unlink(path), 0);
    for (int initialise_too = 0; initialise_too < 2; initialise_too++) {
        assert_int_equal(open_dir(bench, initialise_too), CORRUPT);
        assert_int_equal(access(path, F_OK), -1);
    }
}

static void a_key_of_another_size_is_refused_unharmed(void **state)
{
    struct bench *bench = *state;
    static const size_t sizes[] = {0, 1, 31, 33, 64};
    initialise(bench);
    int count = open_fd_count();
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        write_kek(bench, sizes[i], 0600);
        assert_int_equal(open_dir(bench, true), CORRUPT);
        char path[160];
        struct stat info;
        (void)snprintf(path, sizeof path, "%s/keys/kek", bench->path);
        assert_int_equal(stat(path, &info), 0);
        assert_int_equal(info.st_size, sizes[i]);
    }
    assert_int_equal(open_fd_count(), count);
}

static void a_key_that_others_can_read_is_refused(void **state)
{
    struct bench *bench = *state;
    static const struct {
        mode_t mode;
        enum status status;
    } modes[] = {{0600, OK},        {0400, OK},        {0640, FORBIDDEN},
                 {0620, FORBIDDEN}, {0604, FORBIDDEN}, {0601, FORBIDDEN}};
    initialise(bench);
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        write_kek(bench, 32, modes[i].mode);
        assert_int_equal(open_dir(bench, true), modes[i].status);
        bench_close(bench);
        write_kek(bench, 32, 0600);
    }
}

/* Somebody who can write into the directory does not make us read or write elsewhere. */
static void links_are_not_followed(void **state)
{
    struct bench *bench = *state;
    initialise(bench);
    int fd = open(bench->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(renameat(fd, "keys/kek", fd, "target"), 0);
    assert_int_equal(symlinkat("../target", fd, "keys/kek"), 0);
    assert_int_equal(open_dir(bench, true), CORRUPT);
    assert_int_equal(unlinkat(fd, "keys/kek", 0), 0);
    assert_int_equal(renameat(fd, "target", fd, "keys/kek"), 0);
    assert_int_equal(unlinkat(fd, "lock", 0), 0);
    assert_int_equal(symlinkat("target", fd, "lock"), 0);
    assert_int_equal(open_dir(bench, true), FORBIDDEN);
    assert_int_equal(faccessat(fd, "target", F_OK, 0), -1);
    (void)close(fd);
}

/* "keys" or "lock" are names that others use too. */
static void names_like_ours_make_no_directory_ours(void **state)
{
    static const char *const others[] = {"keys", "lock"};
    struct bench *bench = *state;
    assert_int_equal(mkdir(bench->path, 0700), 0);
    int fd = open(bench->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        assert_int_equal(mkdirat(fd, others[i], 0700), 0);
        assert_int_equal(mkdirat(fd, "target", 0700), 0);
        assert_int_equal(open_dir(bench, true), CONFLICT);
        assert_non_null(strstr(bench->err.detail, bench->path));
        assert_non_null(strstr(bench->err.detail, "--data"));
        assert_int_equal(unlinkat(fd, "target", AT_REMOVEDIR), 0);
        assert_int_equal(unlinkat(fd, others[i], AT_REMOVEDIR), 0);
    }
    (void)close(fd);
}

static void offline_an_unmade_directory_is_named(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(mkdir(bench->path, 0700), 0);
    assert_int_equal(open_dir(bench, false), NOT_FOUND);
    assert_non_null(strstr(bench->err.detail, bench->path));
    assert_non_null(strstr(bench->err.detail, "--data"));
}

static void a_second_server_is_refused_at_once(void **state)
{
    struct bench *bench = *state;
    struct data_dir second = {-1, -1, -1};
    assert_int_equal(open_dir(bench, true), OK);
    int count = open_fd_count();
    struct err err = {0};
    assert_int_equal(data_dir_open(span_cstr(bench->path), true, &second, &err), CONFLICT);
    assert_int_equal(second.fd, -1);
    assert_int_equal(open_fd_count(), count);
    bench_close(bench);
    assert_int_equal(open_dir(bench, true), OK);
}

struct waiting {
    const char *path;
    bool is_offline;
    struct data_dir dir;
    enum status status;
};

static void *open_waiting(void *context)
{
    struct waiting *waiting = context;
    waiting->status =
        data_dir_open(span_cstr(waiting->path), !waiting->is_offline, &waiting->dir, NULL);
    return NULL;
}

/* A command on the directory is gone in a moment: server and commands wait for it. */
static void an_offline_command_is_waited_for(void **state)
{
    struct bench *bench = *state;
    initialise(bench);
    for (int is_offline = 0; is_offline < 2; is_offline++) {
        const struct timespec pause = {.tv_nsec = 50000000};
        struct waiting waiting = {.path = bench->path, .is_offline = is_offline == 1};
        pthread_t thread;
        assert_int_equal(open_dir(bench, false), OK);
        assert_int_equal(pthread_create(&thread, NULL, open_waiting, &waiting), 0);
        (void)nanosleep(&pause, NULL); /* most often it waits by then; it must be let in anyway */
        bench_close(bench);
        (void)pthread_join(thread, NULL);
        assert_int_equal(waiting.status, OK);
        bench->dir = waiting.dir;
        bench_close(bench);
    }
}

static void paths_that_cannot_be_are_refused(void **state)
{
    struct bench *bench = *state;
    char text[8192];
    struct data_dir dir;
    memset(text, 'a', sizeof text);
    assert_int_equal(data_dir_open(SPAN(""), true, &dir, &bench->err), INVALID);
    assert_int_equal(data_dir_open(span_of(text, sizeof text), true, &dir, &bench->err), INVALID);
    assert_int_equal(data_dir_open(SPAN("/dev/null"), true, &dir, &bench->err), NOT_FOUND);
    assert_int_equal(data_dir_open(SPAN("/proc/none/data"), true, &dir, &bench->err), NOT_FOUND);
}

static int connect_to(const struct data_dir *dir)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/control.sock",
                   dir->fd);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

static void the_control_socket_is_its_owners_and_replaces_an_old_one(void **state)
{
    struct bench *bench = *state;
    mode_t mask = umask(022);
    assert_int_equal(open_dir(bench, true), OK);
    for (int i = 0; i < 2; i++) {
        int fd = data_dir_control_socket(&bench->dir, &bench->err);
        assert_true(fd >= 0);
        assert_int_equal(mode_of(bench->path, "control.sock"), 0600);
        assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
        int peer = connect_to(&bench->dir);
        assert_true(peer >= 0);
        (void)close(peer);
        (void)close(fd);
        assert_int_equal(connect_to(&bench->dir), -1); /* left behind, nobody listens */
    }
    assert_int_equal(umask(mask), 022); /* as it was before */
}

/* Root's command in another user's directory: that user's server can replace what it left. */
static void roots_control_socket_is_the_directorys_owners(void **state)
{
    enum { OWNER = 12345, GROUP = 12346 };
    struct bench *bench = *state;
    struct stat info;
    if (geteuid() != 0)
        skip();
    assert_int_equal(open_dir(bench, true), OK);
    assert_int_equal(fchown(bench->dir.fd, OWNER, GROUP), 0);
    int fd = data_dir_control_socket(&bench->dir, &bench->err);
    assert_true(fd >= 0);
    assert_int_equal(fstatat(bench->dir.fd, "control.sock", &info, AT_SYMLINK_NOFOLLOW), 0);
    assert_int_equal(info.st_uid, OWNER);
    assert_int_equal(info.st_gid, GROUP);
    assert_int_equal(info.st_mode & 07777, 0600);
    (void)close(fd);
}

static void sleep_ms(long milliseconds)
{
    const struct timespec pause = {.tv_nsec = milliseconds * 1000000};
    (void)nanosleep(&pause, NULL);
}

/* An offline command that has the lock for longer than a server is waited for; then one that has
 * just taken it, and has not written its word yet. */
static void *hold_lock_briefly(void *context)
{
    const int *fd = context;
    sleep_ms(400);
    if (ftruncate(*fd, 0) == 0)
        sleep_ms(60);
    (void)flock(*fd, LOCK_UN);
    return NULL;
}

static void a_holder_without_a_word_is_not_taken_for_a_server(void **state)
{
    struct bench *bench = *state;
    pthread_t holder;
    initialise(bench);
    char path[160];
    (void)snprintf(path, sizeof path, "%s/lock", bench->path);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(pwrite(fd, "offline 1\n", 10, 0), 10);
    assert_int_equal(pthread_create(&holder, NULL, hold_lock_briefly, &fd), 0);
    assert_int_equal(open_dir(bench, true), OK);
    assert_int_equal(pthread_join(holder, NULL), 0);
    bench_close(bench);
    (void)close(fd);
}

static void file_systems_of_other_hosts_and_of_memory_are_doubtful(void **state)
{
    (void)state;
    static const struct {
        uint64_t type;
        const char *name;
        bool is_shared;
    } rows[] = {
        {0x6969, "NFS", true},
        {0xff534d42, "SMB", true},
        {0xfe534d42, "SMB", true},
        {0x01021997, "9P", true},
        {0x65735546, "FUSE", true},
        {0x01021994, "tmpfs", false},
        {0x794c7630, "an overlay", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct data_dir_doubt *doubt = data_dir_doubt_of(rows[i].type);
        assert_non_null(doubt);
        assert_string_equal(doubt->name, rows[i].name);
        assert_int_equal(doubt->is_shared, rows[i].is_shared);
    }
    assert_null(data_dir_doubt_of(0xef53));     /* ext4 */
    assert_null(data_dir_doubt_of(0x58465342)); /* XFS */
    int fd = open("/proc", O_RDONLY | O_CLOEXEC);
    assert_null(data_dir_doubt(fd));
    (void)close(fd);
}

#define dir_test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

static void a_directory_that_others_may_write_in_is_refused(void **state)
{
    struct bench *bench = *state;
    static const struct {
        mode_t mode;
        enum status status;
    } cases[] = {{0777, FORBIDDEN}, {01777, FORBIDDEN}, {0770, FORBIDDEN}, {0702, FORBIDDEN},
                 {01770, OK},       {0755, OK},         {0700, OK}};
    assert_int_equal(mkdir(bench->path, 0700), 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(chmod(bench->path, cases[i].mode), 0);
        assert_int_equal(open_dir(bench, true), cases[i].status);
        if (cases[i].status == OK)
            bench_close(bench);
        else
            assert_non_null(strstr(bench->err.detail, bench->path));
    }
}

static void a_directory_of_other_files_is_refused(void **state)
{
    struct bench *bench = *state;
    char path[128];
    assert_int_equal(mkdir(bench->path, 0700), 0);
    (void)snprintf(path, sizeof path, "%s/letters.txt", bench->path);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    (void)close(fd);
    assert_int_equal(open_dir(bench, true), CONFLICT);
    assert_non_null(strstr(bench->err.detail, "--data"));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(open_dir(bench, true), OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        dir_test(a_holder_without_a_word_is_not_taken_for_a_server),
        cmocka_unit_test(file_systems_of_other_hosts_and_of_memory_are_doubtful),
        dir_test(a_first_start_makes_what_only_its_owner_can_read),
        dir_test(an_empty_directory_is_taken),
        dir_test(a_directory_never_initialised_keeps_no_trace),
        dir_test(a_first_start_that_made_no_database_was_no_start),
        dir_test(an_offline_command_uses_what_is_there),
        dir_test(a_directory_that_others_may_write_in_is_refused),
        dir_test(a_directory_of_other_files_is_refused),
        dir_test(names_like_ours_make_no_directory_ours),
        dir_test(offline_an_unmade_directory_is_named),
        dir_test(a_missing_key_beside_a_database_is_not_made_anew),
        dir_test(a_key_of_another_size_is_refused_unharmed),
        dir_test(a_key_that_others_can_read_is_refused),
        dir_test(links_are_not_followed),
        dir_test(a_second_server_is_refused_at_once),
        dir_test(an_offline_command_is_waited_for),
        dir_test(paths_that_cannot_be_are_refused),
        dir_test(the_control_socket_is_its_owners_and_replaces_an_old_one),
        dir_test(roots_control_socket_is_the_directorys_owners),
    };
    return RUN_TESTS(tests);
}
