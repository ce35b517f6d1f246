/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor/setup.h"

#include "log/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ARENA_BYTES_MAX = 1 << 20 };

struct setup *setup_new(void)
{
    struct setup *setup = calloc(1, sizeof *setup);
    if (setup == NULL)
        return NULL;
    arena_init(&setup->arena, ARENA_BYTES_MAX);
    setup->tls_fds[0] = setup->tls_fds[1] = -1;
    return setup;
}

static size_t default_loops(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 1 ? 1 : cores > LOOPS_MAX ? LOOPS_MAX : (size_t)cores;
}

/* SO_REUSEPORT spreads connections over the sockets of an address: closing one would drop those
 * that wait in it, so their number is fixed while the server runs. */
static size_t loops_of(const struct config *config, const struct setup *old, bool is_offline)
{
    size_t wanted = config->loops == 0 ? default_loops() : (size_t)config->loops;
    if (is_offline)
        return 1;
    if (old == NULL || old->loop_count == wanted)
        return wanted;
    log_warn("loops takes effect at the next start");
    return old->loop_count;
}

static enum status keep_listener(const struct listener *kept, size_t count,
                                 struct listener *listener, struct err *err)
{
    memcpy(listener->url, kept->url, sizeof listener->url);
    for (size_t i = 0; i < count; i++) {
        listener->fds[i] = fcntl(kept->fds[i], F_DUPFD_CLOEXEC, 0);
        if (listener->fds[i] < 0) {
            int error = errno;
            while (i-- > 0)
                (void)close(listener->fds[i]);
            return fail(err, UNAVAILABLE, "cannot keep a listening socket: %s", strerror(error));
        }
    }
    return OK;
}

static enum status open_listener(struct setup *setup, struct span text, const struct setup *old,
                                 struct err *err)
{
    struct listener *listener = &setup->listeners[setup->listener_count];
    const struct listener *kept = NULL;
    for (size_t i = 0; old != NULL && i < old->listener_count; i++) {
        if (span_equal(old->listeners[i].text, text))
            kept = &old->listeners[i];
    }
    listener->text = text;
    enum status status =
        kept != NULL ? keep_listener(kept, setup->loop_count, listener, err)
                     : listener_open(text, setup->loop_count, listener->fds, listener->url, err);
    if (status == OK)
        setup->listener_count++;
    return status;
}

/* The front needs an issuer; offline it tells nobody: the command knows by itself when there is no
 * URL yet. */
static struct span offline_url(struct setup *setup)
{
    struct span url = config_url(&setup->config, &setup->arena);
    return url.len > 0 ? url : SPAN("http://localhost");
}

/* The front opens no path: it gets the files open. */
static enum status open_tls_file(struct span path, bool is_key, int *ret_fd, struct err *err)
{
    char name[PATH_MAX];
    struct stat info;
    if (path.len >= sizeof name)
        return fail(err, INVALID, "the path of a TLS file is too long");
    memcpy(name, path.ptr, path.len);
    name[path.len] = '\0';
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &info) != 0) {
        int error = errno;
        if (fd >= 0)
            (void)close(fd);
        return fail(err, NOT_FOUND, "cannot open %s: %s", name, strerror(error));
    }
    /* A group may read it, as Debian's ssl-cert does. */
    if (is_key && (info.st_mode & 0027) != 0) {
        (void)close(fd);
        return fail(err, FORBIDDEN,
                    "%s can be read by others or changed by its group: chmod 600 it", name);
    }
    *ret_fd = fd;
    return OK;
}

static enum status open_tls(struct setup *setup, struct err *err)
{
    if (setup->config.tls_certificate.len == 0)
        return OK;
    enum status status =
        open_tls_file(setup->config.tls_certificate, false, &setup->tls_fds[0], err);
    return status == OK ? open_tls_file(setup->config.tls_key, true, &setup->tls_fds[1], err)
                        : status;
}

enum status setup_open(struct setup *setup, const struct config *config, const struct setup *old,
                       bool is_offline, struct err *err)
{
    setup->config = *config;
    setup->is_issuer_configured = config->public_url.len > 0;
    setup->loop_count = loops_of(config, old, is_offline);
    setup->lane_count = 1 + setup->loop_count + (size_t)config->workers;
    enum status status = OK;
    for (size_t i = 0; !is_offline && status == OK && i < config->listen_count; i++)
        status = open_listener(setup, config->listen[i], old, err);
    if (!is_offline && status == OK)
        status = open_tls(setup, err);
    if (status == OK && !setup->is_issuer_configured)
        setup->config.public_url =
            setup->listener_count == 0 ? offline_url(setup) : span_cstr(setup->listeners[0].url);
    return setup->config.public_url.ptr == NULL ? fail(err, NO_MEMORY, "no memory") : status;
}

size_t setup_listen_fds(const struct setup *setup, int fds[static LISTEN_MAX])
{
    size_t count = 0;
    for (size_t loop = 0; loop < setup->loop_count; loop++) {
        for (size_t i = 0; i < setup->listener_count; i++)
            fds[count++] = setup->listeners[i].fds[loop];
    }
    return count;
}

void setup_close_listeners(struct setup *setup)
{
    for (size_t i = 0; i < setup->listener_count; i++) {
        for (size_t loop = 0; loop < setup->loop_count; loop++)
            (void)close(setup->listeners[i].fds[loop]);
    }
    setup->listener_count = 0;
}

void setup_free(struct setup *setup)
{
    if (setup == NULL)
        return;
    setup_close_listeners(setup);
    for (size_t i = 0; i < ARRAY_LEN(setup->tls_fds); i++) {
        if (setup->tls_fds[i] >= 0)
            (void)close(setup->tls_fds[i]);
    }
    arena_done(&setup->arena);
    free(setup);
}
