/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor/notify.h"

#include "log/log.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void notify_systemd(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (path == NULL || path[0] == '\0')
        return;
    size_t len = strlen(path);
    if (len >= sizeof address.sun_path || (path[0] != '/' && path[0] != '@')) {
        log_warn("NOTIFY_SOCKET is not an address that can be used");
        return;
    }
    memcpy(address.sun_path, path, len);
    if (path[0] == '@') /* the abstract namespace */
        address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    if (fd < 0 || sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&address,
                         address_len) < 0)
        log_warn("cannot tell systemd %s: %s", state, strerror(errno));
    if (fd >= 0)
        (void)close(fd);
}
