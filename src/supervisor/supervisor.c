/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor/supervisor.h"

#include "base/buf.h"
#include "base/clock.h"
#include "log/log.h"
#include "supervisor/data_dir.h"
#include "supervisor/listener.h"
#include "supervisor/notify.h"
#include "supervisor/program.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    LOOPS_MAX = 64,
    LANES_MAX = 192,
    LISTEN_MAX = LOOPS_MAX * CONFIG_LISTEN_MAX,
    NUMBERS_TEXT_MAX = 8192,
    CONFIG_TEXT_MAX = 65536,
    QUICK_DEATH_MS = 1000, /* a child that lived shorter makes the next start wait */
    QUICK_DEATHS_FREE = 8, /* in a row, before the first pause */
    BACK_OFF_MS_MIN = 50,
    BACK_OFF_MS_MAX = 5000,
    SIGNER_RETRY_MS = 500,
    LEAVE_GRACE_MS = 3000, /* beyond drain_seconds_max */
};

struct supervisor {
    const struct supervisor_options *options;
    struct config config; /* as the children get it: public_url filled in */
    struct data_dir dir;
    int control_fd;
    int listen_fds[LISTEN_MAX]; /* loop by loop */
    size_t listen_count;
    size_t loop_count;
    size_t lane_count;
    int signal_fd;
    int channel_fd; /* to the front; -1 while there is none */
    pid_t front;
    pid_t signer;
    int64_t started_at; /* of the youngest front, monotonic ms */
    unsigned quick_deaths;
    bool was_ready;
    bool is_leaving;
    int64_t leave_by;
    int exit_status;
    char url[LISTENER_URL_LEN_MAX];
};

/* --- Preparation
 * ------------------------------------------------------------------------------------- */

static size_t default_loops(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 1 ? 1 : cores > LOOPS_MAX ? LOOPS_MAX : (size_t)cores;
}

static enum status open_listeners(struct supervisor *self, struct err *err)
{
    size_t per_loop = self->options->is_offline ? 0 : self->config.listen_count;
    for (size_t i = 0; i < per_loop; i++) {
        int fds[LOOPS_MAX];
        char url[LISTENER_URL_LEN_MAX];
        enum status status = listener_open(self->config.listen[i], self->loop_count, fds, url, err);
        if (status != OK)
            return status;
        for (size_t loop = 0; loop < self->loop_count; loop++)
            self->listen_fds[loop * per_loop + i] = fds[loop];
        if (i == 0)
            memcpy(self->url, url, sizeof url);
    }
    self->listen_count = per_loop * self->loop_count;
    return OK;
}

static enum status prepare(struct supervisor *self, struct err *err)
{
    self->config = *self->options->config;
    self->loop_count = self->config.loops == 0 ? default_loops() : (size_t)self->config.loops;
    if (self->options->is_offline)
        self->loop_count = 1;
    self->lane_count = 1 + self->loop_count + (size_t)self->config.workers;
    (void)snprintf(self->url, sizeof self->url, "http://localhost");
    enum status status =
        data_dir_open(self->config.data, !self->options->is_offline, &self->dir, err);
    if (status == OK)
        status = open_listeners(self, err);
    if (status != OK)
        return status;
    if (self->config.public_url.len == 0)
        self->config.public_url = span_cstr(self->url);
    self->control_fd = data_dir_control_socket(&self->dir, err);
    return self->control_fd < 0 ? UNAVAILABLE : OK;
}

static int open_signals(void)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGHUP);
    (void)sigaddset(&set, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* --- Starting children
 * -------------------------------------------------------------------------------- */

/* The configuration as a file of its own for one child: nobody shares its position. */
static int config_file(const struct supervisor *self)
{
    struct buf text AUTO(buf);
    buf_init(&text, CONFIG_TEXT_MAX);
    config_print(&self->config, false, &text);
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
static bool make_lanes(const struct supervisor *self, int *front_ends, int *signer_ends)
{
    for (size_t i = 0; i < self->lane_count; i++) {
        int pair[2];
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
            close_all(front_ends, i);
            close_all(signer_ends, i);
            return false;
        }
        front_ends[i] = pair[0];
        signer_ends[i] = pair[1];
    }
    return true;
}

static pid_t start_signer(const struct supervisor *self, const int *lanes, struct err *err)
{
    char lane_text[NUMBERS_TEXT_MAX];
    char kek_text[12];
    char config_text[12];
    int fds[LANES_MAX + 2];
    int config_fd = config_file(self);
    if (config_fd < 0) {
        (void)fail(err, UNAVAILABLE, "cannot hand over the configuration");
        return -1;
    }
    print_numbers(lanes, self->lane_count, lane_text);
    print_number(self->dir.kek_fd, kek_text);
    print_number(config_fd, config_text);
    memcpy(fds, lanes, self->lane_count * sizeof *fds);
    fds[self->lane_count] = self->dir.kek_fd;
    fds[self->lane_count + 1] = config_fd;
    const struct program program = {
        .name = "postern-signer",
        .arguments = {"--lanes", lane_text, "--kek", kek_text, "--config", config_text},
        .fds = fds,
        .fd_count = self->lane_count + 2,
    };
    (void)lseek(self->dir.kek_fd, 0, SEEK_SET); /* the child shares the position */
    pid_t pid = program_start(&program, err);
    (void)close(config_fd);
    return pid;
}

static pid_t start_front(const struct supervisor *self, int channel_fd, const int *lanes,
                         struct err *err)
{
    char numbers[5][12];
    char loops[12];
    char lane_text[NUMBERS_TEXT_MAX];
    char listen_text[NUMBERS_TEXT_MAX];
    int fds[LANES_MAX + LISTEN_MAX + 5];
    int config_fd = config_file(self);
    if (config_fd < 0) {
        (void)fail(err, UNAVAILABLE, "cannot hand over the configuration");
        return -1;
    }
    const int named[] = {channel_fd, config_fd, self->dir.fd, self->control_fd, self->dir.lock_fd};
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_LEN(named); i++) {
        print_number(named[i], numbers[i]);
        fds[count++] = named[i];
    }
    for (size_t i = 0; i < self->lane_count; i++)
        fds[count++] = lanes[i];
    for (size_t i = 0; i < self->listen_count; i++)
        fds[count++] = self->listen_fds[i];
    print_number((int)self->loop_count, loops);
    print_numbers(lanes, self->lane_count, lane_text);
    print_numbers(self->listen_fds, self->listen_count, listen_text);
    struct program program = {
        .name = "posternd",
        .arguments = {"--channel", numbers[0], "--config", numbers[1], "--data", numbers[2],
                      "--control", numbers[3], "--lock", numbers[4], "--loops", loops, "--lanes",
                      lane_text, "--issuer-configured",
                      self->options->config->public_url.len > 0 ? "yes" : "no", "--ends-when-idle",
                      self->options->is_offline ? "yes" : "no"},
        .fds = fds,
        .fd_count = count,
    };
    if (self->listen_count > 0) {
        program.arguments[18] = "--listen";
        program.arguments[19] = listen_text;
    }
    pid_t pid = program_start(&program, err);
    (void)close(config_fd);
    return pid;
}

/* Starts both. A signer whose front is gone ends by itself, at the end of its lanes. */
static enum status start_children(struct supervisor *self, struct err *err)
{
    int front_ends[LANES_MAX];
    int signer_ends[LANES_MAX];
    int channel[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) != 0)
        return fail(err, UNAVAILABLE, "cannot make a channel: %s", strerror(errno));
    if (!make_lanes(self, front_ends, signer_ends)) {
        close_all(channel, 2);
        return fail(err, UNAVAILABLE, "cannot make the lanes: %s", strerror(errno));
    }
    self->started_at = clock_monotonic_ms();
    self->signer = start_signer(self, signer_ends, err);
    self->front = self->signer < 0 ? -1 : start_front(self, channel[1], front_ends, err);
    close_all(front_ends, self->lane_count);
    close_all(signer_ends, self->lane_count);
    (void)close(channel[1]);
    self->channel_fd = channel[0];
    return self->front < 0 ? UNAVAILABLE : OK;
}

/* Hands the front its ends of the lanes to a new signer. */
static bool send_lanes(const struct supervisor *self, const int *fds)
{
    char word = 'L';
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(LANES_MAX * sizeof(int))];
    } control = {0};
    struct iovec data = {.iov_base = &word, .iov_len = 1};
    struct msghdr message = {.msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = CMSG_SPACE(self->lane_count * sizeof(int))};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    assert(header != NULL); /* there is room for it */
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(self->lane_count * sizeof(int));
    memcpy(CMSG_DATA(header), fds, self->lane_count * sizeof(int));
    return sendmsg(self->channel_fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == 1;
}

static void restart_signer(struct supervisor *self)
{
    int front_ends[LANES_MAX];
    int signer_ends[LANES_MAX];
    struct err err = {0};
    if (!make_lanes(self, front_ends, signer_ends)) {
        log_error("cannot make the lanes: %s", strerror(errno));
        return;
    }
    self->started_at = clock_monotonic_ms();
    self->signer = start_signer(self, signer_ends, &err);
    if (self->signer < 0)
        log_error("%s", err.detail);
    else if (!send_lanes(self, front_ends))
        log_error("the front does not take the new signer's lanes: %s", strerror(errno));
    close_all(front_ends, self->lane_count);
    close_all(signer_ends, self->lane_count);
}

/* --- Life
 * -----------------------------------------------------------------------------------------------
 */

static void kill_children(const struct supervisor *self)
{
    if (self->front > 0)
        (void)kill(self->front, SIGKILL);
    if (self->signer > 0)
        (void)kill(self->signer, SIGKILL);
}

static void leave(struct supervisor *self, int exit_status)
{
    if (!self->is_leaving) {
        self->exit_status = exit_status;
        self->leave_by =
            clock_monotonic_ms() + self->config.drain_seconds_max * 1000 + LEAVE_GRACE_MS;
        notify_systemd("STOPPING=1");
        /* Who comes now is refused at once, rather than left waiting for a front that drains. */
        close_all(self->listen_fds, self->listen_count);
        self->listen_count = 0;
    } else {
        kill_children(self); /* asked twice */
    }
    self->is_leaving = true;
    if (self->front > 0)
        (void)kill(self->front, SIGTERM);
}

/* Doubling pauses for a child that dies as soon as it is started; none for one that had lived. */
static void back_off(struct supervisor *self)
{
    bool was_quick = clock_monotonic_ms() - self->started_at < QUICK_DEATH_MS;
    self->quick_deaths = was_quick ? self->quick_deaths + 1 : 0;
    if (self->quick_deaths < QUICK_DEATHS_FREE)
        return;
    unsigned doublings = self->quick_deaths - QUICK_DEATHS_FREE;
    int pause = BACK_OFF_MS_MIN << (doublings < 7 ? doublings : 7);
    struct pollfd watched = {.fd = self->signal_fd, .events = POLLIN};
    (void)poll(&watched, 1, pause < BACK_OFF_MS_MAX ? pause : BACK_OFF_MS_MAX);
}

static const char *how_it_ended(int status, char text[static 40])
{
    if (WIFSIGNALED(status))
        (void)snprintf(text, 40, "killed by signal %d", WTERMSIG(status));
    else
        (void)snprintf(text, 40, "exit status %d", WEXITSTATUS(status));
    return text;
}

static void on_front_end(struct supervisor *self, int status)
{
    char text[40];
    (void)close(self->channel_fd);
    self->channel_fd = -1;
    self->front = -1;
    if (self->is_leaving)
        return;
    bool is_clean = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (self->options->is_offline && is_clean) {
        leave(self, 0);
        return;
    }
    if (!self->was_ready) { /* it has said why */
        leave(self, 1);
        return;
    }
    log_warn("posternd ended (%s); starting it again", how_it_ended(status, text));
    self->signer = -1; /* that one ends by itself; the new front gets a new one */
    back_off(self);
    struct err err = {0};
    if (start_children(self, &err) != OK) {
        log_error("%s", err.detail);
        leave(self, 1);
    }
}

/* Has the front closed its end of the channel? A killed process does so before it can be waited
 * for. */
static bool is_front_gone(const struct supervisor *self)
{
    struct pollfd watched = {.fd = self->channel_fd};
    return self->front < 0 || self->channel_fd < 0 ||
           (poll(&watched, 1, 0) == 1 && (watched.revents & POLLHUP) != 0);
}

static void on_signer_end(struct supervisor *self, int status)
{
    char text[40];
    self->signer = -1;
    if (self->is_leaving || is_front_gone(self)) /* it ended with its lanes */
        return;
    log_warn("postern-signer ended (%s); starting it again", how_it_ended(status, text));
    if (!self->was_ready) {
        leave(self, 1);
        return;
    }
    back_off(self);
    restart_signer(self);
}

static void reap(struct supervisor *self)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == self->front)
            on_front_end(self, status);
        else if (pid == self->signer)
            on_signer_end(self, status);
    }
}

static void on_signals(struct supervisor *self)
{
    struct signalfd_siginfo info;
    while (read(self->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGCHLD)
            reap(self);
        else if (info.ssi_signo == SIGHUP)
            log_info("SIGHUP: there is nothing to reload yet");
        else
            leave(self, 0);
    }
}

/* 'F' after a first start, 'R' otherwise: connections are accepted. 'S': the signer does not
 * answer. */
static void on_channel(struct supervisor *self)
{
    char word;
    if (recv(self->channel_fd, &word, 1, MSG_DONTWAIT) != 1)
        return; /* its end is told by SIGCHLD */
    if (word ==
        'S') { /* the signer hangs: its end is told by SIGCHLD too, and another is started */
        if (self->signer > 0)
            (void)kill(self->signer, SIGKILL);
        return;
    }
    if (self->was_ready) {
        log_info("posternd accepts connections again");
        return;
    }
    self->was_ready = true;
    if (word == 'F')
        log_info("first start: made an account with the user owner, and the keys, in %.*s",
                 SPAN_FMT(self->config.data));
    (void)printf("ready %.*s\n", SPAN_FMT(span_cstr(self->url)));
    (void)fflush(stdout);
    notify_systemd("READY=1");
}

static void run(struct supervisor *self)
{
    while (!self->is_leaving || self->front > 0 || self->signer > 0) {
        struct pollfd watched[] = {
            {.fd = self->signal_fd, .events = POLLIN},
            /* A closed channel is always readable: its end is told by SIGCHLD. */
            {.fd = self->channel_fd, .events = POLLIN},
        };
        int timeout = -1;
        if (self->is_leaving) {
            int64_t left = self->leave_by - clock_monotonic_ms();
            timeout = left > 0 ? (int)left : 0;
        }
        bool lacks_signer = !self->is_leaving && self->front > 0 && self->signer < 0;
        if (lacks_signer) /* it could not be started: no memory, no descriptors */
            timeout = SIGNER_RETRY_MS;
        int count = poll(watched, ARRAY_LEN(watched), timeout);
        if (count == 0 && lacks_signer)
            restart_signer(self);
        if (count == 0 && self->is_leaving)
            kill_children(self);
        if (watched[1].revents & POLLIN)
            on_channel(self);
        if ((watched[1].revents & POLLHUP) && !(watched[1].revents & POLLIN) &&
            self->channel_fd >= 0) {
            (void)close(self->channel_fd);
            self->channel_fd = -1;
        }
        on_signals(self);
    }
}

int supervisor_run(const struct supervisor_options *options)
{
    struct err err = {0};
    struct supervisor *self = calloc(1, sizeof *self);
    if (self == NULL) {
        log_error("no memory");
        return 1;
    }
    self->options = options;
    self->channel_fd = self->front = self->signer = -1;
    self->signal_fd = open_signals();
    enum status status = prepare(self, &err);
    if (status == OK)
        status = start_children(self, &err);
    if (status == OK)
        run(self);
    else
        log_error("%s", err.detail);
    int exit_status = status == OK ? self->exit_status : 1;
    free(self);
    return exit_status;
}
