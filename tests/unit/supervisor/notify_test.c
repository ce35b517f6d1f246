/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor/notify.h"

#include "../unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A datagram socket as systemd's; name begins with '@' in the abstract namespace. */
static int bind_socket(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(name);
    memcpy(address.sun_path, name, len);
    if (name[0] == '@')
        address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
                     0);
    return fd;
}

static void expect_one(int fd, const char *text)
{
    char data[64] = {0};
    assert_int_equal(recv(fd, data, sizeof data, 0), strlen(text));
    assert_string_equal(data, text);
    assert_int_equal(recv(fd, data, sizeof data, 0), -1);
}

static int open_fd_count(void)
{
    int count = 0;
    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

/* What notify_systemd() logs: standard error goes to a pipe meanwhile. */
static size_t notify_and_count_log_bytes(const char *text)
{
    int ends[2];
    char log[4096];
    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    int kept = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    assert_true(dup2(ends[1], STDERR_FILENO) == STDERR_FILENO);
    int count = open_fd_count();
    notify_systemd(text);
    assert_int_equal(open_fd_count(), count);
    assert_true(dup2(kept, STDERR_FILENO) == STDERR_FILENO);
    (void)close(kept);
    (void)close(ends[1]);
    ssize_t len = read(ends[0], log, sizeof log);
    (void)close(ends[0]);
    return len < 0 ? 0 : (size_t)len;
}

static void one_datagram_arrives_at_a_path(void **state)
{
    (void)state;
    char directory[] = "/tmp/postern-notify-XXXXXX";
    char name[64];
    assert_non_null(mkdtemp(directory));
    (void)snprintf(name, sizeof name, "%s/socket", directory);
    int fd = bind_socket(name);
    assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
    assert_int_equal(notify_and_count_log_bytes("READY=1"), 0);
    expect_one(fd, "READY=1");
    (void)close(fd);
    assert_int_equal(unlink(name), 0);
    assert_int_equal(rmdir(directory), 0);
    /* Nobody there any more: said, and life goes on. */
    assert_true(notify_and_count_log_bytes("STOPPING=1") > 0);
}

static void an_at_sign_is_the_abstract_namespace(void **state)
{
    (void)state;
    char name[64];
    (void)snprintf(name, sizeof name, "@postern-notify-test-%d", getpid());
    int fd = bind_socket(name);
    assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
    assert_int_equal(notify_and_count_log_bytes("STOPPING=1"), 0);
    expect_one(fd, "STOPPING=1");
    (void)close(fd);
}

static void without_an_address_nothing_is_said(void **state)
{
    (void)state;
    assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
    assert_int_equal(notify_and_count_log_bytes("READY=1"), 0);
    assert_int_equal(setenv("NOTIFY_SOCKET", "", 1), 0);
    assert_int_equal(notify_and_count_log_bytes("READY=1"), 0);
}

static void an_address_that_cannot_be_used_is_a_warning(void **state)
{
    (void)state;
    char name[256];
    memset(name, 'a', sizeof name);
    name[0] = '/';
    name[sizeof(((struct sockaddr_un *)0)->sun_path)] = '\0';
    const char *const names[] = {"relative", "vsock:2:1234", "/nowhere/at/all", name};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_int_equal(setenv("NOTIFY_SOCKET", names[i], 1), 0);
        assert_true(notify_and_count_log_bytes("READY=1") > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_datagram_arrives_at_a_path),
        cmocka_unit_test(an_at_sign_is_the_abstract_namespace),
        cmocka_unit_test(without_an_address_nothing_is_said),
        cmocka_unit_test(an_address_that_cannot_be_used_is_a_warning),
    };
    return RUN_TESTS(tests);
}
