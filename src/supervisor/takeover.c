/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor/takeover.h"

#include "base/buf.h"
#include "base/clock.h"
#include "supervisor/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { STATE_BYTES_MAX = 1 << 18 };

/* Not POSTERN_…: that would be a configuration key. */
static const char state_variable[] = "POSTERND_TAKEOVER_FD";

/* --- Writing: lines of a word and its values, then the configuration
 * ------------------------------------------------------- */

static void put_number(struct buf *out, const char *word, int64_t number)
{
    buf_put(out, span_cstr(word));
    buf_byte(out, ' ');
    buf_int64(out, number);
    buf_byte(out, '\n');
}

static void put_listener(struct buf *out, const struct listener *listener, size_t loops)
{
    buf_put(out, SPAN("url "));
    buf_put(out, span_cstr(listener->url));
    buf_byte(out, '\n');
    for (size_t i = 0; i < loops; i++)
        put_number(out, "socket", listener->fds[i]);
}

static void write_state(const struct takeover *from, struct buf *out)
{
    const struct setup *setup = from->setup;
    put_number(out, "data", from->dir.fd);
    put_number(out, "lock", from->dir.lock_fd);
    put_number(out, "kek", from->dir.kek_fd);
    put_number(out, "control", from->control_fd);
    put_number(out, "posternd", from->programs.front_fd);
    put_number(out, "postern-signer", from->programs.signer_fd);
    put_number(out, "front", from->pair.front);
    put_number(out, "signer", from->pair.signer);
    put_number(out, "channel", from->pair.channel_fd);
    put_number(out, "issuer-configured", setup->is_issuer_configured);
    put_number(out, "tls-certificate", setup->tls_fds[0]);
    put_number(out, "tls-key", setup->tls_fds[1]);
    put_number(out, "loops", (int64_t)setup->loop_count);
    for (size_t i = 0; i < setup->listener_count; i++)
        put_listener(out, &setup->listeners[i], setup->loop_count);
    buf_byte(out, '\n');
    config_print(&setup->config, false, out);
}

/* Every descriptor that the next program takes over. */
static void set_inherited(const struct takeover *from, int state_fd, bool is_inherited)
{
    int fds[LISTEN_MAX + 10];
    size_t count = setup_listen_fds(from->setup, fds);
    const int others[] = {from->dir.fd,
                          from->dir.lock_fd,
                          from->dir.kek_fd,
                          from->control_fd,
                          from->programs.front_fd,
                          from->programs.signer_fd,
                          from->pair.channel_fd,
                          from->setup->tls_fds[0],
                          from->setup->tls_fds[1],
                          state_fd};
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        fds[count++] = others[i];
    for (size_t i = 0; i < count; i++)
        (void)fcntl(fds[i], F_SETFD, is_inherited ? 0 : FD_CLOEXEC);
}

enum status takeover_exec(const struct takeover *from, const char *path, char *const *argv,
                          struct err *err)
{
    struct buf text AUTO(buf);
    char number[12];
    buf_init(&text, STATE_BYTES_MAX);
    write_state(from, &text);
    int fd = memfd_create("supervisor", MFD_CLOEXEC);
    if (fd < 0 || !buf_ok(&text) || write(fd, text.data, text.len) != (ssize_t)text.len ||
        lseek(fd, 0, SEEK_SET) != 0) {
        if (fd >= 0)
            (void)close(fd);
        return fail(err, UNAVAILABLE, "cannot write down what the supervisor holds");
    }
    (void)snprintf(number, sizeof number, "%d", fd);
    set_inherited(from, fd, true);
    (void)setenv(state_variable, number, 1);
    (void)execv(path, argv);
    int error = errno;
    (void)unsetenv(state_variable);
    set_inherited(from, fd, false);
    (void)close(fd);
    return fail(err, UNAVAILABLE, "cannot execute %.120s: %s", path, strerror(error));
}

/* --- Reading
 * -------------------------------------------------------------------------------------------- */

/* Where the number behind a word goes; NULL: not a word that stands alone. */
static int *number_of(struct takeover *to, struct span word)
{
    struct {
        struct span word;
        int *number;
    } rows[] = {
        {SPAN("data"), &to->dir.fd},
        {SPAN("lock"), &to->dir.lock_fd},
        {SPAN("kek"), &to->dir.kek_fd},
        {SPAN("control"), &to->control_fd},
        {SPAN("posternd"), &to->programs.front_fd},
        {SPAN("postern-signer"), &to->programs.signer_fd},
        {SPAN("front"), &to->pair.front},
        {SPAN("signer"), &to->pair.signer},
        {SPAN("channel"), &to->pair.channel_fd},
        {SPAN("tls-certificate"), &to->setup->tls_fds[0]},
        {SPAN("tls-key"), &to->setup->tls_fds[1]},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (span_equal(rows[i].word, word))
            return rows[i].number;
    }
    return NULL;
}

static bool read_listener(struct setup *setup, struct span url)
{
    if (setup->listener_count == CONFIG_LISTEN_MAX || url.len >= LISTENER_URL_LEN_MAX)
        return false;
    struct listener *listener = &setup->listeners[setup->listener_count++];
    memcpy(listener->url, url.ptr, url.len);
    for (size_t i = 0; i < LOOPS_MAX; i++)
        listener->fds[i] = -1;
    return true;
}

static bool read_socket(struct setup *setup, int fd)
{
    if (setup->listener_count == 0)
        return false;
    struct listener *listener = &setup->listeners[setup->listener_count - 1];
    for (size_t i = 0; i < setup->loop_count; i++) {
        if (listener->fds[i] < 0) {
            listener->fds[i] = fd;
            return true;
        }
    }
    return false;
}

static bool read_line(struct takeover *to, struct span line)
{
    struct setup *setup = to->setup;
    struct span word;
    int64_t value;
    if (!span_cut(&line, ' ', &word))
        return false;
    if (span_equal(word, SPAN("url")))
        return read_listener(setup, line);
    bool is_negative = span_starts(line, SPAN("-"));
    if (!span_to_int64(is_negative ? span_from(line, 1) : line, &value) || value > INT32_MAX)
        return false;
    int number = is_negative ? -(int)value : (int)value;
    int *place = number_of(to, word);
    if (place != NULL)
        *place = number;
    else if (span_equal(word, SPAN("issuer-configured")))
        setup->is_issuer_configured = number != 0;
    else if (span_equal(word, SPAN("loops")) && number > 0 && number <= LOOPS_MAX)
        setup->loop_count = (size_t)number;
    else
        return span_equal(word, SPAN("socket")) && read_socket(setup, number);
    return true;
}

static enum status read_state(struct takeover *to, struct span text, struct err *err)
{
    struct setup *setup = to->setup;
    struct span line;
    while (span_cut(&text, '\n', &line) && line.len > 0) {
        if (!read_line(to, line))
            return fail(err, INVALID,
                        "the supervisor before this one wrote what is not understood");
    }
    config_defaults(&setup->config);
    enum status status =
        config_read_file(&setup->config, text, "the running configuration", &setup->arena, err);
    if (status != OK)
        return status;
    if (setup->listener_count != setup->config.listen_count)
        return fail(err, INVALID, "the supervisor before this one had other sockets");
    for (size_t i = 0; i < setup->listener_count; i++)
        setup->listeners[i].text = setup->config.listen[i];
    setup->lane_count = 1 + setup->loop_count + (size_t)setup->config.workers;
    return OK;
}

enum status takeover_read(struct takeover *ret, struct err *err)
{
    const char *number = getenv(state_variable);
    int64_t fd;
    if (number == NULL)
        return NOT_FOUND;
    if (!span_to_int64(span_cstr(number), &fd) || fd < 3 || fd > INT32_MAX)
        return fail(err, INVALID, "%s is not a descriptor", state_variable);
    (void)unsetenv(state_variable);
    struct takeover to = {.pair = PAIR_NONE, .setup = setup_new()};
    char *text = to.setup == NULL ? NULL : arena_alloc(&to.setup->arena, STATE_BYTES_MAX);
    ssize_t len = text == NULL ? -1 : pread((int)fd, text, STATE_BYTES_MAX, 0);
    (void)close((int)fd);
    enum status status = len < 0 ? fail(err, UNAVAILABLE, "cannot read what is taken over")
                                 : read_state(&to, span_of(text, (size_t)len), err);
    if (status != OK) {
        setup_free(to.setup);
        return status;
    }
    to.pair.setup = to.setup;
    to.pair.started_at = clock_monotonic_ms();
    set_inherited(&to, -1, false);
    *ret = to;
    return OK;
}
