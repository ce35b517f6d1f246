/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor/program.h"

#include "supervisor/users.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

enum status program_find(const char *name, char *ret_path, size_t size, struct err *err)
{
    char self[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    if (len > 0) {
        self[len] = '\0';
        char *slash = strrchr(self, '/');
        if (slash != NULL) {
            *slash = '\0';
            int written = snprintf(ret_path, size, "%s/%s", self, name);
            if (written > 0 && (size_t)written < size && access(ret_path, X_OK) == 0)
                return OK;
        }
    }
    int written = snprintf(ret_path, size, "%s/%s", LIBEXECDIR, name);
    if (written > 0 && (size_t)written < size && access(ret_path, X_OK) == 0)
        return OK;
    return fail(err, NOT_FOUND, "the program %s is neither beside postern nor in %s", name,
                LIBEXECDIR);
}

static int open_program(const char *name, struct err *err)
{
    char path[PATH_MAX];
    if (program_find(name, path, sizeof path, err) != OK)
        return -1;
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        (void)fail(err, UNAVAILABLE, "cannot open %s: %s", name, strerror(errno));
    return fd;
}

enum status programs_open(struct programs *ret_programs, struct err *err)
{
    struct programs programs = {.front_fd = open_program("posternd", err), .signer_fd = -1};
    if (programs.front_fd >= 0)
        programs.signer_fd = open_program("postern-signer", err);
    *ret_programs = programs;
    return programs.signer_fd < 0 ? NOT_FOUND : OK;
}

static void become(const struct program *program)
{
    const char *argv[PROGRAM_ARGUMENTS_MAX + 2] = {program->name};
    for (size_t i = 0; program->arguments[i] != NULL; i++)
        argv[i + 1] = program->arguments[i];
    for (size_t i = 0; i < program->fd_count; i++)
        (void)fcntl(program->fds[i], F_SETFD, 0);
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    if (program->user != NULL && user_become(*program->user) != 0)
        _exit(126);
    (void)execveat(program->exe_fd, "", (char *const *)(uintptr_t)argv, environ, AT_EMPTY_PATH);
    _exit(127);
}

pid_t program_start(const struct program *program, struct err *err)
{
    pid_t pid = fork();
    if (pid == 0)
        become(program);
    if (pid < 0)
        (void)fail(err, UNAVAILABLE, "cannot start %s: %s", program->name, strerror(errno));
    return pid;
}
