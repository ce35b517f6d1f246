/* SPDX-License-Identifier: Apache-2.0 */
#include "http/http_call.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "http/llhttp_renamed.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

enum { REQUEST_BYTES_MAX = 1 << 24, ANSWER_BYTES_MAX = 1 << 24, READ_BYTES_MAX = 16384 };

struct answer_reader {
    llhttp_t llhttp;
    struct buf body;
    bool is_head; /* the answer to a HEAD request has no body */
    bool is_done;
    bool is_too_large;
};

static inline void auto_answer_reader(struct answer_reader *reader)
{
    buf_done(&reader->body);
}

static int on_headers_complete(llhttp_t *llhttp)
{
    const struct answer_reader *reader = llhttp->data;
    return reader->is_head ? 1 : 0;
}

static int on_body(llhttp_t *llhttp, const char *at, size_t len)
{
    struct answer_reader *reader = llhttp->data;
    reader->is_too_large = len > ANSWER_BYTES_MAX - reader->body.len;
    buf_put(&reader->body, span_of(at, len));
    return buf_ok(&reader->body) ? 0 : HPE_USER;
}

static int on_message_complete(llhttp_t *llhttp)
{
    struct answer_reader *reader = llhttp->data;
    if (llhttp->status_code < 200) /* 1xx: the answer is still to come (RFC 9110 §15.2) */
        return 0;
    reader->is_done = true;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

static bool is_printable(struct span text, char lowest)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < lowest || text.ptr[i] > '~')
            return false;
    }
    return true;
}

static enum status check_call(const struct http_call *call, struct err *err)
{
    bool is_sound = call->method.len > 0 && is_printable(call->method, '!') &&
                    span_starts(call->target, SPAN("/")) && is_printable(call->target, '!');
    for (size_t i = 0; i < call->header_count; i++) {
        is_sound = is_sound && call->headers[i].name.len > 0 &&
                   is_printable(call->headers[i].name, '!') &&
                   is_printable(call->headers[i].value, ' ');
    }
    return is_sound ? OK : fail(err, INVALID, "request has characters that HTTP does not allow");
}

static void put_header(struct buf *out, struct span name, struct span value)
{
    buf_put(out, name);
    buf_put(out, SPAN(": "));
    buf_put(out, value);
    buf_put(out, SPAN("\r\n"));
}

static void write_request(struct buf *out, const struct http_call *call)
{
    buf_put(out, call->method);
    buf_byte(out, ' ');
    buf_put(out, call->target);
    buf_put(out, SPAN(" HTTP/1.1\r\n"));
    put_header(out, SPAN("Host"), SPAN("localhost"));
    put_header(out, SPAN("Connection"), SPAN("close"));
    for (size_t i = 0; i < call->header_count; i++)
        put_header(out, call->headers[i].name, call->headers[i].value);
    if (call->body.len > 0) {
        put_header(out, SPAN("Content-Type"), SPAN("application/json"));
        buf_put(out, SPAN("Content-Length: "));
        buf_int64(out, (int64_t)call->body.len);
        buf_put(out, SPAN("\r\n"));
    }
    buf_put(out, SPAN("\r\n"));
    buf_put(out, call->body);
}

/* Waits for events, or for what stands in their way. */
static enum status wait_for(int fd, short events, int64_t deadline_ms, short *ret_events,
                            struct err *err)
{
    struct pollfd pollfd = {.fd = fd, .events = events};
    for (;;) {
        int64_t left = deadline_ms - clock_monotonic_ms();
        int ready = left > 0 ? poll(&pollfd, 1, (int)left) : 0;
        if (ready == 0)
            return fail(err, UNAVAILABLE, "no answer in time");
        if (ready > 0) {
            *ret_events = pollfd.revents;
            return OK;
        }
        if (errno != EINTR)
            return fail(err, UNAVAILABLE, "cannot wait for the server: errno %d", errno);
    }
}

/* Until all is sent, or the server answers early (it may refuse the head and not read on), or it
 * has gone: then its answer may still be there to be read. */
static enum status send_request(int fd, struct span rest, int64_t deadline_ms, struct err *err)
{
    while (rest.len > 0) {
        short events = 0;
        enum status status = wait_for(fd, POLLIN | POLLOUT, deadline_ms, &events, err);
        if (status != OK)
            return status;
        if ((events & POLLIN) != 0)
            return OK;
        ssize_t sent = send(fd, rest.ptr, rest.len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent >= 0)
            rest = span_from(rest, (size_t)sent);
        else if (errno != EAGAIN && errno != EINTR)
            return OK;
    }
    return OK;
}

static enum status take_bytes(struct answer_reader *reader, struct span bytes, struct err *err)
{
    llhttp_errno_t outcome = llhttp_execute(&reader->llhttp, bytes.ptr, bytes.len);
    if (reader->is_done || outcome == HPE_OK)
        return OK;
    if (reader->is_too_large)
        return fail(err, TOO_LARGE, "answer is over 16 MiB");
    if (outcome == HPE_USER)
        return fail(err, NO_MEMORY, "no memory for the answer");
    return fail(err, INVALID, "answer is not HTTP: %s", llhttp_errno_name(outcome));
}

static enum status read_answer(int fd, struct answer_reader *reader, int64_t deadline_ms,
                               struct err *err)
{
    char bytes[READ_BYTES_MAX];
    while (!reader->is_done) {
        short events = 0;
        enum status status = wait_for(fd, POLLIN, deadline_ms, &events, err);
        if (status != OK)
            return status;
        ssize_t got = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (got > 0)
            status = take_bytes(reader, span_of(bytes, (size_t)got), err);
        else if (got == 0)
            (void)llhttp_finish(&reader->llhttp); /* completes an answer that ends with the end */
        if (status != OK)
            return status;
        if (got <= 0 && !reader->is_done)
            return fail(err, UNAVAILABLE, "connection lost before the answer was complete");
    }
    return OK;
}

enum status http_call(const struct http_call *call, struct arena *arena,
                      struct http_answer *ret_answer, struct err *err)
{
    enum status status = check_call(call, err);
    if (status != OK)
        return status;
    int64_t deadline_ms = clock_monotonic_ms() + call->timeout_ms;

    AUTO(buf) struct buf request = {0};
    buf_init(&request, REQUEST_BYTES_MAX);
    write_request(&request, call);
    if (!buf_ok(&request))
        return fail(err, TOO_LARGE, "request is over 16 MiB");
    status = send_request(call->socket_fd, buf_span(&request), deadline_ms, err);
    if (status != OK)
        return status;

    AUTO(answer_reader)
    struct answer_reader reader = {.is_head = span_equal(call->method, SPAN("HEAD"))};
    buf_init(&reader.body, ANSWER_BYTES_MAX);
    llhttp_init(&reader.llhttp, HTTP_RESPONSE, &settings);
    reader.llhttp.data = &reader;
    status = read_answer(call->socket_fd, &reader, deadline_ms, err);
    if (status != OK)
        return status;
    struct span body = arena_copy(arena, buf_span(&reader.body));
    if (body.ptr == NULL)
        return fail(err, NO_MEMORY, "no memory for the answer");
    *ret_answer = (struct http_answer){.status = reader.llhttp.status_code, .body = body};
    return OK;
}
