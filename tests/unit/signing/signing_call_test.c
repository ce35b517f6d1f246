/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"
#include "base/buf.h"
#include "signing/signing.h"

#include "../unit.h"
#include "signing_samples.h"

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CALL_MS = 60000, ARENA_BYTES = 65536 };

/* The other end: for each request received, the replies of one row. */
struct script {
    int fd;
    enum status status;
    int id_offset;   /* of an extra reply sent first; 0: none */
    bool is_closing; /* ends without an answer */
    bool is_wrong_op;
    pthread_t thread;
};

static void send_reply(int fd, uint32_t id, const struct signing_reply *reply)
{
    struct buf message AUTO(buf);
    buf_init(&message, SIGNING_MESSAGE_MAX);
    signing_reply_write(id, reply, &message);
    (void)send(fd, message.data, message.len, MSG_NOSIGNAL);
}

static void *play(void *context)
{
    const struct script *script = context;
    char batch[SIGNING_MESSAGE_MAX];
    size_t len = 0;
    struct signing_frame frame;
    for (;;) {
        struct span rest = span_of(batch, len);
        if (signing_frame_cut(&rest, &frame) == OK)
            break;
        ssize_t got = recv(script->fd, batch + len, sizeof batch - len, 0);
        if (got <= 0)
            return NULL;
        len += (size_t)got;
    }
    if (script->is_closing) {
        (void)shutdown(script->fd, SHUT_RDWR);
        return NULL;
    }
    struct signing_reply reply = sample_replies[script->is_wrong_op ? SIGNING_PING : frame.op];
    if (script->id_offset != 0)
        send_reply(script->fd, frame.id + (uint32_t)script->id_offset, &reply);
    reply.status = script->status;
    send_reply(script->fd, frame.id, &reply);
    return NULL;
}

static void start(struct script *script)
{
    assert_int_equal(pthread_create(&script->thread, NULL, play, script), 0);
}

static struct signing_lane *open_lane(struct script *script)
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    struct signing_lane *lane = signing_lane_new(fds[0], true);
    assert_non_null(lane);
    script->fd = fds[1];
    return lane;
}

static void finish(struct script *script, struct signing_lane *lane)
{
    (void)pthread_join(script->thread, NULL);
    signing_lane_free(lane);
    (void)close(script->fd);
}

static void a_call_answers_with_the_reply_in_the_arena(void **state)
{
    (void)state;
    struct script script = {.status = OK};
    struct signing_lane *lane = open_lane(&script);
    struct arena arena;
    struct signing_reply reply;
    struct err err = {0};
    arena_init(&arena, ARENA_BYTES);
    for (unsigned op = 0; op < SIGNING_OP_COUNT; op++) {
        start(&script);
        assert_int_equal(signing_call(lane, &sample_requests[op], CALL_MS, &arena, &reply, &err),
                         OK);
        (void)pthread_join(script.thread, NULL);
        assert_int_equal(reply.op, op);
        if (op == SIGNING_KEY_MAKE)
            assert_span_equal(reply.key_make.public_jwk, "{\"kty\":\"RSA\"}");
        if (op == SIGNING_UNSEAL)
            assert_span_equal(reply.unseal.secret, "pst_cs_secret");
    }
    start(&script);
    assert_int_equal(
        signing_call(lane, &sample_requests[SIGNING_TOKEN], CALL_MS, &arena, &reply, &err), OK);
    finish(&script, lane);
    assert_span_equal(reply.token.token, "a.b.c"); /* outlives the lane */
    arena_done(&arena);
}

static void a_refusal_is_the_calls_status_and_has_words(void **state)
{
    (void)state;
    for (unsigned status = 1; status < STATUS_COUNT; status++) {
        struct script script = {.status = status};
        struct signing_lane *lane = open_lane(&script);
        struct arena arena;
        struct signing_reply reply;
        struct err err = {0};
        arena_init(&arena, ARENA_BYTES);
        start(&script);
        assert_int_equal(
            signing_call(lane, &sample_requests[SIGNING_UNSEAL], CALL_MS, &arena, &reply, &err),
            status);
        assert_int_equal(err.status, status);
        assert_true(strlen(err.detail) > 0);
        assert_true(signing_lane_fd(lane) >= 0); /* a refusal does not break the lane */
        finish(&script, lane);
        arena_done(&arena);
    }
}

static void a_reply_to_a_call_that_timed_out_is_dropped(void **state)
{
    (void)state;
    struct script script = {.status = OK, .id_offset = -1};
    struct signing_lane *lane = open_lane(&script);
    struct arena arena;
    struct signing_reply reply;
    struct err err = {0};
    arena_init(&arena, ARENA_BYTES);
    assert_int_equal(signing_call(lane, &sample_requests[SIGNING_PING], 1, &arena, &reply, &err),
                     UNAVAILABLE);
    assert_true(signing_lane_fd(lane) >= 0);

    /* Take the first request away; its late answer then stands before the second's. */
    char batch[64];
    assert_true(recv(script.fd, batch, sizeof batch, 0) > 0);
    start(&script);
    err = (struct err){0};
    assert_int_equal(
        signing_call(lane, &sample_requests[SIGNING_UNSEAL], CALL_MS, &arena, &reply, &err), OK);
    assert_span_equal(reply.unseal.secret, "pst_cs_secret");
    finish(&script, lane);
    arena_done(&arena);
}

static void expect_broken(struct script script)
{
    struct signing_lane *lane = open_lane(&script);
    struct arena arena;
    struct signing_reply reply;
    struct err err = {0};
    arena_init(&arena, ARENA_BYTES);
    start(&script);
    assert_int_equal(
        signing_call(lane, &sample_requests[SIGNING_UNSEAL], CALL_MS, &arena, &reply, &err),
        UNAVAILABLE);
    assert_true(strlen(err.detail) > 0);
    assert_int_equal(signing_lane_fd(lane), -1);
    assert_int_equal(
        signing_call(lane, &sample_requests[SIGNING_PING], CALL_MS, &arena, &reply, &err),
        UNAVAILABLE);
    finish(&script, lane);
    arena_done(&arena);
}

static void a_signer_that_ends_is_unavailable(void **state)
{
    (void)state;
    expect_broken((struct script){.is_closing = true});
}

static void a_reply_to_a_call_not_made_breaks_the_lane(void **state)
{
    (void)state;
    expect_broken((struct script){.id_offset = 1});
}

static void a_reply_of_another_operation_breaks_the_lane(void **state)
{
    (void)state;
    expect_broken((struct script){.is_wrong_op = true});
}

static void a_broken_lane_works_again_once_attached(void **state)
{
    (void)state;
    struct script script = {.status = OK};
    struct signing_lane *lane = open_lane(&script);
    struct arena arena;
    struct signing_reply reply;
    struct err err = {0};
    int fds[2];
    arena_init(&arena, ARENA_BYTES);
    (void)shutdown(script.fd, SHUT_RDWR);
    assert_int_equal(
        signing_call(lane, &sample_requests[SIGNING_PING], CALL_MS, &arena, &reply, &err),
        UNAVAILABLE);
    (void)close(script.fd);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    signing_lane_attach(lane, fds[0]);
    script.fd = fds[1];
    start(&script);
    err = (struct err){0};
    assert_int_equal(
        signing_call(lane, &sample_requests[SIGNING_PING], CALL_MS, &arena, &reply, &err), OK);
    finish(&script, lane);
    arena_done(&arena);
}

static void an_arena_that_is_too_small_is_no_memory(void **state)
{
    (void)state;
    struct script script = {.status = OK};
    struct signing_lane *lane = open_lane(&script);
    struct arena arena;
    struct signing_reply reply;
    struct err err = {0};
    arena_init(&arena, 1);
    start(&script);
    assert_int_equal(
        signing_call(lane, &sample_requests[SIGNING_UNSEAL], CALL_MS, &arena, &reply, &err),
        NO_MEMORY);
    (void)pthread_join(script.thread, NULL);
    arena_done(&arena);
    arena_init(&arena, ARENA_BYTES);
    start(&script);
    err = (struct err){0};
    assert_int_equal(
        signing_call(lane, &sample_requests[SIGNING_UNSEAL], CALL_MS, &arena, &reply, &err), OK);
    finish(&script, lane);
    arena_done(&arena);
}

static void a_request_that_is_too_long_is_invalid(void **state)
{
    (void)state;
    static char record[5000];
    struct script script = {.status = OK};
    struct signing_lane *lane = open_lane(&script);
    struct arena arena;
    struct signing_reply reply;
    struct err err = {0};
    const struct signing_request request = {.op = SIGNING_RECORD_MAC,
                                            .record_mac = {span_of(record, sizeof record)}};
    arena_init(&arena, ARENA_BYTES);
    assert_int_equal(signing_call(lane, &request, CALL_MS, &arena, &reply, &err), INVALID);
    start(&script);
    err = (struct err){0};
    assert_int_equal(
        signing_call(lane, &sample_requests[SIGNING_PING], CALL_MS, &arena, &reply, &err), OK);
    finish(&script, lane);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_answers_with_the_reply_in_the_arena),
        cmocka_unit_test(a_refusal_is_the_calls_status_and_has_words),
        cmocka_unit_test(a_reply_to_a_call_that_timed_out_is_dropped),
        cmocka_unit_test(a_signer_that_ends_is_unavailable),
        cmocka_unit_test(a_reply_to_a_call_not_made_breaks_the_lane),
        cmocka_unit_test(a_reply_of_another_operation_breaks_the_lane),
        cmocka_unit_test(a_broken_lane_works_again_once_attached),
        cmocka_unit_test(an_arena_that_is_too_small_is_no_memory),
        cmocka_unit_test(a_request_that_is_too_long_is_invalid),
    };
    return RUN_TESTS(tests);
}
