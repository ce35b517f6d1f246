/* SPDX-License-Identifier: Apache-2.0 */
/* The real postern-signer, started as the supervisor starts it: lanes, key and configuration as
 * open descriptors. */
#include "jose/jwk.h"
#include "jose/jwt.h"
#include "signing/signing.h"

#include "../unit.h"
#include "signer_bench.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LANES = 3, CALL_MS = 60000, ARENA_BYTES = 1 << 20, ARGUMENTS_MAX = 8 };

/* At these numbers in the child. */
enum { KEK_FD = 20, CONFIG_FD = 21, LANE_FD = 30 };

struct program {
    pid_t pid;
    int lanes[LANES]; /* our ends */
    struct arena arena;
};

/* The programs are directly in the build folder, this test in a folder of tests/. */
static void find_program(char *path, size_t size)
{
    ssize_t len = readlink("/proc/self/exe", path, size - 1);
    assert_true(len > 0);
    path[len] = '\0';
    char *tests = strstr(path, "/tests/unit/");
    assert_non_null(tests);
    (void)snprintf(tests, size - (size_t)(tests - path), "/postern-signer");
}

static int file_with(const char *bytes, size_t len)
{
    int fd = memfd_create("input", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), len);
    return fd; /* at its end: the signer must read from the start */
}

/* Descriptors move above the numbers they get first, so that none is overwritten on the way. */
static void place(int fd, int number)
{
    int high = fcntl(fd, F_DUPFD_CLOEXEC, 100);
    if (high < 0 || dup2(high, number) != number)
        _exit(99);
}

struct inputs {
    size_t kek_len;
    const char *config;
    const char *options; /* separated by single blanks */
};

static const struct inputs good = {.kek_len = 32,
                                   .config = "public_url = " ISSUER "\nlog_format = json\n",
                                   .options = "--lanes 30,31,32 --kek 20 --config 21"};

static void run_program(const char *path, const char *options)
{
    char text[256];
    char *argv[ARGUMENTS_MAX + 2] = {text};
    size_t count = 0;
    (void)snprintf(text, sizeof text, "postern-signer %s", options);
    for (char *at = text; at != NULL && count <= ARGUMENTS_MAX; count++) {
        argv[count] = at;
        at = strchr(at, ' ');
        if (at != NULL)
            *at++ = '\0';
    }
    (void)execv(path, argv);
    _exit(98);
}

static void start(struct program *program, const struct inputs *inputs)
{
    static const char kek[33] = "a key-encryption key of 32 bytes";
    char path[4096];
    int theirs[LANES];
    find_program(path, sizeof path);
    int kek_fd = file_with(kek, inputs->kek_len);
    int config_fd = file_with(inputs->config, strlen(inputs->config));
    for (int i = 0; i < LANES; i++) {
        int fds[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        program->lanes[i] = fds[0];
        theirs[i] = fds[1];
    }
    program->pid = fork();
    assert_true(program->pid >= 0);
    if (program->pid == 0) {
        place(kek_fd, KEK_FD);
        place(config_fd, CONFIG_FD);
        for (int i = 0; i < LANES; i++)
            place(theirs[i], LANE_FD + i);
        run_program(path, inputs->options);
    }
    for (int i = 0; i < LANES; i++)
        (void)close(theirs[i]);
    (void)close(kek_fd);
    (void)close(config_fd);
    arena_init(&program->arena, ARENA_BYTES);
}

/* The exit code; 128 + signal when one ended it. */
static int end_of(struct program *program)
{
    int status;
    assert_int_equal(waitpid(program->pid, &status, 0), program->pid);
    arena_done(&program->arena);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static enum status ask(void *context, const struct signing_request *request, struct arena *arena,
                       struct signing_reply *ret_reply)
{
    return signing_call(context, request, CALL_MS, arena, ret_reply, NULL);
}

static void close_lanes(const struct program *program, int first)
{
    for (int i = first; i < LANES; i++)
        (void)close(program->lanes[i]);
}

static void it_issues_a_token_and_ends_with_its_lanes(void **state)
{
    (void)state;
    struct program program;
    start(&program, &good);
    struct signing_lane *lane = signing_lane_new(program.lanes[0], true);
    struct signing_lane *second = signing_lane_new(program.lanes[1], true);
    struct bench bench = {.ask = ask, .context = lane};
    struct signing_reply reply;
    struct jwt_claims claims;
    struct err err = {0};
    struct jwk *key;
    arena_init(&bench.arena, ARENA_BYTES);
    bench_load_keys(&bench, SPAN("RS256"));
    const struct principal client = bench_client(&bench);
    const struct signing_request request = bench_token(&bench, &client);
    /* Keys loaded over one lane serve all. */
    assert_int_equal(signing_call(second, &request, CALL_MS, &bench.arena, &reply, &err), OK);

    struct jwks *set = jwks_new();
    assert_int_equal(jwk_parse(bench.public_jwk, JOSE_RS256, &key, &err), OK);
    assert_int_equal(jwks_add(set, key), OK);
    struct jws jws;
    assert_int_equal(jws_split(reply.token.token, &bench.arena, &jws, &err), OK);
    assert_int_equal(jwt_claims_parse(jws.payload, &bench.arena, &claims, &err), OK);
    const struct jwt_rules rules = {
        .issuer = SPAN(ISSUER), .audience = SPAN(AUDIENCE), .now = claims.issued_at};
    assert_int_equal(
        jwt_access_token_check(reply.token.token, set, &rules, &bench.arena, &claims, &err), OK);
    jwks_free(set);

    signing_lane_free(lane);
    signing_lane_free(second);
    close_lanes(&program, 2);
    assert_int_equal(end_of(&program), 0);
    arena_done(&bench.arena);
}

static void it_lives_while_one_lane_lives(void **state)
{
    (void)state;
    struct program program;
    start(&program, &good);
    struct signing_reply reply;
    const struct signing_request ping = {.op = SIGNING_PING};
    struct signing_lane *lane = signing_lane_new(program.lanes[0], true);
    close_lanes(&program, 1);
    assert_int_equal(signing_call(lane, &ping, CALL_MS, &program.arena, &reply, NULL), OK);
    signing_lane_free(lane);
    assert_int_equal(end_of(&program), 0);
}

static void sigterm_ends_it_and_sigint_does_not(void **state)
{
    (void)state;
    struct program program;
    start(&program, &good);
    struct signing_reply reply;
    const struct signing_request ping = {.op = SIGNING_PING};
    struct signing_lane *lane = signing_lane_new(program.lanes[0], true);
    /* The first answer says that the signals are taken care of. */
    assert_int_equal(signing_call(lane, &ping, CALL_MS, &program.arena, &reply, NULL), OK);
    assert_int_equal(kill(program.pid, SIGINT), 0);
    assert_int_equal(kill(program.pid, SIGHUP), 0);
    assert_int_equal(signing_call(lane, &ping, CALL_MS, &program.arena, &reply, NULL), OK);
    assert_int_equal(kill(program.pid, SIGTERM), 0);
    assert_int_equal(end_of(&program), 0);
    arena_init(&program.arena, ARENA_BYTES);
    assert_int_equal(signing_call(lane, &ping, CALL_MS, &program.arena, &reply, NULL), UNAVAILABLE);
    arena_done(&program.arena);
    signing_lane_free(lane);
    close_lanes(&program, 1);
}

static void a_peer_that_breaks_the_protocol_ends_it_with_failure(void **state)
{
    (void)state;
    struct program program;
    start(&program, &good);
    assert_int_equal(send(program.lanes[1], "nonsense", 8, MSG_NOSIGNAL), 8);
    assert_int_equal(end_of(&program), 1);
    close_lanes(&program, 0);
}

static void what_it_is_started_with_must_be_right(void **state)
{
    (void)state;
    static const struct inputs cases[] = {
        {31, "public_url = " ISSUER "\n", "--lanes 30,31,32 --kek 20 --config 21"},
        {33, "public_url = " ISSUER "\n", "--lanes 30,31,32 --kek 20 --config 21"},
        {32, "", "--lanes 30,31,32 --kek 20 --config 21"},
        {32, "no_such_key = 1\n", "--lanes 30,31,32 --kek 20 --config 21"},
        {32, "public_url = " ISSUER "\n", "--kek 20 --config 21"},
        {32, "public_url = " ISSUER "\n", "--lanes 30,x --kek 20 --config 21"},
        {32, "public_url = " ISSUER "\n", "--lanes 30 --kek 20"},
        {32, "public_url = " ISSUER "\n", "--lanes 30 --kek 20 --config"},
        {32, "public_url = " ISSUER "\n", "--help now"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct program program;
        start(&program, &cases[i]);
        assert_int_equal(end_of(&program), 2);
        close_lanes(&program, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_issues_a_token_and_ends_with_its_lanes),
        cmocka_unit_test(it_lives_while_one_lane_lives),
        cmocka_unit_test(sigterm_ends_it_and_sigint_does_not),
        cmocka_unit_test(a_peer_that_breaks_the_protocol_ends_it_with_failure),
        cmocka_unit_test(what_it_is_started_with_must_be_right),
    };
    return RUN_TESTS(tests);
}
