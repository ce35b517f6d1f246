/* SPDX-License-Identifier: Apache-2.0 */
/* An open-loop load: token requests at a given rate, whatever comes back, over keep-alive
 * connections. Latency counts from the time when a request was due, so that a slow server is not
 * flattered by requests that were never sent. Prints one line of JSON.
 *
 *   load PORT CREDENTIALS RATE MILLISECONDS CONNECTIONS DEADLINE_MS
 *
 * RATE 0: each connection asks again as soon as it is answered. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    REQUESTS_MAX = 1000,
    REQUEST_BYTES = 512,
    EVENTS = 256,
    SLOT_MS = 100,
    SLOTS_MAX = 1200,
    SAMPLES_MAX = 1 << 21,
    ANSWER_BYTES = 8192,
};

struct conn {
    int fd;
    bool is_busy;
    int64_t due_ns;
    size_t got;
    char answer[ANSWER_BYTES];
};

struct slot {
    unsigned good, late, refused, broken;
    int64_t max_ns;
};

struct load {
    struct sockaddr_in address;
    char requests[REQUESTS_MAX][REQUEST_BYTES];
    size_t request_count, next_request;
    struct conn *conns;
    size_t conn_count;
    size_t *idle; /* a stack of numbers */
    size_t idle_count;
    int epoll;
    int64_t start_ns, deadline_ns;
    struct slot slots[SLOTS_MAX];
    int64_t *samples; /* latencies of what was answered in time */
    size_t sample_count;
};

static int64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void give_up(const char *what)
{
    perror(what);
    exit(1);
}

static void open_conn(struct load *load, size_t number)
{
    struct conn *conn = &load->conns[number];
    int one = 1;
    conn->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (conn->fd < 0)
        give_up("socket");
    (void)setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(conn->fd, (struct sockaddr *)(void *)&load->address, sizeof load->address) != 0 &&
        errno != EINPROGRESS)
        give_up("connect");
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.u64 = number};
    if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, conn->fd, &event) != 0)
        give_up("epoll_ctl");
    conn->is_busy = true; /* until it is connected */
    conn->due_ns = 0;
    conn->got = 0;
}

static void read_requests(struct load *load, const char *path, unsigned port)
{
    FILE *file = fopen(path, "r");
    char id[128];
    char secret[128];
    if (file == NULL)
        give_up(path);
    while (load->request_count < REQUESTS_MAX && fscanf(file, "%127s %127s", id, secret) == 2) {
        char body[320];
        int len =
            snprintf(body, sizeof body,
                     "grant_type=client_credentials&client_id=%s&client_secret=%s", id, secret);
        (void)snprintf(load->requests[load->request_count++], REQUEST_BYTES,
                       "POST /oauth2/token HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nContent-Type: "
                       "application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s",
                       port, len, body);
    }
    (void)fclose(file);
    if (load->request_count == 0)
        give_up("no credentials");
}

static struct slot *slot_at(struct load *load, int64_t due_ns)
{
    int64_t slot = (due_ns - load->start_ns) / 1000000 / SLOT_MS;
    return &load->slots[slot < SLOTS_MAX ? slot : SLOTS_MAX - 1];
}

static void count(struct load *load, int64_t due_ns, int status)
{
    struct slot *slot = slot_at(load, due_ns);
    int64_t took_ns = now_ns() - due_ns;
    if (status == 503 || status == 429) {
        slot->refused++;
    } else if (status != 200) {
        slot->broken++;
    } else if (took_ns > load->deadline_ns) {
        slot->late++;
    } else {
        slot->good++;
        if (load->sample_count < SAMPLES_MAX)
            load->samples[load->sample_count++] = took_ns;
    }
    if (status == 200 && took_ns > slot->max_ns)
        slot->max_ns = took_ns;
}

static void reopen(struct load *load, size_t number)
{
    struct conn *conn = &load->conns[number];
    if (conn->due_ns != 0)
        count(load, conn->due_ns, 0);
    (void)close(conn->fd);
    open_conn(load, number);
}

static void set_idle(struct load *load, size_t number)
{
    load->conns[number].is_busy = false;
    load->conns[number].due_ns = 0;
    load->conns[number].got = 0;
    load->idle[load->idle_count++] = number;
}

static void ask(struct load *load, int64_t due_ns)
{
    size_t number = load->idle[--load->idle_count];
    struct conn *conn = &load->conns[number];
    const char *request = load->requests[load->next_request++ % load->request_count];
    conn->is_busy = true;
    conn->due_ns = due_ns;
    if (send(conn->fd, request, strlen(request), MSG_NOSIGNAL) != (ssize_t)strlen(request))
        reopen(load, number);
}

/* 0: not whole yet. Every answer of the server has a Content-Length. */
static int whole_status(const struct conn *conn)
{
    const char *end = memmem(conn->answer, conn->got, "\r\n\r\n", 4);
    if (end == NULL)
        return 0;
    const char *length = memmem(conn->answer, (size_t)(end - conn->answer), "Content-Length: ", 16);
    size_t body = length == NULL ? 0 : strtoul(length + 16, NULL, 10);
    if (conn->got < (size_t)(end - conn->answer) + 4 + body)
        return 0;
    return atoi(conn->answer + 9);
}

static void on_event(struct load *load, size_t number, unsigned events)
{
    struct conn *conn = &load->conns[number];
    if (conn->is_busy && conn->due_ns == 0 && (events & EPOLLOUT) != 0 &&
        (events & (EPOLLERR | EPOLLHUP)) == 0)
        set_idle(load, number);
    for (;;) {
        ssize_t got = recv(conn->fd, conn->answer + conn->got, ANSWER_BYTES - 1 - conn->got, 0);
        if (got > 0) {
            conn->got += (size_t)got;
            conn->answer[conn->got] = '\0';
            int status = conn->due_ns == 0 ? 0 : whole_status(conn);
            if (status != 0) {
                count(load, conn->due_ns, status);
                set_idle(load, number);
            }
        } else if (got < 0 && errno == EAGAIN) {
            return;
        } else if (conn->is_busy) {
            reopen(load, number);
            return;
        } else { /* idle, and in the stack: the next request finds out */
            return;
        }
    }
}

static int compare(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left;
    int64_t b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static void print(struct load *load, int64_t milliseconds)
{
    struct slot all = {0};
    int64_t slots = (milliseconds + SLOT_MS - 1) / SLOT_MS;
    printf("{\"slots\": [");
    for (int64_t i = 0; i < slots && i < SLOTS_MAX; i++) {
        const struct slot *slot = &load->slots[i];
        all.good += slot->good;
        all.late += slot->late;
        all.refused += slot->refused;
        all.broken += slot->broken;
        printf("%s[%u, %u, %.1f]", i == 0 ? "" : ", ", slot->good,
               slot->late + slot->refused + slot->broken, (double)slot->max_ns / 1e6);
    }
    qsort(load->samples, load->sample_count, sizeof *load->samples, compare);
    size_t n = load->sample_count;
    printf("], \"good\": %u, \"late\": %u, \"refused\": %u, \"broken\": %u, \"p50_ms\": %.2f, "
           "\"p99_ms\": %.2f}\n",
           all.good, all.late, all.refused, all.broken,
           n == 0 ? 0 : (double)load->samples[n / 2] / 1e6,
           n == 0 ? 0 : (double)load->samples[n * 99 / 100] / 1e6);
}

/* Has it a processor of its own? Then it does not sleep: to wake it would cost the server, whose
 * processor sends the interrupt, as no client on another machine does. */
static bool may_spin(void)
{
    cpu_set_t own;
    return sched_getaffinity(0, sizeof own, &own) == 0 && CPU_COUNT(&own) == 1 &&
           sysconf(_SC_NPROCESSORS_ONLN) > 1;
}

static void run(struct load *load, int64_t rate, int64_t milliseconds)
{
    struct epoll_event events[EVENTS];
    int64_t until = load->start_ns + milliseconds * 1000000;
    int64_t end = until + load->deadline_ns;
    int64_t asked = 0;
    int64_t total = rate * milliseconds / 1000;
    size_t busy = 1;
    bool is_spinning = may_spin();
    for (int64_t now = now_ns(); now < until || (now < end && (busy > 0 || asked < total));
         now = now_ns()) {
        if (now < until && rate == 0) {
            while (load->idle_count > 0)
                ask(load, now);
        }
        int64_t due = load->start_ns;
        while (asked < total && load->idle_count > 0 &&
               (due = load->start_ns + asked * 1000000000 / rate) <= now) {
            ask(load, due);
            asked++;
        }
        bool is_behind = rate > 0 && due <= now && load->idle_count == 0;
        int wait = is_spinning ? 0 : rate > 0 && !is_behind ? 1 : 5;
        int count = epoll_wait(load->epoll, events, EVENTS, wait);
        for (int i = 0; i < count; i++)
            on_event(load, events[i].data.u64, events[i].events);
        busy = load->conn_count - load->idle_count;
    }
    /* Never sent, for want of a connection, or not answered yet. */
    for (; asked < total; asked++)
        slot_at(load, load->start_ns + asked * 1000000000 / rate)->late++;
    for (size_t i = 0; i < load->conn_count; i++) {
        if (load->conns[i].is_busy && load->conns[i].due_ns != 0)
            slot_at(load, load->conns[i].due_ns)->late++;
    }
}

int main(int argc, char **argv)
{
    if (argc != 7)
        return 2;
    struct load *load = calloc(1, sizeof *load);
    unsigned port = (unsigned)atoi(argv[1]);
    int64_t milliseconds = atoll(argv[4]);
    load->conn_count = strtoul(argv[5], NULL, 10);
    load->deadline_ns = atoll(argv[6]) * 1000000;
    load->conns = calloc(load->conn_count, sizeof *load->conns);
    load->idle = calloc(load->conn_count, sizeof *load->idle);
    load->samples = calloc(SAMPLES_MAX, sizeof *load->samples);
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    load->address = (struct sockaddr_in){.sin_family = AF_INET,
                                         .sin_port = htons((uint16_t)port),
                                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    read_requests(load, argv[2], port);
    for (size_t i = 0; i < load->conn_count; i++)
        open_conn(load, i);
    struct epoll_event events[EVENTS];
    while (load->idle_count < load->conn_count / 2) {
        int count = epoll_wait(load->epoll, events, EVENTS, 10000);
        if (count <= 0)
            give_up("connecting");
        for (int i = 0; i < count; i++)
            on_event(load, events[i].data.u64, events[i].events);
    }
    load->start_ns = now_ns();
    run(load, atoll(argv[3]), milliseconds);
    print(load, milliseconds);
    return 0;
}
