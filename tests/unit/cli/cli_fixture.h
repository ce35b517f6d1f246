/* SPDX-License-Identifier: Apache-2.0 */
/* A command line that was read, and what a command prints. */
#pragma once

#include "../unit.h"

#include "cli/cli.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PRINTED_MAX = 8192, CLI_ARENA_BYTES = 1 << 20 };

struct cli_fixture {
    struct cli cli;
    char out[PRINTED_MAX]; /* of the last run, NUL-terminated */
    char err[PRINTED_MAX];
};

static inline struct cli_fixture *cli_fixture_new(void)
{
    struct cli_fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    arena_init(&f->cli.arena, CLI_ARENA_BYTES);
    return f;
}

static inline void cli_fixture_free(struct cli_fixture *f)
{
    arena_done(&f->cli.arena);
    free(f);
}

static inline void cli_fixture_option(struct cli_fixture *f, const char *name, const char *value)
{
    f->cli.options[f->cli.option_count++] = (struct cli_option){span_cstr(name), span_cstr(value)};
}

/* A stream goes to a file in memory for a while. */
struct capture {
    FILE *stream;
    int kept_fd;
    int file_fd;
};

static inline struct capture capture_begin(FILE *stream)
{
    struct capture capture = {.stream = stream};
    (void)fflush(stream);
    capture.kept_fd = dup(fileno(stream));
    capture.file_fd = memfd_create("printed", MFD_CLOEXEC);
    assert_true(capture.kept_fd >= 0 && capture.file_fd >= 0);
    assert_true(dup2(capture.file_fd, fileno(stream)) >= 0);
    return capture;
}

static inline void capture_end(const struct capture *capture, char text[static PRINTED_MAX])
{
    (void)fflush(capture->stream);
    assert_true(dup2(capture->kept_fd, fileno(capture->stream)) >= 0);
    ssize_t len = pread(capture->file_fd, text, PRINTED_MAX - 1, 0);
    assert_true(len >= 0);
    text[len] = '\0';
    (void)close(capture->kept_fd);
    (void)close(capture->file_fd);
}

/* Runs what prints: result is an expression. */
#define CAPTURED(f, result)                                                                        \
    __extension__({                                                                                \
        struct capture captured_out_ = capture_begin(stdout);                                      \
        struct capture captured_err_ = capture_begin(stderr);                                      \
        int captured_result_ = (result);                                                           \
        capture_end(&captured_err_, (f)->err);                                                     \
        capture_end(&captured_out_, (f)->out);                                                     \
        captured_result_;                                                                          \
    })
