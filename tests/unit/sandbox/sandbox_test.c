/* SPDX-License-Identifier: Apache-2.0 */
/* What a confined process may still do, and what not: each tried in a child of its own. The running
 * programs are tried by tests/blackbox/sandbox.test.ts. */
#include "sandbox/sandbox.h"
#include "sandbox/sandbox_internal.h"

#include "../unit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DONE = 0, UNCONFINED = 100, REFUSED = 101 };

static char data_path[] = "/tmp/postern-sandbox-XXXXXX";
static int data_fd;
static int lane[2];

static int refused(bool is_done)
{
    return is_done ? DONE : REFUSED;
}

static int run_program(void)
{
    char name[] = "true";
    char *const argv[] = {name, NULL};
    return refused(execve("/bin/true", argv, NULL) == 0);
}

static int fork_process(void)
{
    return refused(syscall(SYS_fork) >= 0);
}

static int clone_process(void)
{
    return refused(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) >= 0);
}

static int trace(void)
{
    return refused(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
}

static int make_socket(void)
{
    return refused(socket(AF_INET, SOCK_STREAM, 0) >= 0);
}

static int connect_out(void)
{
    const struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(9)};
    return refused(connect(lane[0], (const struct sockaddr *)&address, sizeof address) == 0 ||
                   errno != ENOSYS);
}

static int map_code(void)
{
    return refused(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
                   MAP_FAILED);
}

static int make_code(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return UNCONFINED;
    return refused(mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0);
}

static int open_outside(void)
{
    return refused(open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0);
}

static int make_outside(void)
{
    return refused(open("/tmp/postern-sandbox-outside", O_WRONLY | O_CREAT | O_CLOEXEC, 0600) >= 0);
}

static int list_root(void)
{
    return refused(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC) >= 0);
}

static int open_above(void)
{
    return refused(openat(data_fd, "../../etc/passwd", O_RDONLY | O_CLOEXEC) >= 0);
}

static int open_by_link(void)
{
    return refused(openat(data_fd, "link", O_RDONLY | O_CLOEXEC) >= 0);
}

static int open_inside(void)
{
    return refused(openat(data_fd, "file", O_RDWR | O_CREAT | O_CLOEXEC, 0600) >= 0);
}

static int signal_others(void)
{
    return refused(kill(getppid(), 0) == 0);
}

static int raise_limit(void)
{
    const struct rlimit none = {0};
    return refused(setrlimit(RLIMIT_NOFILE, &none) == 0);
}

static int change_mode(void)
{
    return refused(fchmod(data_fd, 0777) == 0);
}

/* What a front does: files in the data directory, a directory for events, a thread. */
static void *return_it(void *it)
{
    return it;
}

static int work_as_front(void)
{
    pthread_t thread;
    void *back = NULL;
    int fd = openat(data_fd, "made", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    bool is_done = fd >= 0 && pwrite(fd, "x", 1, 0) == 1 && fdatasync(fd) == 0 &&
                   ftruncate(fd, 0) == 0 && unlinkat(data_fd, "made", 0) == 0 &&
                   mkdirat(data_fd, "events", 0700) == 0 &&
                   pthread_create(&thread, NULL, return_it, &fd) == 0 &&
                   pthread_join(thread, &back) == 0 && back == &fd;
    return refused(is_done);
}

/* What a signer does: messages on its lane, a thread, memory. */
static int work_as_signer(void)
{
    pthread_t thread;
    char byte;
    void *memory = malloc(1 << 20);
    bool is_done = memory != NULL && pthread_create(&thread, NULL, return_it, NULL) == 0 &&
                   pthread_join(thread, NULL) == 0 && send(lane[0], "x", 1, 0) == 1 &&
                   recv(lane[1], &byte, 1, 0) == 1;
    free(memory);
    return refused(is_done);
}

static int end_by_abort(void)
{
    abort();
}

/* Tries it in a confined child: wait()'s status. */
static int attempt(enum sandbox_profile profile, int (*what)(void))
{
    int status = -1;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct sandbox_state state;
        const struct rlimit no_core = {0};
        (void)setrlimit(RLIMIT_CORE, &no_core);
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
            sandbox_enter(profile, SPAN("auto"), data_fd, &state, NULL) != OK || !state.has_filter)
            _exit(UNCONFINED);
        _exit(what());
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static bool is_killed(enum sandbox_profile profile, int (*what)(void))
{
    int status = attempt(profile, what);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
}

static void assert_ends(enum sandbox_profile profile, int (*what)(void), int expected)
{
    int status = attempt(profile, what);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), expected);
}

static void what_only_a_stranger_does_ends_the_process(void **state)
{
    static int (*const strangers[])(void) = {run_program, fork_process, trace, make_socket,
                                             connect_out};
    (void)state;
    if (PROCESS_IS_SANITIZED)
        skip();
    for (size_t i = 0; i < ARRAY_LEN(strangers); i++) {
        assert_true(is_killed(SANDBOX_FRONT, strangers[i]));
        assert_true(is_killed(SANDBOX_SIGNER, strangers[i]));
    }
}

static void other_calls_fail(void **state)
{
    static int (*const others[])(void) = {clone_process, map_code,    make_code,
                                          signal_others, raise_limit, change_mode};
    (void)state;
    if (PROCESS_IS_SANITIZED)
        skip();
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        assert_ends(SANDBOX_FRONT, others[i], REFUSED);
        assert_ends(SANDBOX_SIGNER, others[i], REFUSED);
    }
}

static bool has_landlock(void)
{
    return syscall(SYS_landlock_create_ruleset, NULL, 0, 1) > 0;
}

static void files_outside_the_data_directory_stay_closed(void **state)
{
    static int (*const outside[])(void) = {open_outside, make_outside, list_root, open_above,
                                           open_by_link};
    (void)state;
    if (PROCESS_IS_SANITIZED)
        skip();
    for (size_t i = 0; i < ARRAY_LEN(outside); i++) {
        if (has_landlock())
            assert_ends(SANDBOX_FRONT, outside[i], REFUSED);
        assert_ends(SANDBOX_SIGNER, outside[i], REFUSED);
    }
    assert_ends(SANDBOX_SIGNER, open_inside, REFUSED);
    assert_ends(SANDBOX_FRONT, open_inside, DONE);
}

static void work_goes_on(void **state)
{
    (void)state;
    assert_ends(SANDBOX_FRONT, work_as_front, DONE);
    assert_ends(SANDBOX_SIGNER, work_as_signer, DONE);
    if (!PROCESS_IS_SANITIZED) {
        int status = attempt(SANDBOX_SIGNER, end_by_abort);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    }
}

static void off_confines_nothing_and_says_so(void **state)
{
    struct sandbox_state sandbox = {.has_filter = true, .landlock_abi = 1};
    (void)state;
    assert_int_equal(sandbox_enter(SANDBOX_FRONT, SPAN("off"), data_fd, &sandbox, NULL), OK);
    assert_false(sandbox.has_filter);
    assert_int_equal(sandbox.landlock_abi, 0);
    assert_true(open_outside() == DONE);
}

static int set_up(void **state)
{
    (void)state;
    if (mkdtemp(data_path) == NULL || socketpair(AF_UNIX, SOCK_STREAM, 0, lane) != 0)
        return -1;
    data_fd = open(data_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return data_fd >= 0 ? symlinkat("/etc/passwd", data_fd, "link") : -1;
}

static int tear_down(void **state)
{
    (void)state;
    (void)unlinkat(data_fd, "link", 0);
    (void)unlinkat(data_fd, "file", 0);
    (void)unlinkat(data_fd, "events", AT_REMOVEDIR);
    return rmdir(data_path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_only_a_stranger_does_ends_the_process),
        cmocka_unit_test(other_calls_fail),
        cmocka_unit_test(files_outside_the_data_directory_stay_closed),
        cmocka_unit_test(work_goes_on),
        cmocka_unit_test(off_confines_nothing_and_says_so),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
