/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor/listener.h"

#include "config/config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* The text was checked when the configuration was read; what still does not parse is refused here.
 */
static bool parse_address(struct span text, union address *address)
{
    char host[INET6_ADDRSTRLEN + 1];
    int64_t port;
    size_t colon = text.len;
    while (colon > 0 && text.ptr[colon - 1] != ':')
        colon--;
    if (colon == 0 || !span_to_int64(span_from(text, colon), &port) || port > 65535)
        return false;
    struct span name = span_first(text, colon - 1);
    bool is_v6 = name.len > 2 && name.ptr[0] == '[';
    if (is_v6 && name.ptr[name.len - 1] != ']')
        return false;
    if (is_v6)
        name = span_first(span_from(name, 1), name.len - 2);
    if (name.len >= sizeof host)
        return false;
    memcpy(host, name.ptr, name.len);
    host[name.len] = '\0';
    memset(address, 0, sizeof *address);
    if (is_v6) {
        address->v6.sin6_family = AF_INET6;
        address->v6.sin6_port = htons((uint16_t)port);
        return inet_pton(AF_INET6, host, &address->v6.sin6_addr) == 1;
    }
    address->v4.sin_family = AF_INET;
    address->v4.sin_port = htons((uint16_t)port);
    return inet_pton(AF_INET, host, &address->v4.sin_addr) == 1;
}

static int bind_one(const union address *address, bool is_shared)
{
    int on = 1;
    int family = address->any.sa_family;
    socklen_t len = family == AF_INET6 ? sizeof address->v6 : sizeof address->v4;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        (is_shared && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) ||
        (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0) ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
        bind(fd, &address->any, len) != 0) {
        int error = errno;
        (void)close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

static void print_url(const union address *address, bool is_tls,
                      char url[static LISTENER_URL_LEN_MAX])
{
    const char *scheme = is_tls ? "https" : "http";
    char host[INET6_ADDRSTRLEN] = "";
    if (address->any.sa_family == AF_INET6) {
        (void)inet_ntop(AF_INET6, &address->v6.sin6_addr, host, sizeof host);
        (void)snprintf(url, LISTENER_URL_LEN_MAX, "%s://[%s]:%u", scheme, host,
                       ntohs(address->v6.sin6_port));
    } else {
        (void)inet_ntop(AF_INET, &address->v4.sin_addr, host, sizeof host);
        (void)snprintf(url, LISTENER_URL_LEN_MAX, "%s://%s:%u", scheme, host,
                       ntohs(address->v4.sin_port));
    }
}

enum status listener_open(struct span text, size_t count, int *ret_fds,
                          char ret_url[static LISTENER_URL_LEN_MAX], struct err *err)
{
    union address address;
    struct config_listen listen_at;
    enum status status = config_listen_read(text, &listen_at, err);
    if (status != OK)
        return status;
    if (!parse_address(listen_at.address, &address))
        return fail(err, INVALID, "listen: %.*s is not ADDR:PORT", SPAN_FMT(text));
    /* SO_REUSEPORT would also share with another server of this user: without it we learn of that
     * one. */
    int probe = bind_one(&address, false);
    if (probe < 0)
        return fail(err, CONFLICT, "cannot listen on %.*s: %s", SPAN_FMT(text), strerror(errno));
    socklen_t len = sizeof address;
    if (getsockname(probe, &address.any, &len) != 0) {
        (void)close(probe);
        return fail(err, UNAVAILABLE, "cannot listen on %.*s: %s", SPAN_FMT(text), strerror(errno));
    }
    (void)close(probe);
    for (size_t i = 0; i < count; i++) {
        ret_fds[i] = bind_one(&address, true);
        if (ret_fds[i] < 0 || listen(ret_fds[i], BACKLOG) != 0) {
            (void)fail(err, CONFLICT, "cannot listen on %.*s: %s", SPAN_FMT(text), strerror(errno));
            for (size_t opened = 0; opened <= i; opened++)
                (void)close(ret_fds[opened]); /* the last may be -1 */
            return CONFLICT;
        }
    }
    print_url(&address, listen_at.is_tls, ret_url);
    return OK;
}
