/* SPDX-License-Identifier: Apache-2.0 */
#include "server/front_options.h"

#include "base/arena.h"
#include "base/buf.h"

#include "../unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 40 };

struct bench {
    struct arena arena;
    struct front_options options;
    struct config config;
    struct err err;
    char *argv[ARGUMENTS_MAX];
    int argc;
};

static int setup(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    assert_non_null(bench);
    arena_init(&bench->arena, 1 << 20);
    *state = bench;
    return 0;
}

static int teardown(void **state)
{
    struct bench *bench = *state;
    arena_done(&bench->arena);
    free(bench);
    return 0;
}

/* A configuration as the supervisor hands it over: 2 workers. */
static int config_fd(struct span text)
{
    int fd = memfd_create("configuration", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text.ptr, text.len), text.len);
    return fd;
}

/* Arguments in one line, divided by spaces; "CONFIG" is the configuration's number. */
static enum status read_line(struct bench *bench, const char *line, struct span config)
{
    int fd = config_fd(config);
    struct span rest = span_cstr(line);
    bool goes_on = true;
    bench->argc = 0;
    bench->argv[bench->argc++] = arena_cstr(&bench->arena, SPAN("posternd"));
    while (goes_on) {
        struct span word;
        goes_on = span_cut(&rest, ' ', &word);
        if (span_equal(word, SPAN("CONFIG")))
            word = arena_printf(&bench->arena, "%d", fd);
        assert_true(bench->argc < ARGUMENTS_MAX);
        bench->argv[bench->argc++] = arena_cstr(&bench->arena, word);
    }
    bench->err = (struct err){0};
    bench->options = (struct front_options){.channel_fd = -7};
    enum status status = front_options_read(bench->argc, bench->argv, &bench->options,
                                            &bench->arena, &bench->config, &bench->err);
    (void)close(fd);
    return status;
}

#define BASE    "--channel 3 --config CONFIG --data 5 --control 6 --lock 7 "
#define WORKERS SPAN("workers = 2\n")

static void all_options_are_read(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(read_line(bench,
                               BASE "--loops 2 --listen 10,11,12,13 --lanes 20,21,22,23,24 "
                                    "--issuer-configured yes --ends-when-idle no",
                               SPAN("workers = 2\npublic_url = https://as.example\n")),
                     OK);
    const struct front_options *options = &bench->options;
    assert_int_equal(options->channel_fd, 3);
    assert_int_equal(options->data_fd, 5);
    assert_int_equal(options->control_fd, 6);
    assert_int_equal(options->lock_fd, 7);
    assert_int_equal(options->loop_count, 2);
    assert_int_equal(options->listen_count, 4);
    assert_int_equal(options->lane_count, 5);
    for (int i = 0; i < 4; i++)
        assert_int_equal(options->listen_fds[i], 10 + i);
    for (int i = 0; i < 5; i++)
        assert_int_equal(options->lane_fds[i], 20 + i);
    assert_true(options->is_issuer_configured);
    assert_false(options->ends_when_idle);
    assert_int_equal(bench->config.workers, 2);
    assert_span_equal(bench->config.public_url, "https://as.example");
    assert_int_equal(bench->config.token_ttl_seconds > 0, true); /* the rest has its defaults */
}

static void an_offline_front_listens_nowhere(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(
        read_line(bench, BASE "--loops 1 --lanes 1,2,3,4 --ends-when-idle yes", WORKERS), OK);
    assert_int_equal(bench->options.listen_count, 0);
    assert_true(bench->options.ends_when_idle);
    assert_false(bench->options.is_issuer_configured);
}

static void everything_else_is_not_from_postern_serve(void **state)
{
    struct bench *bench = *state;
    static const char *const lines[] = {
        "",
        "--channel 3",
        "--help",
        "--config CONFIG --data 5 --control 6 --loops 1 --lanes 1,2,3,4",
        "--channel 3 --data 5 --control 6 --loops 1 --lanes 1,2,3,4",
        "--channel 3 --config CONFIG --control 6 --loops 1 --lanes 1,2,3,4",
        "--channel 3 --config CONFIG --data 5 --loops 1 --lanes 1,2,3,4",
        BASE "--lanes 1,2,3,4",
        BASE "--loops 0 --lanes 1,2,3,4",
        BASE "--loops 65 --lanes 1,2,3,4",
        BASE "--loops -1 --lanes 1,2,3,4",
        BASE "--loops 1x --lanes 1,2,3,4",
        BASE "--loops 1 --lanes 1,2,3",
        BASE "--loops 1 --lanes 1,2,3,4,5",
        BASE "--loops 1 --lanes 1,2,3,",
        BASE "--loops 1 --lanes 1,,3,4",
        BASE "--loops 1 --lanes 1,2,3,x",
        BASE "--loops 1 --lanes 1,2,3,4294967296",
        BASE "--loops 1 --lanes 1,2,3,99999999999999999999",
        BASE "--loops 1",
        BASE "--loops 2 --listen 1,2,3 --lanes 1,2,3,4,5",
        BASE "--loops 1 --lanes 1,2,3,4 --unknown 1",
        BASE "--loops 1 --lanes 1,2,3,4 --channel x",
        BASE "--loops 1 --lanes 1,2,3,4 --channel 1,2",
        BASE "--loops 1 --lanes 1,2,3,4 extra",
        BASE "--loops 1 --lanes 1,2,3,4 --listen",
    };
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        enum status status = read_line(bench, lines[i], WORKERS);
        if (status != INVALID)
            print_error("%s\n", lines[i]);
        assert_int_equal(status, INVALID);
        assert_true(bench->err.detail[0] != '\0');
        assert_int_equal(bench->options.channel_fd, -7); /* untouched */
    }
}

static void more_numbers_than_there_is_room_for_are_refused(void **state)
{
    struct bench *bench = *state;
    struct buf line;
    buf_init_arena(&line, &bench->arena, 65536);
    buf_put(&line, SPAN(BASE "--loops 1 --lanes 1"));
    for (int i = 0; i < FRONT_LANES_MAX; i++)
        buf_put(&line, SPAN(",1"));
    assert_int_equal(
        read_line(bench, arena_cstr(&bench->arena, buf_span(&line)), SPAN("workers = 191\n")),
        INVALID);
}

static void a_configuration_that_cannot_be_read_is_refused(void **state)
{
    struct bench *bench = *state;
    static const char line[] = BASE "--loops 1 --lanes 1,2,3,4";
    assert_int_equal(read_line(bench, line, SPAN("workers = many\n")), INVALID);
    assert_int_equal(read_line(bench, line, SPAN("nonsense\n")), INVALID);
    assert_int_equal(read_line(bench,
                               "--channel 3 --config 1000000 --data 5 --control 6 --loops 1 "
                               "--lanes 1,2,3,4",
                               WORKERS),
                     INVALID);
}

/* Cut anywhere it would be read as another configuration. */
static void a_configuration_that_does_not_fit_is_not_cut(void **state)
{
    struct bench *bench = *state;
    struct buf text;
    buf_init_arena(&text, &bench->arena, 1 << 18);
    buf_put(&text, WORKERS);
    while (text.len < 65536)
        buf_put(&text, SPAN("# a comment that makes it longer\n"));
    buf_put(&text, SPAN("token_ttl_seconds = 60\n"));
    assert_int_equal(read_line(bench, BASE "--loops 1 --lanes 1,2,3,4", buf_span(&text)), INVALID);
}

/* --- The channel --- */

static void send_lanes(int fd, char word, const int *fds, size_t count)
{
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(8 * sizeof(int))];
    } control = {0};
    struct iovec data = {.iov_base = &word, .iov_len = 1};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
    if (count > 0) {
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(header), fds, count * sizeof(int));
    }
    assert_int_equal(sendmsg(fd, &message, MSG_NOSIGNAL), 1);
}

static void the_channel_carries_readiness_up_and_lanes_down(void **state)
{
    (void)state;
    int ends[2];
    int pipes[2];
    int received[2] = {-1, -1};
    char words[3] = {0};
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    assert_true(front_channel_tell(ends[0], CHANNEL_FIRST_READY));
    assert_true(front_channel_tell(ends[0], CHANNEL_READY));
    assert_int_equal(recv(ends[1], words, 1, 0), 1);
    assert_int_equal(recv(ends[1], words + 1, 1, 0), 1);
    assert_string_equal(words, "FR");

    send_lanes(ends[1], 'L', pipes, 2);
    assert_int_equal(front_channel_receive(ends[0], received, 2), CHANNEL_LANES);
    assert_int_equal(fcntl(received[0], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(write(received[1], "x", 1), 1);
    assert_int_equal(read(pipes[0], words, 1), 1);
    (void)close(received[0]);
    (void)close(received[1]);

    send_lanes(ends[1], 'G', pipes, 0);
    assert_int_equal(front_channel_receive(ends[0], NULL, 0), CHANNEL_GO);
    send_lanes(ends[1], 'H', pipes, 0);
    assert_int_equal(front_channel_receive(ends[0], received, 2), CHANNEL_HAND_OVER);
    send_lanes(ends[1], 'L', pipes, 0);
    assert_int_equal(front_channel_receive(ends[0], received, 2), CHANNEL_NONE);
    (void)close(ends[1]);
    assert_int_equal(front_channel_receive(ends[0], received, 2), CHANNEL_NONE);
    assert_false(front_channel_tell(ends[0], CHANNEL_READY)); /* and no SIGPIPE */
    (void)close(ends[0]);
    (void)close(pipes[0]);
    (void)close(pipes[1]);
}

static void lanes_of_another_number_are_refused(void **state)
{
    (void)state;
    int ends[2];
    int pipes[2];
    int received[3];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    send_lanes(ends[1], 'L', pipes, 2);
    assert_int_equal(front_channel_receive(ends[0], received, 3), CHANNEL_NONE);
    send_lanes(ends[1], 'L', pipes, 2);
    assert_int_equal(front_channel_receive(ends[0], received, 1), CHANNEL_NONE);
    send_lanes(ends[1], 'X', pipes, 2);
    assert_int_equal(front_channel_receive(ends[0], received, 2), CHANNEL_NONE);
    (void)close(ends[0]);
    (void)close(ends[1]);
    (void)close(pipes[0]);
    (void)close(pipes[1]);
}

#define options_test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        options_test(all_options_are_read),
        options_test(an_offline_front_listens_nowhere),
        options_test(everything_else_is_not_from_postern_serve),
        options_test(more_numbers_than_there_is_room_for_are_refused),
        options_test(a_configuration_that_cannot_be_read_is_refused),
        options_test(a_configuration_that_does_not_fit_is_not_cut),
        cmocka_unit_test(the_channel_carries_readiness_up_and_lanes_down),
        cmocka_unit_test(lanes_of_another_number_are_refused),
    };
    return RUN_TESTS(tests);
}
