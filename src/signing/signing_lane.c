/* SPDX-License-Identifier: Apache-2.0 */
#include "signing/signing_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    QUEUED_BYTES_MAX = 4 << 20,
    RECEIVE_ROUNDS_MAX =
        16, /* then the loop gets its turn; what is left keeps the socket readable */
    SLOT_BITS = 12,
    NO_SLOT = SIGNING_WAITING_MAX,
};

static_assert(1 << SLOT_BITS == SIGNING_WAITING_MAX, "a slot's number fits its bits of the id");
static_assert(SIGNING_RECEIVE_BYTES >= 2 * SIGNING_MESSAGE_MAX, "there is always room to receive");

struct signing_lane *signing_lane_new(int take_fd, bool is_blocking)
{
    struct signing_lane *lane = calloc(1, sizeof *lane);
    bool is_made = false;
    if (lane != NULL) {
        lane->fd = take_fd;
        lane->is_blocking = is_blocking;
        lane->is_broken = take_fd < 0;
        lane->free_first = NO_SLOT;
        buf_init(&lane->message, SIGNING_MESSAGE_MAX);
        buf_init(&lane->out, QUEUED_BYTES_MAX);
        lane->in = malloc(SIGNING_RECEIVE_BYTES);
        if (!is_blocking)
            lane->slots = calloc(SIGNING_WAITING_MAX, sizeof *lane->slots);
        is_made = lane->in != NULL && (is_blocking || lane->slots != NULL) &&
                  buf_reserve(&lane->message, SIGNING_MESSAGE_MAX) != NULL;
        buf_clear(&lane->message);
    }
    if (is_made)
        return lane;
    if (lane == NULL && take_fd >= 0)
        (void)close(take_fd);
    signing_lane_free(lane);
    return NULL;
}

void signing_lane_free(struct signing_lane *lane)
{
    if (lane == NULL)
        return;
    if (lane->fd >= 0)
        (void)close(lane->fd);
    if (lane->in != NULL)
        explicit_bzero(lane->in, SIGNING_RECEIVE_BYTES);
    free(lane->in);
    free(lane->slots);
    buf_done(&lane->message);
    buf_done(&lane->out);
    free(lane);
}

int signing_lane_fd(const struct signing_lane *lane)
{
    return lane->is_broken ? -1 : lane->fd;
}

/* --- Who waits --- */

static uint32_t slot_take(struct signing_lane *lane)
{
    uint32_t slot = lane->free_first;
    if (slot != NO_SLOT)
        lane->free_first = lane->slots[slot].next_free;
    else
        slot = lane->slot_count++;
    lane->waiting++;
    return slot;
}

static struct signing_slot slot_release(struct signing_lane *lane, uint32_t number)
{
    struct signing_slot *slot = &lane->slots[number];
    struct signing_slot was = *slot;
    slot->done = NULL;
    slot->next_free = lane->free_first;
    lane->free_first = number;
    lane->waiting--;
    return was;
}

/* The id's low bits name the slot, the others its generation. */
static uint32_t slot_id(const struct signing_lane *lane, uint32_t number)
{
    return lane->slots[number].generation << SLOT_BITS | number;
}

static void fail_waiting(struct signing_lane *lane)
{
    for (uint32_t i = 0; i < lane->slot_count; i++) {
        if (lane->slots[i].done == NULL)
            continue;
        struct signing_slot was = slot_release(lane, i);
        const struct signing_reply reply = {.op = was.op, .status = UNAVAILABLE};
        was.done(was.context, &reply);
    }
}

/* Requests hold secrets: what is sent or dropped is wiped. */
static void clear_out(struct signing_lane *lane)
{
    if (lane->out.len > 0)
        explicit_bzero(lane->out.data, lane->out.len);
    buf_clear(&lane->out);
    lane->sent = 0;
}

void signing_lane_break(struct signing_lane *lane)
{
    if (lane->is_broken)
        return;
    lane->is_broken = true; /* first, so that nobody who is told queues anew */
    (void)shutdown(lane->fd, SHUT_RDWR);
    clear_out(lane);
    fail_waiting(lane);
}

void signing_lane_attach(struct signing_lane *lane, int take_fd)
{
    signing_lane_break(lane);
    if (lane->fd >= 0)
        (void)close(lane->fd);
    lane->fd = take_fd;
    lane->in_len = 0;
    lane->is_broken = take_fd < 0;
}

/* --- Sending --- */

enum status signing_submit(struct signing_lane *lane, const struct signing_request *request,
                           signing_done *done, void *context)
{
    assert(!lane->is_blocking && done != NULL);
    if (lane->is_broken || lane->waiting == SIGNING_WAITING_MAX)
        return UNAVAILABLE;
    uint32_t number = slot_take(lane);
    struct signing_slot *slot = &lane->slots[number];
    slot->generation++;
    slot->op = request->op;
    slot->context = context;
    slot->done = done;

    enum status status = OK;
    signing_request_write(slot_id(lane, number), request, &lane->message);
    if (!buf_ok(&lane->message)) {
        status = INVALID;
    } else {
        buf_put(&lane->out, buf_span(&lane->message));
        if (!buf_ok(&lane->out)) {
            lane->out.has_failed = false; /* nothing of it was written */
            status = UNAVAILABLE;
        }
    }
    signing_lane_forget_message(lane);
    if (status != OK)
        (void)slot_release(lane, number);
    return status;
}

void signing_lane_forget_message(struct signing_lane *lane)
{
    /* A message that did not fit was cut back to nothing, but was written. */
    size_t size = buf_ok(&lane->message) ? lane->message.len : lane->message.capacity;
    explicit_bzero(lane->message.data, size);
    buf_clear(&lane->message);
}

bool signing_flush(struct signing_lane *lane)
{
    struct buf *out = &lane->out;
    while (!lane->is_broken && lane->sent < out->len) {
        ssize_t sent = send(lane->fd, out->data + lane->sent, out->len - lane->sent,
                            MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent >= 0) {
            lane->sent += (size_t)sent;
        } else if (errno == EAGAIN) {
            if (lane->sent > out->len / 2) {
                memmove(out->data, out->data + lane->sent, out->len - lane->sent);
                out->len -= lane->sent;
                lane->sent = 0;
            }
            return true;
        } else if (errno != EINTR) {
            signing_lane_break(lane);
        }
    }
    clear_out(lane);
    return false;
}

/* --- Receiving --- */

void signing_lane_consume(struct signing_lane *lane, size_t count)
{
    size_t rest = lane->in_len - count;
    memmove(lane->in, lane->in + count, rest);
    explicit_bzero(lane->in + rest, count);
    lane->in_len = rest;
}

/* False: nobody waits for such a reply. */
static bool deliver(struct signing_lane *lane, const struct signing_frame *frame)
{
    struct signing_reply reply;
    uint32_t number = frame->id & (SIGNING_WAITING_MAX - 1);
    if (number >= lane->slot_count || lane->slots[number].done == NULL ||
        slot_id(lane, number) != frame->id || lane->slots[number].op != frame->op ||
        signing_reply_read(frame, &reply) != OK)
        return false;
    struct signing_slot was = slot_release(lane, number);
    was.done(was.context, &reply);
    return true;
}

/* Whoever is told may submit and flush, and so break the lane meanwhile. */
static void deliver_all(struct signing_lane *lane)
{
    struct signing_frame frame;
    struct span rest = span_of(lane->in, lane->in_len);
    enum status status = OK;
    while (!lane->is_broken && (status = signing_frame_cut(&rest, &frame)) == OK) {
        if (!deliver(lane, &frame))
            status = INVALID;
        if (status != OK)
            break;
    }
    if (status == INVALID)
        signing_lane_break(lane);
    signing_lane_consume(lane, lane->in_len - rest.len);
}

bool signing_receive(struct signing_lane *lane)
{
    assert(!lane->is_blocking);
    for (int round = 0; !lane->is_broken && round < RECEIVE_ROUNDS_MAX; round++) {
        size_t room = SIGNING_RECEIVE_BYTES - lane->in_len;
        ssize_t got = recv(lane->fd, lane->in + lane->in_len, room, MSG_DONTWAIT);
        if (got > 0) {
            lane->in_len += (size_t)got;
            deliver_all(lane);
            if ((size_t)got < room)
                break;
        } else if (got < 0 && errno == EAGAIN) {
            break;
        } else if (got == 0 || errno != EINTR) {
            signing_lane_break(lane);
        }
    }
    return !lane->is_broken;
}
