/* SPDX-License-Identifier: Apache-2.0 */
/* Starting the other two programs: found beside this one, else in libexecdir. They are opened once,
 * so that one run of the supervisor starts one version of them, whatever is installed meanwhile. */
#pragma once

#include "base/attr.h"
#include "base/status.h"

#include <sys/types.h>

struct user;

enum { PROGRAM_ARGUMENTS_MAX = 32 };

struct programs {
    int front_fd; /* O_PATH */
    int signer_fd;
};

enum status programs_open(struct programs *ret_programs, struct err *err) MUST_USE;

/* What a child gets: arguments, and the descriptors that stay open in it. Everything else is
 * close-on-exec. */
struct program {
    const char *name; /* "posternd" */
    int exe_fd;
    const char *arguments[PROGRAM_ARGUMENTS_MAX]; /* after argv[0], NULL-terminated */
    const int *fds;
    size_t fd_count;
    const struct user *user; /* NULL: this process's */
};

/* Forks and executes; the child's signal mask is empty. -1 with err when it cannot be started. */
pid_t program_start(const struct program *program, struct err *err) MUST_USE;

/* The path of a program of ours. */
enum status program_find(const char *name, char *ret_path, size_t size, struct err *err) MUST_USE;
