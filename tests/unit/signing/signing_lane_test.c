/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "signing/signing.h"

#include "../unit.h"
#include "signing_samples.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PEER_BYTES_MAX = 8 << 20 };

struct answer {
    unsigned count;
    enum status status;
    enum signing_op op;
    char text[64];
};

struct ends {
    struct signing_lane *lane;
    int peer;
    struct buf seen; /* what the other end has received */
};

static void note(void *context, const struct signing_reply *reply)
{
    struct answer *answer = context;
    answer->count++;
    answer->status = reply->status;
    answer->op = reply->op;
    if (reply->status == OK && reply->op == SIGNING_UNSEAL)
        memcpy(answer->text, reply->unseal.secret.ptr, reply->unseal.secret.len);
}

static int make_pair(int *ret_peer)
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    *ret_peer = fds[1];
    return fds[0];
}

static int open_ends(void **state)
{
    struct ends *ends = calloc(1, sizeof *ends);
    assert_non_null(ends);
    ends->lane = signing_lane_new(make_pair(&ends->peer), false);
    assert_non_null(ends->lane);
    buf_init(&ends->seen, PEER_BYTES_MAX);
    *state = ends;
    return 0;
}

static int close_ends(void **state)
{
    struct ends *ends = *state;
    signing_lane_free(ends->lane);
    if (ends->peer >= 0)
        (void)close(ends->peer);
    buf_done(&ends->seen);
    free(ends);
    return 0;
}

/* Takes what has come at the other end; answers how many whole frames there are now. */
static size_t peer_receive(struct ends *ends)
{
    char batch[65536];
    ssize_t got;
    while ((got = recv(ends->peer, batch, sizeof batch, MSG_DONTWAIT)) > 0)
        buf_put(&ends->seen, span_of(batch, (size_t)got));
    assert_true(buf_ok(&ends->seen));
    struct span rest = buf_span(&ends->seen);
    struct signing_frame frame;
    size_t count = 0;
    while (signing_frame_cut(&rest, &frame) == OK)
        count++;
    return count;
}

static struct signing_frame peer_frame(const struct ends *ends, size_t index)
{
    struct span rest = buf_span(&ends->seen);
    struct signing_frame frame;
    for (size_t i = 0; i <= index; i++)
        assert_int_equal(signing_frame_cut(&rest, &frame), OK);
    return frame;
}

static void peer_send(const struct ends *ends, struct span bytes)
{
    assert_int_equal(send(ends->peer, bytes.ptr, bytes.len, MSG_NOSIGNAL), bytes.len);
}

static void peer_reply(const struct ends *ends, uint32_t id, const struct signing_reply *reply)
{
    struct buf message AUTO(buf);
    buf_init(&message, SIGNING_MESSAGE_MAX);
    signing_reply_write(id, reply, &message);
    peer_send(ends, buf_span(&message));
}

static void submit(struct ends *ends, enum signing_op op, struct answer *answer)
{
    assert_int_equal(signing_submit(ends->lane, &sample_requests[op], note, answer), OK);
}

static void replies_in_any_order_reach_their_askers(void **state)
{
    struct ends *ends = *state;
    struct answer first = {0};
    struct answer second = {0};
    submit(ends, SIGNING_UNSEAL, &first);
    submit(ends, SIGNING_PING, &second);
    assert_int_equal(peer_receive(ends), 0); /* nothing goes out before the flush */
    assert_false(signing_flush(ends->lane));
    assert_int_equal(peer_receive(ends), 2);
    assert_int_equal(peer_frame(ends, 0).op, SIGNING_UNSEAL);

    peer_reply(ends, peer_frame(ends, 1).id, &sample_replies[SIGNING_PING]);
    assert_true(signing_receive(ends->lane));
    assert_int_equal(second.count, 1);
    assert_int_equal(first.count, 0);
    peer_reply(ends, peer_frame(ends, 0).id, &sample_replies[SIGNING_UNSEAL]);
    assert_true(signing_receive(ends->lane));
    assert_int_equal(first.count, 1);
    assert_int_equal(first.status, OK);
    assert_string_equal(first.text, "pst_cs_secret");
    assert_true(signing_receive(ends->lane)); /* nothing has come: nothing happens */
}

static void a_reply_may_come_byte_by_byte(void **state)
{
    struct ends *ends = *state;
    struct answer answer = {0};
    struct buf message AUTO(buf);
    buf_init(&message, SIGNING_MESSAGE_MAX);
    submit(ends, SIGNING_UNSEAL, &answer);
    assert_false(signing_flush(ends->lane));
    assert_int_equal(peer_receive(ends), 1);
    signing_reply_write(peer_frame(ends, 0).id, &sample_replies[SIGNING_UNSEAL], &message);
    for (size_t i = 0; i < message.len; i++) {
        assert_int_equal(answer.count, 0);
        peer_send(ends, span_of(message.data + i, 1));
        assert_true(signing_receive(ends->lane));
    }
    assert_int_equal(answer.count, 1);
    assert_string_equal(answer.text, "pst_cs_secret");
}

static void many_rounds_use_the_slots_again(void **state)
{
    struct ends *ends = *state;
    struct answer answer = {0};
    for (unsigned round = 0; round < 3 * SIGNING_WAITING_MAX; round++) {
        buf_clear(&ends->seen);
        submit(ends, SIGNING_PING, &answer);
        assert_false(signing_flush(ends->lane));
        assert_int_equal(peer_receive(ends), 1);
        peer_reply(ends, peer_frame(ends, 0).id, &sample_replies[SIGNING_PING]);
        assert_true(signing_receive(ends->lane));
        assert_int_equal(answer.count, round + 1);
    }
}

static void a_signer_that_ends_fails_who_waits(void **state)
{
    struct ends *ends = *state;
    struct answer answers[2] = {0};
    submit(ends, SIGNING_TOKEN, &answers[0]);
    submit(ends, SIGNING_PING, &answers[1]);
    assert_false(signing_flush(ends->lane));
    (void)close(ends->peer);
    ends->peer = -1;
    assert_false(signing_receive(ends->lane));
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(answers[i].count, 1);
        assert_int_equal(answers[i].status, UNAVAILABLE);
    }
    assert_int_equal(answers[0].op, SIGNING_TOKEN);
    assert_int_equal(signing_lane_fd(ends->lane), -1);
    assert_int_equal(signing_submit(ends->lane, &sample_requests[SIGNING_PING], note, &answers[0]),
                     UNAVAILABLE);
    assert_false(signing_flush(ends->lane));
    assert_false(signing_receive(ends->lane));
    assert_int_equal(answers[0].count, 1);
}

/* Whoever watches the descriptor learns of it: it stays open and becomes readable. */
static void a_lane_that_breaks_while_sending_tells_at_once(void **state)
{
    struct ends *ends = *state;
    struct answer answer = {0};
    struct pollfd watched = {.fd = signing_lane_fd(ends->lane), .events = POLLIN};
    submit(ends, SIGNING_TOKEN, &answer);
    (void)close(ends->peer);
    ends->peer = -1;
    assert_false(signing_flush(ends->lane));
    assert_int_equal(answer.count, 1);
    assert_int_equal(answer.status, UNAVAILABLE);
    assert_int_equal(poll(&watched, 1, 0), 1);
    assert_int_equal(watched.revents & POLLNVAL, 0);
    assert_false(signing_receive(ends->lane));
}

static void a_lane_attached_anew_starts_clean(void **state)
{
    struct ends *ends = *state;
    struct answer old = {0};
    struct answer new = {0};
    /* Half a reply has come, and half the requests are not sent, when the signer is replaced. */
    submit(ends, SIGNING_UNSEAL, &old);
    assert_false(signing_flush(ends->lane));
    assert_int_equal(peer_receive(ends), 1);
    uint32_t old_id = peer_frame(ends, 0).id;
    peer_send(ends, SPAN("\x20\0\0\0half"));
    assert_true(signing_receive(ends->lane));
    submit(ends, SIGNING_PING, &old);

    (void)close(ends->peer);
    buf_clear(&ends->seen);
    signing_lane_attach(ends->lane, make_pair(&ends->peer));
    assert_int_equal(old.count, 2);
    assert_int_equal(old.status, UNAVAILABLE);
    assert_true(signing_lane_fd(ends->lane) >= 0);
    assert_false(signing_flush(ends->lane));
    assert_int_equal(peer_receive(ends), 0);

    submit(ends, SIGNING_UNSEAL, &new);
    assert_false(signing_flush(ends->lane));
    assert_int_equal(peer_receive(ends), 1);
    assert_int_not_equal(peer_frame(ends, 0).id, old_id);
    peer_reply(ends, peer_frame(ends, 0).id, &sample_replies[SIGNING_UNSEAL]);
    assert_true(signing_receive(ends->lane));
    assert_int_equal(new.count, 1);
    assert_int_equal(new.status, OK);
    assert_int_equal(old.count, 2);
}

static void a_lane_without_a_socket_waits_for_one(void **state)
{
    struct ends *ends = *state;
    struct answer answer = {0};
    struct signing_lane *lane = signing_lane_new(-1, false);
    int peer;
    assert_non_null(lane);
    assert_int_equal(signing_lane_fd(lane), -1);
    assert_int_equal(signing_submit(lane, &sample_requests[SIGNING_PING], note, &answer),
                     UNAVAILABLE);
    signing_lane_attach(lane, make_pair(&peer));
    assert_int_equal(signing_submit(lane, &sample_requests[SIGNING_PING], note, &answer), OK);
    signing_lane_free(lane); /* forgets who waits */
    assert_int_equal(answer.count, 0);
    (void)close(peer);
    (void)ends;
}

static void a_full_table_refuses_and_recovers(void **state)
{
    struct ends *ends = *state;
    struct answer answer = {0};
    for (unsigned i = 0; i < SIGNING_WAITING_MAX; i++)
        submit(ends, SIGNING_PING, &answer);
    assert_int_equal(signing_submit(ends->lane, &sample_requests[SIGNING_PING], note, &answer),
                     UNAVAILABLE);
    while (signing_flush(ends->lane))
        (void)peer_receive(ends);
    assert_int_equal(peer_receive(ends), SIGNING_WAITING_MAX);
    peer_reply(ends, peer_frame(ends, 17).id, &sample_replies[SIGNING_PING]);
    assert_true(signing_receive(ends->lane));
    assert_int_equal(answer.count, 1);
    submit(ends, SIGNING_PING, &answer);
    assert_int_equal(signing_submit(ends->lane, &sample_requests[SIGNING_PING], note, &answer),
                     UNAVAILABLE);
}

/* Long requests and a signer that does not read: memory stays bounded, and nothing is torn. */
static void a_signer_that_does_not_read_is_back_pressure(void **state)
{
    struct ends *ends = *state;
    static char record[4096];
    struct answer answer = {0};
    struct signing_request request = sample_requests[SIGNING_TOKEN];
    request.token.record = span_of(record, sizeof record);
    size_t taken = 0;
    bool is_left = false;
    while (signing_submit(ends->lane, &request, note, &answer) == OK) {
        taken++;
        if (taken % 16 == 0)
            is_left = signing_flush(ends->lane);
    }
    assert_true(is_left);
    assert_in_range(taken, 100, SIGNING_WAITING_MAX);
    while (signing_flush(ends->lane))
        (void)peer_receive(ends);
    assert_int_equal(peer_receive(ends), taken);
    for (size_t i = 0; i < taken; i += taken / 7) {
        struct signing_frame frame = peer_frame(ends, i);
        assert_int_equal(signing_request_read(&frame, &request), OK);
    }
    assert_int_equal(signing_submit(ends->lane, &request, note, &answer), OK);
}

static void a_request_that_is_too_long_is_refused_and_the_lane_lives(void **state)
{
    struct ends *ends = *state;
    static char secret[5000];
    struct answer answer = {0};
    struct signing_request request = sample_requests[SIGNING_TOKEN];
    request.token.secret = span_of(secret, sizeof secret);
    assert_int_equal(signing_submit(ends->lane, &request, note, &answer), INVALID);
    submit(ends, SIGNING_PING, &answer);
    assert_false(signing_flush(ends->lane));
    assert_int_equal(peer_receive(ends), 1);
    assert_int_equal(peer_frame(ends, 0).op, SIGNING_PING);
    assert_int_equal(answer.count, 0);
}

struct again {
    struct ends *ends;
    struct answer answer;
};

/* What the front does: a reply makes the next request of the same connection. */
static void submit_again(void *context, const struct signing_reply *reply)
{
    struct again *again = context;
    note(&again->answer, reply);
    if (reply->status == OK) {
        assert_int_equal(
            signing_submit(again->ends->lane, &sample_requests[SIGNING_PING], note, &again->answer),
            OK);
        assert_false(signing_flush(again->ends->lane));
    } else {
        assert_int_equal(
            signing_submit(again->ends->lane, &sample_requests[SIGNING_PING], note, &again->answer),
            UNAVAILABLE);
    }
}

static void an_asker_may_ask_again_while_it_is_told(void **state)
{
    struct ends *ends = *state;
    struct again again = {.ends = ends};
    for (int i = 0; i < 2; i++)
        assert_int_equal(
            signing_submit(ends->lane, &sample_requests[SIGNING_PING], submit_again, &again), OK);
    assert_false(signing_flush(ends->lane));
    assert_int_equal(peer_receive(ends), 2);
    peer_reply(ends, peer_frame(ends, 0).id, &sample_replies[SIGNING_PING]);
    assert_true(signing_receive(ends->lane));
    assert_int_equal(again.answer.count, 1);
    assert_int_equal(peer_receive(ends), 3);
    (void)shutdown(ends->peer, SHUT_RDWR);
    assert_false(signing_receive(ends->lane));
    assert_int_equal(again.answer.count, 3);
}

/* Each of these from the signer's side breaks the lane, and tells who waits once. */
static void what_is_not_the_protocol_breaks_the_lane(void **state)
{
    (void)state;
    static const char *const cases[] = {"length",   "nobody's id", "old id",
                                        "other op", "no field",    "twice"};
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct ends *ends;
        struct answer answer = {0};
        assert_int_equal(open_ends((void **)&ends), 0);
        submit(ends, SIGNING_UNSEAL, &answer);
        assert_false(signing_flush(ends->lane));
        assert_int_equal(peer_receive(ends), 1);
        uint32_t id = peer_frame(ends, 0).id;
        struct signing_reply reply = sample_replies[SIGNING_UNSEAL];
        switch (i) {
        case 0:
            peer_send(ends, SPAN("\xff\xff\xff\xff"));
            break;
        case 1:
            peer_reply(ends, id + 1, &reply);
            break;
        case 2:
            peer_reply(ends, id - SIGNING_WAITING_MAX, &reply);
            break;
        case 3:
            peer_reply(ends, id, &sample_replies[SIGNING_PING]);
            break;
        case 4: {
            struct buf message AUTO(buf);
            buf_init(&message, 64);
            signing_reply_write(id, &sample_replies[SIGNING_PING], &message);
            message.data[8] = SIGNING_UNSEAL;
            peer_send(ends, buf_span(&message));
            break;
        }
        default:
            peer_reply(ends, id, &reply);
            peer_reply(ends, id, &reply);
            break;
        }
        assert_false(signing_receive(ends->lane));
        assert_int_equal(signing_lane_fd(ends->lane), -1);
        assert_int_equal(answer.count, 1);
        assert_int_equal(answer.status, i == 5 ? OK : UNAVAILABLE);
        (void)close_ends((void **)&ends);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(replies_in_any_order_reach_their_askers, open_ends,
                                        close_ends),
        cmocka_unit_test_setup_teardown(a_reply_may_come_byte_by_byte, open_ends, close_ends),
        cmocka_unit_test_setup_teardown(many_rounds_use_the_slots_again, open_ends, close_ends),
        cmocka_unit_test_setup_teardown(a_signer_that_ends_fails_who_waits, open_ends, close_ends),
        cmocka_unit_test_setup_teardown(a_lane_that_breaks_while_sending_tells_at_once, open_ends,
                                        close_ends),
        cmocka_unit_test_setup_teardown(a_lane_attached_anew_starts_clean, open_ends, close_ends),
        cmocka_unit_test_setup_teardown(a_lane_without_a_socket_waits_for_one, open_ends,
                                        close_ends),
        cmocka_unit_test_setup_teardown(a_full_table_refuses_and_recovers, open_ends, close_ends),
        cmocka_unit_test_setup_teardown(a_signer_that_does_not_read_is_back_pressure, open_ends,
                                        close_ends),
        cmocka_unit_test_setup_teardown(a_request_that_is_too_long_is_refused_and_the_lane_lives,
                                        open_ends, close_ends),
        cmocka_unit_test_setup_teardown(an_asker_may_ask_again_while_it_is_told, open_ends,
                                        close_ends),
        cmocka_unit_test(what_is_not_the_protocol_breaks_the_lane),
    };
    return RUN_TESTS(tests);
}
