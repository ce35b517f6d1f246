/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor/pair.h"

#include "base/buf.h"
#include "base/clock.h"
#include "log/log.h"
#include "supervisor/data_dir.h"
#include "supervisor/program.h"
#include "supervisor/setup.h"
#include "supervisor/users.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { NUMBERS_TEXT_MAX = 8192, CONFIG_TEXT_MAX = 65536 };

/* The configuration as a file of its own for one child: nobody shares its position. */
static int config_file(const struct setup *setup)
{
    struct buf text AUTO(buf);
    buf_init(&text, CONFIG_TEXT_MAX);
    config_print(&setup->config, false, &text);
    int fd = memfd_create("configuration", MFD_CLOEXEC);
    if (fd >= 0 && (!buf_ok(&text) || write(fd, text.data, text.len) != (ssize_t)text.len ||
                    lseek(fd, 0, SEEK_SET) != 0)) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static void print_numbers(const int *numbers, size_t count, char text[static NUMBERS_TEXT_MAX])
{
    struct buf out = {.data = text, .capacity = NUMBERS_TEXT_MAX, .limit = NUMBERS_TEXT_MAX};
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_byte(&out, ',');
        buf_int64(&out, numbers[i]);
    }
    buf_byte(&out, '\0');
}

static void print_number(int number, char text[static 12])
{
    (void)snprintf(text, 12, "%d", number);
}

static void close_all(const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++)
        (void)close(fds[i]);
}

/* A socket pair for each of the front's threads. */
static bool make_lanes(size_t count, int *front_ends, int *signer_ends)
{
    for (size_t i = 0; i < count; i++) {
        int ends[2];
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
            close_all(front_ends, i);
            close_all(signer_ends, i);
            return false;
        }
        front_ends[i] = ends[0];
        signer_ends[i] = ends[1];
    }
    return true;
}

static pid_t start_signer(const struct setup *setup, const struct pair_common *common,
                          const int *lanes, struct err *err)
{
    char lane_text[NUMBERS_TEXT_MAX];
    char kek_text[12];
    char config_text[12];
    int fds[LANES_MAX + 2];
    int config_fd = config_file(setup);
    if (config_fd < 0) {
        (void)fail(err, UNAVAILABLE, "cannot hand over the configuration");
        return -1;
    }
    print_numbers(lanes, setup->lane_count, lane_text);
    print_number(common->dir->kek_fd, kek_text);
    print_number(config_fd, config_text);
    memcpy(fds, lanes, setup->lane_count * sizeof *fds);
    fds[setup->lane_count] = common->dir->kek_fd;
    fds[setup->lane_count + 1] = config_fd;
    const struct program program = {
        .name = "postern-signer",
        .exe_fd = common->programs->signer_fd,
        .arguments = {"--lanes", lane_text, "--kek", kek_text, "--config", config_text},
        .fds = fds,
        .fd_count = setup->lane_count + 2,
        .user = common->users->are_changed ? &common->users->signer : NULL,
    };
    (void)lseek(common->dir->kek_fd, 0, SEEK_SET); /* the child shares the position */
    pid_t pid = program_start(&program, err);
    (void)close(config_fd);
    return pid;
}

struct front_start {
    int channel_fd;
    const int *lanes;
    bool waits;
};

static pid_t start_front(const struct setup *setup, const struct pair_common *common,
                         const struct front_start *start, struct err *err)
{
    char numbers[5][12];
    char loops[12];
    char lane_text[NUMBERS_TEXT_MAX];
    char listen_text[NUMBERS_TEXT_MAX];
    char tls_text[24];
    int fds[5 + LANES_MAX + LISTEN_MAX + 2];
    size_t argument = 20;
    int config_fd = config_file(setup);
    if (config_fd < 0) {
        (void)fail(err, UNAVAILABLE, "cannot hand over the configuration");
        return -1;
    }
    const int named[] = {start->channel_fd, config_fd, common->dir->fd, common->control_fd,
                         common->dir->lock_fd};
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_LEN(named); i++) {
        print_number(named[i], numbers[i]);
        fds[count++] = named[i];
    }
    for (size_t i = 0; i < setup->lane_count; i++)
        fds[count++] = start->lanes[i];
    size_t listen_count = setup_listen_fds(setup, fds + count);
    print_number((int)setup->loop_count, loops);
    print_numbers(start->lanes, setup->lane_count, lane_text);
    print_numbers(fds + count, listen_count, listen_text);
    struct program program = {
        .name = "posternd",
        .exe_fd = common->programs->front_fd,
        .arguments = {"--channel",
                      numbers[0],
                      "--config",
                      numbers[1],
                      "--data",
                      numbers[2],
                      "--control",
                      numbers[3],
                      "--lock",
                      numbers[4],
                      "--loops",
                      loops,
                      "--lanes",
                      lane_text,
                      "--issuer-configured",
                      setup->is_issuer_configured ? "yes" : "no",
                      "--ends-when-idle",
                      common->is_offline ? "yes" : "no",
                      "--waits",
                      start->waits ? "yes" : "no"},
        .fds = fds,
        .fd_count = count + listen_count,
        .user = common->users->are_changed ? &common->users->front : NULL,
    };
    if (listen_count > 0) {
        program.arguments[argument++] = "--listen";
        program.arguments[argument++] = listen_text;
    }
    if (setup->tls_fds[0] >= 0) {
        (void)snprintf(tls_text, sizeof tls_text, "%d,%d", setup->tls_fds[0], setup->tls_fds[1]);
        program.arguments[argument++] = "--tls";
        program.arguments[argument++] = tls_text;
        fds[program.fd_count++] = setup->tls_fds[0];
        fds[program.fd_count++] = setup->tls_fds[1];
    }
    pid_t pid = program_start(&program, err);
    (void)close(config_fd);
    return pid;
}

/* Starts both. A signer whose front is gone ends by itself, at the end of its lanes. */
enum status pair_start(struct pair *pair, struct setup *setup, const struct pair_common *common,
                       bool waits, struct err *err)
{
    int front_ends[LANES_MAX];
    int signer_ends[LANES_MAX];
    int channel[2];
    *pair = PAIR_NONE;
    pair->setup = setup;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) != 0)
        return fail(err, UNAVAILABLE, "cannot make a channel: %s", strerror(errno));
    if (!make_lanes(setup->lane_count, front_ends, signer_ends)) {
        close_all(channel, 2);
        return fail(err, UNAVAILABLE, "cannot make the lanes: %s", strerror(errno));
    }
    const struct front_start start = {channel[1], front_ends, waits};
    pair->started_at = clock_monotonic_ms();
    pair->signer = start_signer(setup, common, signer_ends, err);
    pair->front = pair->signer < 0 ? -1 : start_front(setup, common, &start, err);
    close_all(front_ends, setup->lane_count);
    close_all(signer_ends, setup->lane_count);
    (void)close(channel[1]);
    pair->channel_fd = channel[0];
    return pair->front < 0 ? UNAVAILABLE : OK;
}

/* Hands the front its ends of the lanes to a new signer. */
static bool send_lanes(const struct pair *pair, const int *fds)
{
    char word = CHANNEL_LANES;
    size_t count = pair->setup->lane_count;
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(LANES_MAX * sizeof(int))];
    } control = {0};
    struct iovec data = {.iov_base = &word, .iov_len = 1};
    struct msghdr message = {.msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = CMSG_SPACE(count * sizeof(int))};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    assert(header != NULL); /* there is room for it */
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(header), fds, count * sizeof(int));
    return sendmsg(pair->channel_fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == 1;
}

bool pair_restart_signer(struct pair *pair, const struct pair_common *common)
{
    int front_ends[LANES_MAX];
    int signer_ends[LANES_MAX];
    struct err err = {0};
    size_t count = pair->setup->lane_count;
    if (!make_lanes(count, front_ends, signer_ends)) {
        log_error("cannot make the lanes: %s", strerror(errno));
        return false;
    }
    pair->started_at = clock_monotonic_ms();
    pair->signer = start_signer(pair->setup, common, signer_ends, &err);
    if (pair->signer < 0)
        log_error("%s", err.detail);
    else if (!send_lanes(pair, front_ends))
        log_error("the front does not take the new signer's lanes: %s", strerror(errno));
    close_all(front_ends, count);
    close_all(signer_ends, count);
    return pair->signer > 0;
}

bool pair_tell(const struct pair *pair, enum channel_word word)
{
    char byte = (char)word;
    return send(pair->channel_fd, &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1;
}

bool pair_is_front_gone(const struct pair *pair)
{
    struct pollfd watched = {.fd = pair->channel_fd};
    return pair->front < 0 || pair->channel_fd < 0 ||
           (poll(&watched, 1, 0) == 1 && (watched.revents & POLLHUP) != 0);
}

void pair_signal(const struct pair *pair, int signal)
{
    if (pair->front > 0)
        (void)kill(pair->front, signal);
    if (pair->signer > 0)
        (void)kill(pair->signer, signal);
}

void pair_close_channel(struct pair *pair)
{
    if (pair->channel_fd >= 0)
        (void)close(pair->channel_fd);
    pair->channel_fd = -1;
}
