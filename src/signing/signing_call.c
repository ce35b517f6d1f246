/* SPDX-License-Identifier: Apache-2.0 */
/* A worker's lane: one request, one answer, with a deadline. */
#include "base/clock.h"
#include "signing/signing_internal.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

/* False: the deadline passed. */
static bool wait_for(int fd, short events, int64_t deadline_ms)
{
    for (;;) {
        struct pollfd watched = {.fd = fd, .events = events};
        int64_t left = deadline_ms - clock_monotonic_ms();
        if (left <= 0)
            return false;
        int ready = poll(&watched, 1, left > INT32_MAX ? INT32_MAX : (int)left);
        if (ready > 0)
            return true;
        if (ready < 0 && errno != EINTR)
            return false;
    }
}

/* Half a request cannot be taken back, so a lane that does not take it all is broken. */
static bool send_message(struct signing_lane *lane, int64_t deadline_ms)
{
    size_t sent = 0;
    while (sent < lane->message.len) {
        ssize_t got = send(lane->fd, lane->message.data + sent, lane->message.len - sent,
                           MSG_DONTWAIT | MSG_NOSIGNAL);
        if (got >= 0)
            sent += (size_t)got;
        else if (errno == EAGAIN) {
            if (!wait_for(lane->fd, POLLOUT, deadline_ms))
                return false;
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

/* OK: a frame with the id is at the front of in, *ret_size bytes long. NOT_FOUND: not yet. Replies
 * to calls that ended by time-out are dropped; one to a call not made yet is INVALID. */
static enum status find_frame(struct signing_lane *lane, struct signing_frame *ret_frame,
                              size_t *ret_size)
{
    for (;;) {
        struct span rest = span_of(lane->in, lane->in_len);
        enum status status = signing_frame_cut(&rest, ret_frame);
        if (status != OK)
            return status;
        *ret_size = lane->in_len - rest.len;
        if (ret_frame->id == lane->last_id)
            return OK;
        if (lane->last_id - ret_frame->id > UINT32_MAX / 2)
            return INVALID;
        signing_lane_consume(lane, *ret_size);
    }
}

static enum status receive_frame(struct signing_lane *lane, int64_t deadline_ms,
                                 struct signing_frame *ret_frame, size_t *ret_size, struct err *err)
{
    enum status status;
    while ((status = find_frame(lane, ret_frame, ret_size)) == NOT_FOUND) {
        if (!wait_for(lane->fd, POLLIN, deadline_ms))
            return fail(err, UNAVAILABLE, "the signer did not answer in time");
        ssize_t got = recv(lane->fd, lane->in + lane->in_len, SIGNING_RECEIVE_BYTES - lane->in_len,
                           MSG_DONTWAIT);
        if (got > 0) {
            lane->in_len += (size_t)got;
        } else if (got == 0 || (errno != EINTR && errno != EAGAIN)) {
            signing_lane_break(lane);
            return fail(err, UNAVAILABLE, "the signer is gone");
        }
    }
    return status;
}

/* The one place that puts a signer's refusal into words; the signer's log has the details. */
static enum status explain(const struct signing_reply *reply, struct err *err)
{
    static const char *const reasons[] = {
        [INVALID] = "the signer refused the request as malformed",
        [UNAUTHENTICATED] = "the credential is not usable",
        [UNSUPPORTED] = "the signer has no such algorithm",
        [RATE_LIMITED] = "too many secrets are read back; try again in a minute",
        [UNAVAILABLE] = "the signer has no keys yet",
        [CORRUPT] = "a stored value does not match its authentication code",
    };
    if (reply->status == OK)
        return OK;
    if (reply->op == SIGNING_KEY_LOAD && reply->status == CORRUPT)
        return fail(err, CORRUPT,
                    "the key does not open: it was sealed under another key-encryption key");
    const char *reason = reply->status < ARRAY_LEN(reasons) ? reasons[reply->status] : NULL;
    if (reason == NULL)
        reason = status_name(reply->status);
    return fail(err, reply->status, "%s", reason);
}

enum status signing_call(struct signing_lane *lane, const struct signing_request *request,
                         int timeout_ms, struct arena *arena, struct signing_reply *ret_reply,
                         struct err *err)
{
    assert(lane->is_blocking);
    if (lane->is_broken)
        return fail(err, UNAVAILABLE, "the signer is not there");
    int64_t deadline_ms = clock_monotonic_ms() + timeout_ms;
    signing_request_write(++lane->last_id, request, &lane->message);
    bool is_written = buf_ok(&lane->message);
    bool is_sent = is_written && send_message(lane, deadline_ms);
    signing_lane_forget_message(lane);
    if (!is_written)
        return fail(err, INVALID, "a field of the request to the signer is too long");
    if (!is_sent) {
        signing_lane_break(lane);
        return fail(err, UNAVAILABLE, "the signer does not take requests");
    }

    struct signing_frame frame;
    struct signing_reply reply;
    size_t size = 0;
    enum status status = receive_frame(lane, deadline_ms, &frame, &size, err);
    if (status == UNAVAILABLE)
        return status;
    if (status != OK || frame.op != request->op || signing_reply_read(&frame, &reply) != OK) {
        signing_lane_break(lane);
        return fail(err, UNAVAILABLE, "the signer does not keep to the protocol");
    }
    status = signing_reply_copy(&reply, arena);
    signing_lane_consume(lane, size);
    if (status != OK)
        return fail(err, NO_MEMORY, "no memory for the signer's reply");
    *ret_reply = reply;
    return explain(&reply, err);
}
