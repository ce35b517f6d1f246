/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor/listener.h"

#include "../unit.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { COUNT = 4 };

static uint16_t port_of(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address;
    socklen_t len = sizeof address;
    assert_int_equal(getsockname(fd, &address.any, &len), 0);
    return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

static void close_all(const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++)
        (void)close(fds[i]);
}

static int open_fd_count(void)
{
    int count = 0;
    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void port_0_is_one_free_port_for_all(void **state)
{
    (void)state;
    int fds[COUNT];
    char url[LISTENER_URL_LEN_MAX];
    char expected[LISTENER_URL_LEN_MAX];
    struct err err = {0};
    assert_int_equal(listener_open(SPAN("127.0.0.1:0"), COUNT, fds, url, &err), OK);
    uint16_t port = port_of(fds[0]);
    assert_true(port != 0);
    for (size_t i = 0; i < COUNT; i++) {
        int accepts = 0;
        socklen_t len = sizeof accepts;
        assert_int_equal(port_of(fds[i]), port);
        assert_int_equal(getsockopt(fds[i], SOL_SOCKET, SO_ACCEPTCONN, &accepts, &len), 0);
        assert_int_equal(accepts, 1);
        assert_int_equal(fcntl(fds[i], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
        assert_int_equal(fcntl(fds[i], F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    }
    (void)snprintf(expected, sizeof expected, "http://127.0.0.1:%u", port);
    assert_string_equal(url, expected);
    close_all(fds, COUNT);
}

/* SO_REUSEPORT would let a second server of the same user take half of the connections. */
static void an_address_in_use_is_a_conflict(void **state)
{
    (void)state;
    int fds[COUNT];
    int second[COUNT];
    char url[LISTENER_URL_LEN_MAX];
    char text[LISTENER_URL_LEN_MAX];
    struct err err = {0};
    assert_int_equal(listener_open(SPAN("127.0.0.1:0"), COUNT, fds, url, &err), OK);
    int count = open_fd_count();
    (void)snprintf(text, sizeof text, "127.0.0.1:%u", port_of(fds[0]));
    assert_int_equal(listener_open(span_cstr(text), COUNT, second, url, &err), CONFLICT);
    assert_non_null(strstr(err.detail, text));
    assert_int_equal(open_fd_count(), count);
    close_all(fds, COUNT);
    err = (struct err){0};
    assert_int_equal(listener_open(span_cstr(text), COUNT, second, url, &err), OK);
    close_all(second, COUNT);
}

static void an_ipv6_url_has_brackets(void **state)
{
    (void)state;
    int fd;
    char url[LISTENER_URL_LEN_MAX];
    char expected[LISTENER_URL_LEN_MAX];
    struct err err = {0};
    enum status status = listener_open(SPAN("[::1]:0"), 1, &fd, url, &err);
    if (status == CONFLICT && strstr(err.detail, "assign") != NULL)
        skip(); /* a machine without IPv6 */
    assert_int_equal(status, OK);
    (void)snprintf(expected, sizeof expected, "http://[::1]:%u", port_of(fd));
    assert_string_equal(url, expected);
    /* IPv6 alone, so that the IPv4 address may have a listener of its own. */
    int only = 0;
    socklen_t len = sizeof only;
    assert_int_equal(getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, &len), 0);
    assert_int_equal(only, 1);
    (void)close(fd);
}

static void what_is_no_address_is_invalid(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",          ":",          ":8080",       "127.0.0.1",    "127.0.0.1:",
        "[::1]",     "[::1:8080",  "::1:8080",    "[]:8080",      "127.0.0.1:65536",
        "1.2.3:80",  "host:80",    "1.2.3.4:-1",  "1.2.3.4: 80",  "[127.0.0.1]:80",
        "[::1]x:80", "1.2.3.4:8x", "1.2.3.4:+80", "[:::::::]:80", "[::1%lo]:80",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        int fd;
        char url[LISTENER_URL_LEN_MAX];
        struct err err = {0};
        enum status status = listener_open(span_cstr(texts[i]), 1, &fd, url, &err);
        if (status != INVALID)
            print_error("%s\n", texts[i]);
        assert_int_equal(status, INVALID);
    }
}

static void an_address_of_another_machine_is_a_conflict(void **state)
{
    (void)state;
    int fd;
    char url[LISTENER_URL_LEN_MAX];
    struct err err = {0};
    /* RFC 5737 documentation address */
    assert_int_equal(listener_open(SPAN("192.0.2.1:0"), 1, &fd, url, &err), CONFLICT);
}

static void a_failure_half_way_leaves_no_socket(void **state)
{
    (void)state;
    int fds[COUNT];
    char url[LISTENER_URL_LEN_MAX];
    struct err err = {0};
    struct rlimit limit;
    int lowest = dup(0);
    assert_true(lowest >= 0);
    (void)close(lowest);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    int count = open_fd_count();
    /* Room for two of them. */
    const struct rlimit narrow = {.rlim_cur = (rlim_t)lowest + 2, .rlim_max = limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &narrow), 0);
    enum status status = listener_open(SPAN("127.0.0.1:0"), COUNT, fds, url, &err);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(status, CONFLICT);
    assert_int_equal(open_fd_count(), count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(port_0_is_one_free_port_for_all),
        cmocka_unit_test(an_address_in_use_is_a_conflict),
        cmocka_unit_test(an_ipv6_url_has_brackets),
        cmocka_unit_test(what_is_no_address_is_invalid),
        cmocka_unit_test(an_address_of_another_machine_is_a_conflict),
        cmocka_unit_test(a_failure_half_way_leaves_no_socket),
    };
    return RUN_TESTS(tests);
}
