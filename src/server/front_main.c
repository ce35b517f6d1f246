/* SPDX-License-Identifier: Apache-2.0 */
/* posternd: the network front. Started by `postern serve` with everything it needs as open
 * descriptors; it opens no path itself. Holds no token-signing key, pepper or key-encryption key
 * (rule R1). */
#include "base/buf.h"
#include "base/clock.h"
#include "base/process.h"
#include "codec/json.h"
#include "documents/documents.h"
#include "base/address.h"
#include "http/proxies.h"
#include "http/tls.h"
#include "log/log.h"
#include "metrics/metrics.h"
#include "sandbox/sandbox.h"
#include "server/front_app.h"
#include "server/front_loop.h"
#include "server/front_options.h"
#include "server/worker.h"
#include "signing/signing.h"
#include "store/store.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    ARENA_BYTES_MAX = 1 << 18,
    EXCHANGE_BYTES_MAX = 16 << 20,
    ROUTES_TEXT_MAX = 1 << 18,
    RETIRE_MS = 1000,        /* connections that are in use get to close by themselves */
    HAND_OVER_MS_MAX = 3000, /* then running requests get to end, before the store is closed */
    ENDING_TICK_MS = 2,
    CLOCK_TICK_MS = 1000,
    TLS_FILE_BYTES_MAX = 1 << 20,
    DESCRIPTORS_PER_WORKER = 4,  /* a reader of the database has its file, log and index */
    DESCRIPTORS_OF_OTHERS = 128, /* control connections, event loops, what is open at start */
};

struct front {
    struct front_options options;
    struct front_app app;
    struct arena arena;
    struct worker_pool *pool;
    struct front_loop *loops[FRONT_LOOPS_MAX];
    size_t loop_count;
    int signal_fd;
    struct proxies proxies;
    struct span origins[2 * CONFIG_LISTEN_MAX + 1]; /* of our own pages; in arena */
    struct tls_context *tls;                        /* NULL: no listener has TLS */
    struct sandbox_state sandbox;
    int idle_fd; /* told by the first loop when the control socket is no longer used */
};

/* SIGTERM and SIGCHLD-like events come by descriptor; ^C reaches the whole group and is the
 * supervisor's. */
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

static struct http_limits limits_of(const struct config *config, size_t loops)
{
    return (struct http_limits){
        .connections_max = ((size_t)config->connections_max + loops - 1) / loops,
        .target_bytes_max = (size_t)config->target_bytes_max,
        .header_bytes_max = (size_t)config->header_bytes_max,
        .header_count_max = (size_t)config->header_count_max,
        .arena_bytes_max = EXCHANGE_BYTES_MAX,
        .head_seconds_max = (unsigned)config->head_seconds_max,
        .body_seconds_max = (unsigned)config->body_seconds_max,
        .idle_seconds_max = (unsigned)config->idle_seconds_max,
        .write_seconds_max = (unsigned)config->write_seconds_max,
    };
}

/* Too few descriptors are no reason not to start: who finds none is turned away. */
static void raise_descriptors(const struct front *front)
{
    size_t others = DESCRIPTORS_OF_OTHERS + FRONT_LANES_MAX + front->options.listen_count +
                    DESCRIPTORS_PER_WORKER * (size_t)front->app.config.workers;
    size_t needed = (size_t)front->app.config.connections_max + others;
    size_t limit = process_raise_descriptors(needed);
    if (limit < needed)
        log_warn("connections_max %lld needs %zu open files; the limit is %zu: raise LimitNOFILE, "
                 "or lower connections_max",
                 (long long)front->app.config.connections_max, needed, limit);
}

static enum status start_workers(struct front *front, struct err *err)
{
    size_t count = (size_t)front->app.config.workers;
    struct signing_lane *lanes[FRONT_LANES_MAX];
    for (size_t i = 0; i < count; i++) {
        lanes[i] = signing_lane_new(front->options.lane_fds[1 + front->loop_count + i], true);
        if (lanes[i] == NULL)
            return fail(err, NO_MEMORY, "no memory for the lanes");
    }
    front->pool = worker_pool_new(lanes, count, (size_t)front->app.config.worker_queue_max);
    return front->pool == NULL ? fail(err, NO_MEMORY, "cannot start the workers") : OK;
}

static void on_idle(void *context)
{
    const struct front *front = context;
    uint64_t one = 1;
    ssize_t written = write(front->idle_fd, &one, sizeof one);
    (void)written; /* it will be told again */
}

/* The supervisor ends a signer that hangs and starts another. */
static void on_silent(void *context)
{
    const struct front *front = context;
    log_error("the signer does not answer; asking for a new one");
    if (!front_channel_tell(front->options.channel_fd, CHANNEL_SIGNER_HANGS))
        log_error("the supervisor cannot be told");
}

/* A file that the supervisor has opened: it may be read again, by another front. */
static enum status read_open_file(int fd, const char *name, struct arena *arena,
                                  struct span *ret_text, struct err *err)
{
    char *text = arena_alloc(arena, TLS_FILE_BYTES_MAX);
    ssize_t len = text == NULL ? -1 : pread(fd, text, TLS_FILE_BYTES_MAX, 0);
    (void)close(fd);
    if (len <= 0 || len == TLS_FILE_BYTES_MAX)
        return fail(err, INVALID, "cannot read %s, or it is empty or too long", name);
    *ret_text = span_of(text, (size_t)len);
    return OK;
}

static enum status open_tls(struct front *front, struct err *err)
{
    const struct front_options *options = &front->options;
    struct span certificate;
    struct span key;
    struct arena arena AUTO(arena); /* wiped at its end */
    arena_init(&arena, (size_t)3 * TLS_FILE_BYTES_MAX);
    if (options->tls_count == 0)
        return OK;
    enum status status =
        read_open_file(options->tls_fds[0], "tls_certificate", &arena, &certificate, err);
    if (status == OK)
        status = read_open_file(options->tls_fds[1], "tls_key", &arena, &key, err);
    if (status == OK)
        status = tls_context_new(certificate, key, &front->tls, err);
    if (status == OK && tls_not_after(front->tls) < clock_wall_seconds())
        log_warn("the certificate in tls_certificate has expired");
    return status;
}

/* The sockets of loop number index, and for the first one the control socket. */
static enum status listen_all(struct front *front, size_t index, struct err *err)
{
    static const struct http_listen control = {.is_control = true, .purposes = ~0u};
    const struct front_options *options = &front->options;
    const struct config *config = &front->app.config;
    size_t per_loop = options->listen_count / front->loop_count;
    int failed = 0;
    for (size_t i = 0; i < per_loop && failed == 0; i++) {
        struct config_listen listen;
        enum status status = i < config->listen_count
                                 ? config_listen_read(config->listen[i], &listen, err)
                                 : fail(err, INVALID, "more sockets than listen has values");
        if (status != OK)
            return status;
        const struct http_listen how = {
            .tls = listen.is_tls ? front->tls : NULL,
            .is_for_proxies = !listen.is_tls && !listen.is_loopback &&
                              !span_equal(config->allow_plain_http, SPAN("true")),
            .purposes = listen.purposes,
        };
        failed =
            front_loop_listen(front->loops[index], options->listen_fds[index * per_loop + i], &how);
    }
    if (failed == 0 && index == 0)
        failed = front_loop_listen(front->loops[index], options->control_fd, &control);
    return failed == 0 ? OK
                       : fail(err, UNAVAILABLE, "cannot accept connections: %s", strerror(-failed));
}

static enum status start_loops(struct front *front, struct err *err)
{
    for (size_t i = 0; i < front->loop_count; i++) {
        const struct front_loop_options options = {
            .app = &front->app.app,
            .proxies = &front->proxies,
            .pool = front->pool,
            .take_lane = signing_lane_new(front->options.lane_fds[1 + i], false),
            .limits = limits_of(&front->app.config, front->loop_count),
            .use_flush_seconds = (unsigned)front->app.config.use_flush_seconds,
            .queue_ns_max = front->app.config.queue_milliseconds_max * 1000000,
            .on_silent = on_silent,
            .silent_context = front,
        };
        front->loops[i] = options.take_lane == NULL ? NULL : front_loop_new(&options);
        if (front->loops[i] == NULL)
            return fail(err, NO_MEMORY, "cannot make an event loop");
        enum status status = listen_all(front, i, err);
        if (status != OK)
            return status;
        if (i == 0 && front->options.ends_when_idle)
            front_loop_when_idle(front->loops[0], on_idle, front);
    }
    for (size_t i = 0; i < front->loop_count; i++) {
        if (!front_loop_start(front->loops[i]))
            return fail(err, UNAVAILABLE, "cannot start a thread");
    }
    return OK;
}

/* "http://ADDR:PORT" of a listening socket as browsers write it, and "localhost" beside loopback.
 */
static enum status add_origins(struct front *front, size_t index, size_t *count, struct err *err)
{
    struct sockaddr_storage bound = {0};
    struct config_listen listen;
    struct address address;
    char text[ADDRESS_TEXT_MAX];
    socklen_t size = sizeof bound;
    enum status status = config_listen_read(front->app.config.listen[index], &listen, err);
    if (status != OK || getsockname(front->options.listen_fds[index],
                                    (struct sockaddr *)(void *)&bound, &size) != 0)
        return status == OK ? fail(err, UNAVAILABLE, "a listening socket has no address") : status;
    const char *scheme = listen.is_tls ? "https" : "http";
    struct sockaddr_in6 in6;
    memcpy(&in6, &bound, sizeof in6);
    unsigned port = ntohs(in6.sin6_port); /* sin_port stands at the same place */
    struct span name = span_first(listen.address, listen.address.len);
    while (name.len > 0 && name.ptr[name.len - 1] != ':')
        name.len--;
    name = span_first(name, name.len - 1);
    bool is_v6 = name.ptr[0] == '[';
    if (address_parse(is_v6 ? span_first(span_from(name, 1), name.len - 2) : name, &address)) {
        (void)address_text(&address, text);
        front->origins[(*count)++] =
            arena_printf(&front->arena, is_v6 ? "%s://[%s]:%u" : "%s://%s:%u", scheme, text, port);
    }
    if (listen.is_loopback)
        front->origins[(*count)++] = arena_printf(&front->arena, "%s://localhost:%u", scheme, port);
    return OK;
}

/* Where this server's own pages are: the public URL, and each listener. */
static enum status make_origins(struct front *front, struct err *err)
{
    size_t count = 0;
    size_t listeners = front->options.listen_count / front->loop_count;
    front->origins[count++] = front->app.config.public_url;
    enum status status = OK;
    for (size_t i = 0; status == OK && i < listeners && i < front->app.config.listen_count; i++)
        status = add_origins(front, i, &count, err);
    front->app.app.origins = front->origins;
    front->app.app.origin_count = count;
    return status;
}

/* The last thing before the first file is opened and the first thread started. */
static enum status enter_sandbox(struct front *front, struct err *err)
{
    struct span mode = front->app.config.sandbox;
    raise_descriptors(front);
    enum status status =
        sandbox_enter(SANDBOX_FRONT, mode, front->options.data_fd, &front->sandbox, err);
    if (status == OK && !front->sandbox.has_filter)
        log_warn("sandbox = off: front and signer are not confined");
    else if (status == OK && front->sandbox.landlock_abi == 0)
        log_warn("this kernel has no Landlock: front and signer run under a system call filter "
                 "alone");
    return status;
}

/* A signer that serves has the same confinement: without it, it does not start. */
static void set_gauges(const struct front *front)
{
    struct metrics *metrics = front->app.app.metrics;
    metric_set(metrics, METRIC_SANDBOX, METRIC_PROCESS_FRONT, front->sandbox.has_filter);
    metric_set(metrics, METRIC_SANDBOX, METRIC_PROCESS_SIGNER, front->sandbox.has_filter);
    metric_set(metrics, METRIC_LANDLOCK_ABI, 0, front->sandbox.landlock_abi);
    if (front->tls != NULL)
        metric_set(metrics, METRIC_TLS_NOT_AFTER, 0, tls_not_after(front->tls));
}

static enum status start(struct front *front, struct err *err)
{
    struct signing_lane *lane = signing_lane_new(front->options.lane_fds[0], true);
    if (lane == NULL)
        return fail(err, NO_MEMORY, "no memory for the lanes");
    const struct front_app_options options = {
        .data_fd = front->options.data_fd,
        .readers = (unsigned)front->app.config.workers + 1,
        .is_issuer_configured = front->options.is_issuer_configured,
        .take_lane = lane,
    };
    if (!proxies_read(front->app.config.trusted_proxies, front->app.config.proxy_header,
                      &front->proxies))
        return fail(err, INVALID, "trusted_proxies or proxy_header do not read");
    enum status status = front_app_open(&front->app, &options, err);
    if (status == OK)
        status = make_origins(front, err);
    if (status == OK)
        set_gauges(front);
    if (status == OK)
        status = start_workers(front, err);
    if (status == OK)
        status = start_loops(front, err);
    return status;
}

/* A new signer is there: it gets the keys before anybody asks it. */
static void take_signer(struct front *front, const int *fds)
{
    struct err err = {0};
    signing_lane_attach(front->app.lane, fds[0]);
    if (front_keys_load(&front->app.keys, front->app.lane, &err) != OK) {
        log_error("the new signer does not take the keys: %s", err.detail);
        on_silent(front); /* try another */
    } else if (front_clock_attach(&front->app.clock, front->app.lane, &err) != OK) {
        log_error("the new signer does not take the clock's mark: %s", err.detail);
        on_silent(front);
    }
    for (size_t i = 0; i < front->loop_count; i++)
        front_loop_attach(front->loops[i], fds[1 + i]);
    for (size_t i = 0; i < (size_t)front->app.config.workers; i++)
        worker_pool_attach(front->pool, i, fds[1 + front->loop_count + i]);
}

/* Until SIGTERM, or the supervisor is gone, or (without a network) nobody talks any more. True: the
 * store is to be handed over to another front. */
static bool run(struct front *front)
{
    struct pollfd watched[] = {
        {.fd = front->signal_fd, .events = POLLIN},
        {.fd = front->options.channel_fd, .events = POLLIN},
        {.fd = front->idle_fd, .events = POLLIN},
    };
    int64_t next_tick = clock_monotonic_ms() + CLOCK_TICK_MS;
    for (;;) {
        int64_t left_ms = next_tick - clock_monotonic_ms();
        int count = poll(watched, ARRAY_LEN(watched), left_ms > 0 ? (int)left_ms : 0);
        if (count < 0 && errno != EINTR)
            return false;
        if (count == 0) {
            front_clock_tick(&front->app.clock, front->app.app.store, front->app.lane);
            next_tick = clock_monotonic_ms() + CLOCK_TICK_MS;
        }
        if (count <= 0)
            continue;
        if (watched[0].revents != 0 || watched[2].revents != 0)
            return false;
        if (watched[1].revents == 0)
            continue;
        int fds[FRONT_LANES_MAX];
        size_t expected = 1 + front->loop_count + (size_t)front->app.config.workers;
        enum channel_word word = front_channel_receive(front->options.channel_fd, fds, expected);
        if (word != CHANNEL_LANES)
            return word == CHANNEL_HAND_OVER;
        take_signer(front, fds);
    }
}

/* A drain that does not end is ended: what is acknowledged is durable already. */
static void *end_in_time(void *context)
{
    const struct front *front = context;
    (void)sleep((unsigned)front->app.config.drain_seconds_max);
    log_warn("connections did not end within drain_seconds_max; leaving");
    _exit(0);
}

static void drain(struct front *front)
{
    pthread_t guard;
    if (pthread_create(&guard, NULL, end_in_time, front) == 0)
        (void)pthread_detach(guard);
    for (size_t i = 0; i < front->loop_count; i++) {
        if (front->loops[i] != NULL)
            front_loop_drain(front->loops[i]);
    }
}

static void stop(struct front *front)
{
    for (size_t i = 0; i < front->loop_count; i++)
        front_loop_join(front->loops[i]);
    worker_pool_free(front->pool);
    for (size_t i = 0; i < front->loop_count; i++)
        front_loop_free(front->loops[i]);
    front_app_close(&front->app);
}

static bool have_loops_ended(const struct front *front)
{
    bool have_ended = true;
    for (size_t i = 0; i < front->loop_count; i++)
        have_ended &= front_loop_has_ended(front->loops[i]);
    return have_ended;
}

static void retire_databases(struct front *front)
{
    documents_retire(front->app.app.documents);
    store_retire(front->app.app.store);
}

/* Another front is prepared. First every reply closes its connection, while all goes on; then no
 * new connection is taken (who comes waits in the listening sockets, which the other front has
 * too), and what runs is answered; then the store is closed, and the other front opens it. Requests
 * that take longer go on from memory. */
static void hand_over(struct front *front)
{
    struct pollfd term = {.fd = front->signal_fd, .events = POLLIN};
    for (size_t i = 0; i < front->loop_count; i++)
        front_loop_retire(front->loops[i]);
    (void)poll(&term, 1, RETIRE_MS);
    drain(front);
    for (int waited = 0; waited < HAND_OVER_MS_MAX && !have_loops_ended(front);
         waited += ENDING_TICK_MS)
        (void)poll(NULL, 0, ENDING_TICK_MS);
    bool is_complete = have_loops_ended(front);
    if (is_complete)
        stop(front);
    else
        retire_databases(front);
    if (!front_channel_tell(front->options.channel_fd, CHANNEL_STORE_FREE))
        log_warn("the supervisor is gone");
    if (!is_complete)
        stop(front);
}

/* False: the supervisor is gone, or there is no need for this front any more. */
static bool wait_for_store(const struct front *front)
{
    return front_channel_tell(front->options.channel_fd, CHANNEL_WAITS) &&
           front_channel_receive(front->options.channel_fd, NULL, 0) == CHANNEL_GO;
}

/* For `postern routes`: the table that router, authorization and the OpenAPI test read. */
static int print_routes(void)
{
    struct route routes[OAUTH_ROUTE_COUNT + API_ROUTE_COUNT];
    struct buf text AUTO(buf);
    struct json_writer writer;
    buf_init(&text, ROUTES_TEXT_MAX);
    json_writer_init(&writer, &text);
    front_app_routes(routes);
    json_array_open(&writer);
    for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
        json_object_open(&writer);
        json_member_text(&writer, SPAN("method"), http_method_name(routes[i].method));
        json_member_text(&writer, SPAN("path"), routes[i].path);
        json_member_text(&writer, SPAN("name"), routes[i].name);
        json_member_text(&writer, SPAN("permission"), permission_name(routes[i].permission));
        json_object_close(&writer);
    }
    json_array_close(&writer);
    buf_byte(&text, '\n');
    return buf_ok(&text) && write(STDOUT_FILENO, text.data, text.len) == (ssize_t)text.len ? 0 : 1;
}

/* From what it was started with to its end. The process's exit status. */
static int serve(struct front *front, int argc, char **argv)
{
    struct err err = {0};
    enum status status =
        front_options_read(argc, argv, &front->options, &front->arena, &front->app.config, &err);
    if (status != OK) {
        log_error("%s", err.detail);
        return 2;
    }
    log_init("posternd", span_equal(front->app.config.log_format, SPAN("json")));
    front->loop_count = front->options.loop_count;
    status = open_tls(front, &err); /* before the store is asked for: a wrong pair costs nothing */
    if (status == OK && front->options.waits && !wait_for_store(front))
        return 1;
    if (status == OK)
        status = enter_sandbox(front, &err);
    if (status != OK) {
        log_error("%s", err.detail);
        return 1;
    }
    if (start(front, &err) != OK) {
        log_error("%s", err.detail);
        _exit(1); /* threads may run: nothing is freed under them */
    }
    bool is_told = front_channel_tell(
        front->options.channel_fd, front->app.is_first_start ? CHANNEL_FIRST_READY : CHANNEL_READY);
    if (is_told && run(front)) {
        hand_over(front);
    } else {
        drain(front);
        stop(front);
    }
    return is_told ? 0 : 1; /* or the supervisor is gone already */
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--print-routes") == 0)
        return print_routes();
    struct front *front = calloc(1, sizeof *front);
    json_init();
    log_init("posternd", false);
    if (front == NULL) {
        log_error("no memory");
        return 1;
    }
    process_set_name("posternd");
    process_drop_abilities();
    front->signal_fd = open_signals();
    front->idle_fd = eventfd(0, EFD_CLOEXEC);
    arena_init(&front->arena, ARENA_BYTES_MAX);
    int result = serve(front, argc, argv);
    tls_context_free(front->tls);
    arena_done(&front->arena);
    free(front);
    return result;
}
