/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/signer_lane.h"

#include "config/config.h"
#include "signer/signer_ops.h"

#include "../unit.h"
#include "signer_bench.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct world {
    struct config config;
    struct signer signer;
    atomic_bool is_ending;
    int fd;   /* the signer's end */
    int peer; /* ours */
    enum signer_lane_end end;
    pthread_t thread;
};

static void *run(void *context)
{
    struct world *world = context;
    world->end = signer_lane_run(&world->signer, world->fd, &world->is_ending);
    (void)shutdown(world->fd, SHUT_RDWR);
    return NULL;
}

static int open_world(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    int fds[2];
    assert_non_null(world);
    config_defaults(&world->config);
    world->config.public_url = SPAN(ISSUER);
    assert_int_equal(signer_open(&world->signer, &world->config, span_of(bench_kek, 32), NULL), OK);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    world->fd = fds[0];
    world->peer = fds[1];
    assert_int_equal(pthread_create(&world->thread, NULL, run, world), 0);
    *state = world;
    return 0;
}

static int close_world(void **state)
{
    struct world *world = *state;
    (void)close(world->peer);
    (void)close(world->fd);
    signer_close(&world->signer);
    free(world);
    return 0;
}

static enum signer_lane_end join(struct world *world)
{
    (void)pthread_join(world->thread, NULL);
    return world->end;
}

/* How many whole replies come before the end of the stream, after all of sent is sent and closed.
 */
static size_t exchange(struct world *world, struct span sent, struct buf *received)
{
    char batch[4096];
    ssize_t got;
    struct signing_frame frame;
    size_t count = 0;
    assert_int_equal(send(world->peer, sent.ptr, sent.len, MSG_NOSIGNAL), sent.len);
    (void)shutdown(world->peer, SHUT_WR);
    while ((got = recv(world->peer, batch, sizeof batch, 0)) > 0)
        buf_put(received, span_of(batch, (size_t)got));
    assert_true(buf_ok(received));
    struct span rest = buf_span(received);
    while (signing_frame_cut(&rest, &frame) == OK)
        count++;
    assert_int_equal(rest.len, 0);
    return count;
}

static void a_batch_is_answered_in_order(void **state)
{
    struct world *world = *state;
    struct buf sent AUTO(buf);
    struct buf received AUTO(buf);
    struct signing_frame frame;
    const struct signing_request ping = {.op = SIGNING_PING};
    const struct signing_request make = {.op = SIGNING_KEY_MAKE,
                                         .key_make = {SIGNING_KEY_PEPPER, SPAN("")}};
    buf_init(&sent, 1 << 20);
    buf_init(&received, 1 << 20);
    for (uint32_t id = 0; id < 1000; id++)
        signing_request_write(id, id % 10 == 0 ? &make : &ping, &sent);
    assert_int_equal(exchange(world, buf_span(&sent), &received), 1000);
    struct span rest = buf_span(&received);
    for (uint32_t id = 0; id < 1000; id++) {
        struct signing_reply reply;
        assert_int_equal(signing_frame_cut(&rest, &frame), OK);
        assert_int_equal(frame.id, id);
        assert_int_equal(signing_reply_read(&frame, &reply), OK);
        assert_int_equal(reply.op, id % 10 == 0 ? SIGNING_KEY_MAKE : SIGNING_PING);
    }
    assert_int_equal(join(world), SIGNER_LANE_EOF);
}

static void a_request_may_come_in_pieces(void **state)
{
    struct world *world = *state;
    struct buf message AUTO(buf);
    char batch[64];
    const struct signing_request ping = {.op = SIGNING_PING};
    buf_init(&message, SIGNING_MESSAGE_MAX);
    signing_request_write(5, &ping, &message);
    for (size_t i = 0; i < message.len; i++)
        assert_int_equal(send(world->peer, message.data + i, 1, MSG_NOSIGNAL), 1);
    assert_int_equal(recv(world->peer, batch, sizeof batch, 0), 12);
    (void)shutdown(world->peer, SHUT_WR);
    assert_int_equal(join(world), SIGNER_LANE_EOF);
}

static void a_request_with_wrong_fields_is_invalid_and_the_lane_goes_on(void **state)
{
    struct world *world = *state;
    struct buf sent AUTO(buf);
    struct buf received AUTO(buf);
    struct signing_frame frame;
    const struct signing_request ping = {.op = SIGNING_PING};
    buf_init(&sent, SIGNING_MESSAGE_MAX);
    buf_init(&received, SIGNING_MESSAGE_MAX);
    signing_request_write(1, &ping, &sent);
    sent.data[8] = SIGNING_UNSEAL; /* whose fields are not there */
    signing_request_write(2, &ping, &sent);
    assert_int_equal(exchange(world, buf_span(&sent), &received), 2);
    struct span rest = buf_span(&received);
    assert_int_equal(signing_frame_cut(&rest, &frame), OK);
    assert_int_equal(frame.status, INVALID);
    assert_int_equal(frame.op, SIGNING_UNSEAL);
    assert_int_equal(signing_frame_cut(&rest, &frame), OK);
    assert_int_equal(frame.status, OK);
    assert_int_equal(join(world), SIGNER_LANE_EOF);
}

static void what_is_not_the_protocol_ends_the_lane(void **state)
{
    struct world *world = *state;
    struct buf received AUTO(buf);
    buf_init(&received, 64);
    assert_int_equal(exchange(world, SPAN("GET / HTTP/1.1\r\n\r\n"), &received), 0);
    assert_int_equal(join(world), SIGNER_LANE_BROKEN);
}

static void a_peer_that_leaves_in_the_middle_of_a_request_is_the_end(void **state)
{
    struct world *world = *state;
    struct buf received AUTO(buf);
    buf_init(&received, 64);
    assert_int_equal(exchange(world, SPAN("\x08\0\0\0\x01"), &received), 0);
    assert_int_equal(join(world), SIGNER_LANE_EOF);
}

static void a_lane_that_is_told_to_end_ends(void **state)
{
    struct world *world = *state;
    atomic_store(&world->is_ending, true);
    (void)shutdown(world->fd, SHUT_RD);
    assert_int_equal(join(world), SIGNER_LANE_EOF);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(a_batch_is_answered_in_order),
        IN_WORLD(a_request_may_come_in_pieces),
        IN_WORLD(a_request_with_wrong_fields_is_invalid_and_the_lane_goes_on),
        IN_WORLD(what_is_not_the_protocol_ends_the_lane),
        IN_WORLD(a_peer_that_leaves_in_the_middle_of_a_request_is_the_end),
        IN_WORLD(a_lane_that_is_told_to_end_ends),
    };
    return RUN_TESTS(tests);
}
