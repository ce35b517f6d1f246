/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/signer_lane.h"

#include "base/buf.h"
#include "base/clock.h"
#include "log/log.h"
#include "signer/signer_ops.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    BATCH_BYTES = 65536,
    REPLIES_BYTES_MAX = 262144,
    HOLD_BACK_NS_MAX = 1000000, /* a reply waits for those of its batch at most this long */
};

struct lane {
    struct signer *signer;
    struct signer_worker *worker;
    int fd;
    char *in;
    size_t in_len;
    struct buf replies;
    int64_t pending_since_ns; /* when the first reply of replies was begun */
    int64_t last_logged;      /* second */
};

/* At most one line a second: the other end can make these as fast as it likes. */
static void log_failure(struct lane *lane, const struct signing_reply *reply, const struct err *err,
                        int64_t second)
{
    bool is_telling =
        reply->status == CORRUPT || reply->op == SIGNING_KEY_MAKE || reply->op == SIGNING_KEY_LOAD;
    if (reply->status == OK || !is_telling || second == lane->last_logged)
        return;
    lane->last_logged = second;
    log_error("%s", err->detail[0] != '\0' ? err->detail : status_name(reply->status));
}

static bool send_replies(struct lane *lane)
{
    struct span rest = buf_span(&lane->replies);
    while (rest.len > 0) {
        ssize_t sent = send(lane->fd, rest.ptr, rest.len, MSG_NOSIGNAL);
        if (sent >= 0) {
            rest = span_from(rest, (size_t)sent);
        } else if (errno == EAGAIN) {
            struct pollfd writable = {.fd = lane->fd, .events = POLLOUT};
            (void)poll(&writable, 1, -1);
        } else if (errno != EINTR) {
            return false;
        }
    }
    if (lane->replies.len > 0)
        explicit_bzero(lane->replies.data, lane->replies.len);
    buf_clear(&lane->replies);
    return true;
}

static void answer(struct lane *lane, const struct signing_frame *frame,
                   const struct signer_time *time)
{
    struct err err = {0};
    struct signing_request request;
    struct signing_reply reply = {.op = frame->op, .status = INVALID};
    if (signing_request_read(frame, &request) == OK)
        signer_handle(lane->worker, &request, time, &reply, &err);
    signing_reply_write(frame->id, &reply, &lane->replies);
    signer_worker_forget(lane->worker);
    log_failure(lane, &reply, &err, time->second);
}

/* Everything whole in the batch. OK: go on; UNAVAILABLE: the other end is gone; INVALID: it does
 * not speak the protocol. */
static enum status answer_batch(struct lane *lane)
{
    struct signing_frame frame;
    struct span rest = span_of(lane->in, lane->in_len);
    struct signer_time time = signer_time_read(lane->signer);
    lane->pending_since_ns = clock_boot_ns();
    enum status status;
    while ((status = signing_frame_cut(&rest, &frame)) == OK) {
        answer(lane, &frame, &time);
        if (!buf_ok(&lane->replies))
            return INVALID;
        int64_t now_ns = clock_boot_ns();
        if (now_ns - lane->pending_since_ns > HOLD_BACK_NS_MAX ||
            lane->replies.len > REPLIES_BYTES_MAX / 2) {
            if (!send_replies(lane))
                return UNAVAILABLE;
            lane->pending_since_ns = now_ns;
            time = signer_time_read(lane->signer);
        }
    }
    size_t used = lane->in_len - rest.len;
    memmove(lane->in, lane->in + used, rest.len);
    explicit_bzero(lane->in + rest.len, used); /* requests hold secrets */
    lane->in_len = rest.len;
    if (status == INVALID)
        return INVALID;
    return send_replies(lane) ? OK : UNAVAILABLE;
}

static enum signer_lane_end serve(struct lane *lane, const atomic_bool *is_ending)
{
    while (!atomic_load(is_ending)) {
        ssize_t got = recv(lane->fd, lane->in + lane->in_len, BATCH_BYTES - lane->in_len, 0);
        if (got < 0 && errno == EAGAIN) {
            struct pollfd readable = {.fd = lane->fd, .events = POLLIN};
            (void)poll(&readable, 1, -1);
            continue;
        }
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return SIGNER_LANE_EOF;
        lane->in_len += (size_t)got;
        enum status status = answer_batch(lane);
        if (status == UNAVAILABLE)
            return SIGNER_LANE_EOF;
        if (status != OK) {
            log_error("a lane's other end does not keep to the protocol");
            return SIGNER_LANE_BROKEN;
        }
    }
    return SIGNER_LANE_EOF;
}

enum signer_lane_end signer_lane_run(struct signer *signer, int fd, const atomic_bool *is_ending)
{
    static_assert((int)BATCH_BYTES >= 2 * (int)SIGNING_MESSAGE_MAX,
                  "there is always room to receive");
    static_assert((int)REPLIES_BYTES_MAX / 2 >= (int)SIGNING_MESSAGE_MAX, "a reply always fits");
    struct lane lane = {.signer = signer, .fd = fd};
    lane.worker = signer_worker_new(signer);
    lane.in = malloc(BATCH_BYTES);
    buf_init(&lane.replies, REPLIES_BYTES_MAX);
    enum signer_lane_end end = SIGNER_LANE_BROKEN;
    if (lane.worker != NULL && lane.in != NULL)
        end = serve(&lane, is_ending);
    if (lane.in != NULL)
        explicit_bzero(lane.in, BATCH_BYTES);
    free(lane.in);
    buf_done(&lane.replies);
    signer_worker_free(lane.worker);
    return end;
}
