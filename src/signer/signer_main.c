/* SPDX-License-Identifier: Apache-2.0 */
/* postern-signer: holds the token-signing key, the pepper and the key-encryption key; has no
 * network and opens no file. Started by `postern serve` with its lanes, the key-encryption key and
 * the configuration as open descriptors; ends when all lanes are at their end. */
#include "base/process.h"
#include "base/arena.h"
#include "config/config.h"
#include "crypto/digest.h"
#include "crypto/seal.h"
#include "codec/json.h"
#include "log/log.h"
#include "sandbox/sandbox.h"
#include "signer/signer_lane.h"
#include "signer/signer_ops.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    LANES_MAX = 192,
    CONFIG_BYTES_MAX = 65536,
    ARENA_BYTES_MAX = 1 << 18,
    END_MS_MAX = 2000,
    LANE_ALONE_MS = 1000
};

struct lane_thread {
    struct process *process;
    int fd;
    pthread_t thread;
};

struct process {
    struct signer signer;
    struct config config;
    struct arena arena;
    int kek_fd;
    int config_fd;
    int signal_fd;
    int ended_fd; /* an eventfd: counts lanes that ended */
    atomic_bool is_ending;
    atomic_bool has_failed; /* a lane's other end broke the protocol */
    size_t lane_count;
    size_t started;
    struct lane_thread lanes[LANES_MAX];
};

/* SIGTERM comes by descriptor; what a terminal sends to the whole group is the supervisor's. */
static int open_signals(void)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGHUP);
    (void)sigaddset(&set, SIGQUIT);
    (void)sigaddset(&set, SIGPIPE);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

static bool read_number(struct span text, int *number)
{
    int64_t value;
    if (!span_to_int64(text, &value) || value > 1 << 20)
        return false;
    *number = (int)value;
    return true;
}

static bool read_lanes(struct span text, struct process *process)
{
    bool goes_on = text.len > 0;
    while (goes_on) {
        struct span number;
        goes_on = span_cut(&text, ',', &number);
        if (process->lane_count == LANES_MAX ||
            !read_number(number, &process->lanes[process->lane_count].fd))
            return false;
        process->lanes[process->lane_count++].process = process;
    }
    return true;
}

static bool read_option(struct span name, struct span value, struct process *process)
{
    if (span_equal(name, SPAN("--lanes")))
        return read_lanes(value, process);
    if (span_equal(name, SPAN("--kek")))
        return read_number(value, &process->kek_fd);
    if (span_equal(name, SPAN("--config")))
        return read_number(value, &process->config_fd);
    return false;
}

static bool read_options(int argc, char **argv, struct process *process)
{
    for (int i = 1; i < argc; i += 2) {
        if (i + 1 == argc || !read_option(span_cstr(argv[i]), span_cstr(argv[i + 1]), process))
            return false;
    }
    return process->lane_count > 0 && process->kek_fd >= 0 && process->config_fd >= 0;
}

/* The whole content, from its start where the descriptor has one (the front reads the same file),
 * and closes it. More than max - 1 bytes, or an error: -1. */
static ssize_t read_all(int fd, char *memory, size_t max)
{
    size_t len = 0;
    ssize_t got = 1;
    bool is_file = lseek(fd, 0, SEEK_CUR) >= 0;
    while (got != 0 && len < max) {
        got = is_file ? pread(fd, memory + len, max - len, (off_t)len)
                      : read(fd, memory + len, max - len);
        if (got < 0 && errno != EINTR)
            break;
        if (got > 0)
            len += (size_t)got;
    }
    (void)close(fd);
    return got == 0 && len < max ? (ssize_t)len : -1;
}

static enum status read_config(struct process *process, struct err *err)
{
    char *text = arena_alloc(&process->arena, CONFIG_BYTES_MAX);
    if (text == NULL)
        return fail(err, NO_MEMORY, "no memory for the configuration");
    ssize_t len = read_all(process->config_fd, text, CONFIG_BYTES_MAX);
    if (len < 0)
        return fail(err, INVALID, "cannot read the configuration");
    config_defaults(&process->config);
    return config_read_file(&process->config, span_of(text, (size_t)len), "configuration",
                            &process->arena, err);
}

static enum status open_signer(struct process *process, struct err *err)
{
    char kek[SEAL_KEY_BYTES + 2];
    ssize_t len = read_all(process->kek_fd, kek, sizeof kek);
    enum status status =
        len == SEAL_KEY_BYTES
            ? signer_open(&process->signer, &process->config, span_of(kek, SEAL_KEY_BYTES), err)
            : fail(err, INVALID, "the key-encryption key is not %d bytes", SEAL_KEY_BYTES);
    wipe(kek, sizeof kek);
    return status;
}

static void *run_lane(void *context)
{
    struct lane_thread *lane = context;
    struct process *process = lane->process;
    uint64_t one = 1;
    if (signer_lane_run(&process->signer, lane->fd, &process->is_ending) == SIGNER_LANE_BROKEN)
        atomic_store(&process->has_failed, true);
    (void)shutdown(lane->fd,
                   SHUT_RDWR); /* the other end is told at once, not when the process ends */
    ssize_t written = write(process->ended_fd, &one, sizeof one);
    (void)written;
    return NULL;
}

static bool start_lanes(struct process *process)
{
    for (size_t i = 0; i < process->lane_count; i++) {
        if (pthread_create(&process->lanes[i].thread, NULL, run_lane, &process->lanes[i]) != 0)
            return false;
        process->started++;
    }
    return true;
}

/* Waits for lanes to end, or for SIGTERM; timeout_ms as poll's. False: SIGTERM, or time is up. */
static bool wait_for_lanes(struct process *process, size_t *ended, int timeout_ms)
{
    struct pollfd watched[] = {
        {.fd = process->ended_fd, .events = POLLIN},
        {.fd = timeout_ms < 0 ? process->signal_fd : -1, .events = POLLIN},
    };
    int ready = poll(watched, ARRAY_LEN(watched), timeout_ms);
    if (ready < 0)
        return errno == EINTR;
    uint64_t count = 0;
    if (watched[0].revents != 0 && read(process->ended_fd, &count, sizeof count) == sizeof count)
        *ended += (size_t)count;
    return ready > 0 && watched[1].revents == 0;
}

/* Until all lanes are at their end, or SIGTERM: then each ends after the batch it is at. A front
 * that ends takes all lanes along at once. Where one alone is at its end, the front has met an
 * error on it: the signer ends, and another comes with new lanes. */
static void run(struct process *process)
{
    size_t ended = 0;
    bool goes_on = process->started == process->lane_count;
    while (goes_on && ended < process->started && !atomic_load(&process->has_failed)) {
        bool is_alone = ended > 0;
        goes_on = wait_for_lanes(process, &ended, is_alone ? LANE_ALONE_MS : -1);
        if (!goes_on && is_alone && ended < process->started)
            log_warn("the front gave up a lane; ending, so that all are made anew");
    }
    atomic_store(&process->is_ending, true);
    for (size_t i = 0; i < process->started; i++)
        (void)shutdown(process->lanes[i].fd, SHUT_RD); /* wakes those that wait for requests */
    while (ended < process->started) {
        if (!wait_for_lanes(process, &ended, END_MS_MAX))
            _exit(atomic_load(&process->has_failed)); /* a lane's other end takes no replies */
    }
    for (size_t i = 0; i < process->started; i++)
        (void)pthread_join(process->lanes[i].thread, NULL);
}

/* From what it was started with to the end of its lanes. The process's exit status. */
static int serve(struct process *process, int argc, char **argv)
{
    struct err err = {0};
    if (!read_options(argc, argv, process)) {
        log_error("postern-signer is started by `postern serve`");
        return 2;
    }
    struct sandbox_state state;
    enum status status = read_config(process, &err);
    if (status == OK)
        status = open_signer(process, &err);
    if (status == OK) /* all is read that a file has; no thread runs yet */
        status = sandbox_enter(SANDBOX_SIGNER, process->config.sandbox, -1, &state, &err);
    if (status != OK) {
        log_error("%s", err.detail);
        return 2;
    }
    log_init("postern-signer", span_equal(process->config.log_format, SPAN("json")));
    if (!start_lanes(process)) {
        log_error("cannot start a thread for each lane");
        atomic_store(&process->has_failed, true);
    }
    run(process);
    signer_close(&process->signer);
    return atomic_load(&process->has_failed) ? 1 : 0;
}

int main(int argc, char **argv)
{
    struct process process = {.kek_fd = -1, .config_fd = -1};
    process_set_name("postern-signer");
    json_init();
    process_drop_abilities();
    log_init("postern-signer", false);
    process.signal_fd = open_signals();
    process.ended_fd = eventfd(0, EFD_CLOEXEC);
    arena_init(&process.arena, ARENA_BYTES_MAX);
    int result = serve(&process, argc, argv);
    arena_done(&process.arena);
    return result;
}
