/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor/supervisor.h"

#include "base/clock.h"
#include "log/log.h"
#include "supervisor/data_dir.h"
#include "supervisor/notify.h"
#include "supervisor/pair.h"
#include "supervisor/program.h"
#include "supervisor/setup.h"
#include "supervisor/takeover.h"
#include "supervisor/users.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    QUICK_DEATH_MS = 1000, /* a child that lived shorter makes the next start wait */
    QUICK_DEATHS_FREE = 8, /* in a row, before the first pause */
    BACK_OFF_MS_MIN = 50,
    BACK_OFF_MS_MAX = 5000,
    SIGNER_RETRY_MS = 500,
    LEAVE_GRACE_MS = 3000,    /* beyond drain_seconds_max */
    PREPARE_MS_MAX = 30000,   /* for a new front to say that it waits for the store */
    HAND_OVER_MS_MAX = 15000, /* for the old front to close it */
    ARGUMENTS_MAX = 128,
    TLS_LOOK_MS = 1000,
};

/* Replacing the pair, step by step. Until the old front is told to hand over, a failure changes
 * nothing; after that the old setup is started again. */
enum handover {
    HANDOVER_NONE,
    HANDOVER_PREPARING, /* the incoming front prepares itself */
    HANDOVER_CLOSING,   /* the current one answers what runs and closes the store */
    HANDOVER_OPENING,   /* the incoming one opens it */
};

/* Tells whether a file was changed or replaced. */
struct file_mark {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed_at;
};

struct supervisor {
    const struct supervisor_options *options;
    struct data_dir dir;
    struct users users;
    int control_fd;
    int signal_fd;
    struct programs programs;
    struct programs programs_before; /* of the version before this one; -1: none */
    struct pair current;
    struct pair incoming;
    struct pair outgoing; /* its front ends what it could not hand over; without a setup */
    enum handover handover;
    int64_t handover_by; /* monotonic ms */
    bool wants_reload;
    int64_t look_at;         /* monotonic ms: when the certificate's files are looked at again */
    struct file_mark tls[2]; /* how they were then */
    bool has_tls_changed;    /* at the last look */
    pid_t check;             /* the next version's program, trying the configuration; -1: none */
    bool wants_upgrade;      /* it takes it */
    unsigned quick_deaths;
    bool was_ready;
    bool is_leaving;
    int64_t leave_by;
    int exit_status;
    char path[PATH_MAX]; /* of this program, also when another takes its place */
};

static struct pair_common common_of(const struct supervisor *self)
{
    return (struct pair_common){
        .dir = &self->dir,
        .programs = &self->programs,
        .users = &self->users,
        .control_fd = self->control_fd,
        .is_offline = self->options->is_offline,
    };
}

static enum status start_current(struct supervisor *self, struct setup *setup, struct err *err)
{
    const struct pair_common common = common_of(self);
    return pair_start(&self->current, setup, &common, false, err);
}

/* --- Preparation
 * ------------------------------------------------------------------------------------- */

static enum status choose_users(struct supervisor *self, const struct config *config,
                                struct err *err)
{
    enum status status = users_choose(self->dir.fd, &self->users, err);
    if (status == OK)
        status = users_check(&self->users, config->sandbox, err);
    if (status == OK && !self->options->is_offline)
        users_say(&self->users);
    return status;
}

static enum status start_anew(struct supervisor *self, struct err *err)
{
    const struct config *config = self->options->config;
    struct setup *setup = setup_new();
    self->current.setup = setup;
    if (setup == NULL)
        return fail(err, NO_MEMORY, "no memory");
    enum status status = data_dir_open(config->data, !self->options->is_offline, &self->dir, err);
    const struct data_dir_doubt *doubt = status == OK ? data_dir_doubt(self->dir.fd) : NULL;
    if (doubt != NULL && doubt->is_shared)
        log_warn("the data directory is on %s: %s; keep it on a local disk", doubt->name,
                 doubt->why);
    if (status == OK)
        status = setup_open(setup, config, NULL, self->options->is_offline, err);
    if (status == OK)
        status = choose_users(self, config, err);
    if (status != OK)
        return status;
    self->control_fd = data_dir_control_socket(&self->dir, err);
    return self->control_fd < 0 ? UNAVAILABLE : start_current(self, setup, err);
}

/* The pair of the version before goes on serving; a reload then brings this version's. */
static void take_over(struct supervisor *self, const struct takeover *from)
{
    self->dir = from->dir;
    self->control_fd = from->control_fd;
    self->programs_before = from->programs;
    self->current = from->pair;
    self->was_ready = true;
    self->wants_reload = true;
}

static enum status prepare(struct supervisor *self, struct err *err)
{
    struct takeover from;
    const char *named = self->options->argv[0];
    ssize_t len = readlink("/proc/self/exe", self->path, sizeof self->path - 1);
    if (len > 0)
        self->path[len] = '\0';
    if (strchr(named, '/') != NULL && strlen(named) < sizeof self->path)
        memcpy(self->path, named, strlen(named) + 1);
    enum status status = programs_open(&self->programs, err);
    if (status != OK)
        return status;
    status = takeover_read(&from, err);
    if (status == NOT_FOUND)
        return start_anew(self, err);
    if (status == OK)
        take_over(self, &from);
    return status == OK ? choose_users(self, self->options->config, err) : status;
}

static int open_signals(void)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGHUP);
    (void)sigaddset(&set, SIGUSR2);
    (void)sigaddset(&set, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* --- Leaving
 * ---------------------------------------------------------------------------------------- */

static void leave(struct supervisor *self, int exit_status)
{
    struct pair *pairs[] = {&self->current, &self->incoming, &self->outgoing};
    bool is_second = self->is_leaving;
    if (!is_second) {
        int64_t drain_ms = self->current.setup->config.drain_seconds_max * 1000;
        self->exit_status = exit_status;
        self->leave_by = clock_monotonic_ms() + drain_ms + LEAVE_GRACE_MS;
        notify_systemd("STOPPING=1");
        /* Who comes now is refused at once, rather than left waiting for a front that drains. */
        setup_close_listeners(self->current.setup);
        if (self->incoming.setup != NULL)
            setup_close_listeners(self->incoming.setup);
    }
    self->is_leaving = true;
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        if (is_second)
            pair_signal(pairs[i], SIGKILL);
        else if (pairs[i]->front > 0)
            (void)kill(pairs[i]->front, SIGTERM);
    }
}

static bool has_children(const struct supervisor *self)
{
    return self->current.front > 0 || self->current.signer > 0 || self->incoming.front > 0 ||
           self->incoming.signer > 0 || self->outgoing.front > 0 || self->outgoing.signer > 0;
}

/* --- Reload
 * ----------------------------------------------------------------------------------------- */

/* How the files of the running setup's certificate and key are now; zeros where there is none. */
static void look_at_tls(const struct supervisor *self, struct file_mark marks[static 2])
{
    const struct config *config = &self->current.setup->config;
    const struct span paths[] = {config->tls_certificate, config->tls_key};
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        char name[PATH_MAX];
        struct stat info;
        memset(&marks[i], 0, sizeof marks[i]);
        if (paths[i].len == 0 || paths[i].len >= sizeof name)
            continue;
        memcpy(name, paths[i].ptr, paths[i].len);
        name[paths[i].len] = '\0';
        if (stat(name, &info) != 0)
            continue;
        marks[i].device = info.st_dev;
        marks[i].inode = info.st_ino;
        marks[i].size = info.st_size;
        marks[i].changed_at = info.st_ctim; /* also a new mode or owner */
    }
}

static bool has_tls(const struct supervisor *self)
{
    return self->current.setup != NULL && self->current.setup->tls_fds[0] >= 0;
}

/* A certificate that was renewed is taken without being told. Both files are written one after the
 * other: what changed within the last look is left for the next one. */
static void watch_tls(struct supervisor *self)
{
    struct file_mark now[2];
    int64_t now_ms = clock_monotonic_ms();
    if (!has_tls(self) || now_ms < self->look_at)
        return;
    self->look_at = now_ms + TLS_LOOK_MS;
    look_at_tls(self, now);
    if (memcmp(now, self->tls, sizeof now) != 0) {
        bool is_first = self->tls[0].inode == 0;
        memcpy(self->tls, now, sizeof now);
        self->has_tls_changed = !is_first;
    } else if (self->has_tls_changed) {
        self->has_tls_changed = false;
        log_info("the certificate's files have changed");
        self->wants_reload = true;
    }
}

static enum status make_incoming(struct supervisor *self, struct setup *setup, struct err *err)
{
    const struct setup *running = self->current.setup;
    struct config config;
    enum status status =
        self->options->read_config(self->options->read_context, &setup->arena, &config, err);
    if (status == OK && !span_equal(config.data, running->config.data))
        status = fail(err, INVALID, "data cannot change while the server runs");
    if (status == OK)
        status = users_check(&self->users, config.sandbox, err);
    if (status == OK)
        status = setup_open(setup, &config, running, false, err);
    const struct pair_common common = common_of(self);
    if (status == OK)
        status = pair_start(&self->incoming, setup, &common, true, err);
    return status;
}

static void begin_reload(struct supervisor *self)
{
    struct err err = {0};
    self->wants_reload = false;
    notify_systemd("RELOADING=1");
    struct setup *setup = setup_new();
    enum status status =
        setup == NULL ? fail(&err, NO_MEMORY, "no memory") : make_incoming(self, setup, &err);
    if (status == OK) {
        self->handover = HANDOVER_PREPARING;
        self->handover_by = clock_monotonic_ms() + PREPARE_MS_MAX;
        return;
    }
    log_error("reload: %s; the running configuration stays", err.detail);
    pair_close_channel(&self->incoming);
    self->incoming = PAIR_NONE;
    setup_free(setup);
    notify_systemd("READY=1");
}

static void drop_incoming(struct supervisor *self)
{
    pair_close_channel(&self->incoming);
    setup_free(self->incoming.setup);
    /* Its signer ends with its lanes; nobody is asked about it any more. */
    self->incoming = PAIR_NONE;
    self->handover = HANDOVER_NONE;
    notify_systemd("READY=1");
}

/* The store is closed: the incoming front's turn, or, where there is none any more, the old setup's
 * once again. */
static void go_on_with_incoming(struct supervisor *self)
{
    struct err err = {0};
    if (self->incoming.front > 0 && pair_tell(&self->incoming, CHANNEL_GO)) {
        self->handover = HANDOVER_OPENING;
        return;
    }
    struct setup *setup = self->current.setup;
    log_error("reload: the new front ended; the configuration before is started again");
    drop_incoming(self);
    self->outgoing = self->current;
    self->outgoing.setup = NULL;
    if (self->programs_before.front_fd >= 0)
        self->programs = self->programs_before;
    if (start_current(self, setup, &err) != OK) {
        log_error("%s", err.detail);
        leave(self, 1);
    }
}

static void on_waits(struct supervisor *self)
{
    if (self->current.front < 0) { /* it died meanwhile: nothing to hand over */
        go_on_with_incoming(self);
        return;
    }
    if (!pair_tell(&self->current, CHANNEL_HAND_OVER))
        log_warn("the running front cannot be told to hand over: %s", strerror(errno));
    self->handover = HANDOVER_CLOSING;
    self->handover_by = clock_monotonic_ms() + HAND_OVER_MS_MAX;
}

static void on_incoming_ready(struct supervisor *self)
{
    setup_free(self->current.setup);
    self->outgoing = self->current;
    self->outgoing.setup = NULL;
    self->current = self->incoming;
    self->incoming = PAIR_NONE;
    self->handover = HANDOVER_NONE;
    self->quick_deaths = 0;
    log_info("reload: the new configuration is in force");
    notify_systemd("READY=1");
}

/* A step took too long. */
static void on_handover_late(struct supervisor *self)
{
    struct pair *late = self->handover == HANDOVER_PREPARING ? &self->incoming : &self->current;
    log_error("reload: posternd does not answer; ending it");
    self->handover_by = INT64_MAX;
    if (late->front > 0) /* its end goes on from here */
        (void)kill(late->front, SIGKILL);
}

/* --- Upgrade: the program at the same path, first asked whether it takes the configuration
 * ------------- */

static void begin_upgrade(struct supervisor *self)
{
    static const char *const check[] = {"config", "check"};
    const char *arguments[ARGUMENTS_MAX + 2];
    size_t count = 0;
    if (self->check > 0 || self->options->is_offline)
        return;
    for (char *const *argument = self->options->argv; *argument != NULL; argument++) {
        if (count >= ARGUMENTS_MAX) {
            log_error("upgrade: too many arguments");
            return;
        }
        if (strcmp(*argument, "serve") == 0) {
            arguments[count++] = check[0];
            arguments[count++] = check[1];
        } else {
            arguments[count++] = *argument;
        }
    }
    arguments[count] = NULL;
    self->check = fork();
    if (self->check == 0) {
        sigset_t none;
        (void)sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
        int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
        if (nowhere >= 0)
            (void)dup2(nowhere, STDOUT_FILENO); /* it is for `ready` */
        (void)execv(self->path, (char *const *)(uintptr_t)arguments);
        _exit(127);
    }
    if (self->check < 0)
        log_error("upgrade: cannot start %s: %s", self->path, strerror(errno));
}

static void on_check_end(struct supervisor *self, int status)
{
    self->check = -1;
    self->wants_upgrade = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (!self->wants_upgrade)
        log_error("upgrade: %s does not start with this configuration; this version stays",
                  self->path);
}

/* Only the current pair is handed over: there is no other when this is called. */
static void hand_over_to_next(struct supervisor *self)
{
    struct err err = {0};
    const struct takeover from = {
        .dir = self->dir,
        .control_fd = self->control_fd,
        .programs = self->programs,
        .setup = self->current.setup,
        .pair = self->current,
    };
    self->wants_upgrade = false;
    log_info("upgrade: handing over to %s", self->path);
    if (takeover_exec(&from, self->path, self->options->argv, &err) != OK)
        log_error("upgrade: %s", err.detail);
}

/* --- Ends of children
 * ------------------------------------------------------------------------------- */

/* Doubling pauses for a child that dies as soon as it is started; none for one that had lived. */
static void back_off(struct supervisor *self)
{
    bool was_quick = clock_monotonic_ms() - self->current.started_at < QUICK_DEATH_MS;
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
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
        (void)snprintf(text, 40, "killed by its sandbox: forbidden call");
    else if (WIFSIGNALED(status))
        (void)snprintf(text, 40, "killed by signal %d", WTERMSIG(status));
    else
        (void)snprintf(text, 40, "exit status %d", WEXITSTATUS(status));
    return text;
}

static void restart_current(struct supervisor *self)
{
    struct err err = {0};
    back_off(self);
    if (start_current(self, self->current.setup, &err) != OK) {
        log_error("%s", err.detail);
        leave(self, 1);
    }
}

static void on_current_end(struct supervisor *self, int status)
{
    char text[40];
    pair_close_channel(&self->current);
    self->current.front = -1;
    if (self->is_leaving || self->handover == HANDOVER_OPENING)
        return;
    bool is_clean = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (self->handover == HANDOVER_CLOSING) { /* with or without a word: the store is free */
        go_on_with_incoming(self);
        return;
    }
    if (self->options->is_offline && is_clean) {
        leave(self, 0);
        return;
    }
    if (!self->was_ready) { /* it has said why */
        leave(self, 1);
        return;
    }
    log_warn("posternd ended (%s); starting it again", how_it_ended(status, text));
    self->current.signer = -1; /* that one ends by itself; the new front gets a new one */
    if (self->handover == HANDOVER_NONE)
        restart_current(self); /* else the one that prepares itself comes next */
}

static void on_incoming_end(struct supervisor *self)
{
    self->incoming.front = -1;
    if (self->is_leaving)
        return;
    if (self->handover == HANDOVER_OPENING) {
        go_on_with_incoming(self);
    } else if (self->handover == HANDOVER_PREPARING) {
        log_error("reload: the new front ended; the running configuration stays");
        drop_incoming(self);
        if (self->current.front < 0)
            restart_current(self);
    } /* else its turn never comes: see go_on_with_incoming() */
}

static void on_signer_end(struct supervisor *self, int status)
{
    char text[40];
    self->current.signer = -1;
    bool is_clean =
        WIFEXITED(status) && WEXITSTATUS(status) == 0; /* with its lanes: the front ends */
    if (self->is_leaving || is_clean || pair_is_front_gone(&self->current))
        return;
    log_warn("postern-signer ended (%s); starting it again", how_it_ended(status, text));
    if (!self->was_ready) {
        leave(self, 1);
        return;
    }
    back_off(self);
    const struct pair_common common = common_of(self);
    (void)pair_restart_signer(&self->current, &common);
}

static void reap(struct supervisor *self)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == self->current.front) {
            on_current_end(self, status);
        } else if (pid == self->current.signer) {
            on_signer_end(self, status);
        } else if (pid == self->incoming.front) {
            on_incoming_end(self);
        } else if (pid == self->incoming.signer) {
            self->incoming.signer = -1;
        } else if (pid == self->outgoing.front) {
            pair_close_channel(&self->outgoing);
            self->outgoing.front = -1;
        } else if (pid == self->outgoing.signer) {
            self->outgoing.signer = -1;
        } else if (pid == self->check) {
            on_check_end(self, status);
        }
    }
}

/* --- Life
 * ------------------------------------------------------------------------------------------ */

static void on_signals(struct supervisor *self)
{
    struct signalfd_siginfo info;
    while (read(self->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGCHLD)
            reap(self);
        else if (info.ssi_signo == SIGHUP)
            self->wants_reload = !self->options->is_offline;
        else if (info.ssi_signo == SIGUSR2)
            begin_upgrade(self);
        else
            leave(self, 0);
    }
}

static void on_current_ready(struct supervisor *self, bool is_first)
{
    const struct setup *setup = self->current.setup;
    if (self->was_ready) {
        log_info("posternd accepts connections again");
        return;
    }
    self->was_ready = true;
    if (is_first)
        log_info("first start: made an account with the user owner, and the keys, in %.*s",
                 SPAN_FMT(setup->config.data));
    const char *url = setup->listener_count == 0 ? "http://localhost" : setup->listeners[0].url;
    (void)printf("ready %s\n", url);
    (void)fflush(stdout);
    notify_systemd("READY=1");
}

static void on_channel(struct supervisor *self, struct pair *pair)
{
    char word;
    if (recv(pair->channel_fd, &word, 1, MSG_DONTWAIT) != 1)
        return; /* its end is told by SIGCHLD */
    bool is_current = pair == &self->current;
    if (word == CHANNEL_SIGNER_HANGS) { /* its end is told by SIGCHLD, and another is started */
        if (pair->signer > 0)
            (void)kill(pair->signer, SIGKILL);
    } else if (word == CHANNEL_WAITS && self->handover == HANDOVER_PREPARING) {
        on_waits(self);
    } else if (word == CHANNEL_STORE_FREE && self->handover == HANDOVER_CLOSING) {
        go_on_with_incoming(self);
    } else if (word == CHANNEL_READY || word == CHANNEL_FIRST_READY) {
        if (is_current)
            on_current_ready(self, word == CHANNEL_FIRST_READY);
        else
            on_incoming_ready(self);
    }
}

/* What is due when nothing happens; -1: nothing. */
static int next_timeout(const struct supervisor *self, bool lacks_signer)
{
    int64_t at = INT64_MAX;
    int64_t now = clock_monotonic_ms();
    if (self->is_leaving)
        at = self->leave_by;
    else if (lacks_signer)
        at = now + SIGNER_RETRY_MS;
    if (has_tls(self) && !self->is_leaving && self->look_at < at)
        at = self->look_at;
    bool is_waiting = self->handover == HANDOVER_PREPARING || self->handover == HANDOVER_CLOSING;
    if (is_waiting && self->handover_by < at)
        at = self->handover_by;
    if (at == INT64_MAX)
        return -1;
    return at > now ? (int)(at - now) : 0;
}

static void on_timeout(struct supervisor *self, bool lacks_signer)
{
    const struct pair_common common = common_of(self);
    struct pair *pairs[] = {&self->current, &self->incoming, &self->outgoing};
    bool is_late = self->is_leaving && clock_monotonic_ms() >= self->leave_by;
    for (size_t i = 0; is_late && i < ARRAY_LEN(pairs); i++)
        pair_signal(pairs[i], SIGKILL);
    if (lacks_signer)
        (void)pair_restart_signer(&self->current, &common);
    if (!self->is_leaving && self->handover != HANDOVER_NONE &&
        clock_monotonic_ms() >= self->handover_by)
        on_handover_late(self);
}

static void run(struct supervisor *self)
{
    while (!self->is_leaving || has_children(self)) {
        watch_tls(self);
        bool is_settled = !self->is_leaving && self->was_ready && self->current.front > 0 &&
                          self->handover == HANDOVER_NONE && self->outgoing.front < 0;
        if (self->wants_upgrade && is_settled)
            hand_over_to_next(self);
        else if (self->wants_reload && is_settled)
            begin_reload(self);
        struct pair *pairs[] = {&self->current, &self->incoming, &self->outgoing};
        struct pollfd watched[1 + ARRAY_LEN(pairs)] = {{.fd = self->signal_fd, .events = POLLIN}};
        for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
            watched[1 + i] = (struct pollfd){.fd = pairs[i]->channel_fd, .events = POLLIN};
        /* It could not be started: no memory, no descriptors. */
        bool lacks_signer =
            !self->is_leaving && self->current.front > 0 && self->current.signer < 0 &&
            (self->handover == HANDOVER_NONE || self->handover == HANDOVER_PREPARING);
        int64_t due_at = clock_monotonic_ms() + SIGNER_RETRY_MS;
        if (poll(watched, ARRAY_LEN(watched), next_timeout(self, lacks_signer)) == 0)
            on_timeout(self, lacks_signer && clock_monotonic_ms() >= due_at);
        /* One word at a time: it may change which pair is which. */
        bool has_heard = false;
        for (size_t i = 0; i < ARRAY_LEN(pairs) && !has_heard; i++) {
            has_heard = watched[1 + i].revents != 0;
            if (watched[1 + i].revents & POLLIN)
                on_channel(self, pairs[i]);
            else if (has_heard)
                pair_close_channel(pairs[i]); /* its end is told by SIGCHLD */
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
    self->programs_before = (struct programs){-1, -1};
    self->current = self->incoming = self->outgoing = PAIR_NONE;
    self->check = -1;
    self->signal_fd = open_signals();
    enum status status = prepare(self, &err);
    if (status == OK)
        run(self);
    else if (options->is_offline)
        (void)printf("failed %s\n", err.detail); /* to the command, which tells the user */
    else
        log_error("%s", err.detail);
    int exit_status = status == OK ? self->exit_status : 1;
    setup_free(self->current.setup);
    setup_free(self->incoming.setup);
    free(self);
    return exit_status;
}
