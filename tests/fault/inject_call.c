/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a running process try a system call, as somebody who has taken it over would: stops it,
 * points it at a system call instruction of its own with other registers, and tells what came of
 * it.
 *
 *   inject-call PID exec|ptrace|socket|connect|open|list|mmap
 *
 * Prints "killed SIGNAL" when the process ended at it, "refused ERRNO", or "done RESULT". Needs the
 * right to trace PID. Exit status: 0, 1 when it could not be tried, 77 on a machine that it does
 * not know (only x86-64's registers are). */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#if defined(__x86_64__)

enum { RED_ZONE_BYTES = 128, ROOM_BYTES = 512, TRIES_MAX = 16 };

struct call {
    const char *name;
    long number;
    unsigned long arguments[6];
    const char *text; /* put into the process's memory; its address is argument number text_at */
    size_t text_len;
    size_t text_at;
};

static const char address[16] = {AF_INET, 0, 0, 9, 127, 0, 0, 1}; /* a sockaddr_in */

static const struct call calls[] = {
    {"exec", SYS_execve, {0}, "/bin/true", sizeof "/bin/true", 0},
    {"ptrace", SYS_ptrace, {PTRACE_TRACEME}, NULL, 0, 0},
    {"socket", SYS_socket, {AF_INET, SOCK_STREAM, 0}, NULL, 0, 0},
    {"connect", SYS_connect, {0, 0, sizeof address}, address, sizeof address, 1},
    {"open",
     SYS_openat,
     {(unsigned long)AT_FDCWD, 0, O_RDONLY},
     "/etc/passwd",
     sizeof "/etc/passwd",
     1},
    {"list", SYS_openat, {(unsigned long)AT_FDCWD, 0, O_RDONLY | O_DIRECTORY}, "/", sizeof "/", 1},
    {"mmap",
     SYS_mmap,
     {0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, (unsigned long)-1},
     NULL,
     0,
     0},
};

static int give_up(const char *what)
{
    (void)fprintf(stderr, "inject-call: %s: %s\n", what, strerror(errno));
    return 1;
}

static int write_memory(pid_t pid, unsigned long to, const void *from, size_t len)
{
    /* ptrace, unlike process_vm_writev, does not mind which pages may be written. */
    for (size_t i = 0; i < len; i += sizeof(long)) {
        long word = 0;
        size_t part = len - i < sizeof word ? len - i : sizeof word;
        memcpy(&word, (const char *)from + i, part);
        if (ptrace(PTRACE_POKEDATA, pid, (void *)(to + i), (void *)word) != 0)
            return -1;
    }
    return 0;
}

/* One step into and over the call. waitpid()'s status. */
static int step(pid_t pid)
{
    int status = -1;
    if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) != 0 || waitpid(pid, &status, __WALL) != pid)
        return -1;
    return status;
}

static int try_call(pid_t pid, const struct call *call)
{
    struct user_regs_struct before;
    struct user_regs_struct regs;
    unsigned long arguments[6];
    int status = -1;
    if (ptrace(PTRACE_ATTACH, pid, NULL, NULL) != 0 || waitpid(pid, &status, __WALL) != pid)
        return give_up("attach");
    if (ptrace(PTRACE_GETREGS, pid, NULL, &before) != 0)
        return give_up("registers");
    /* It waits in a system call: the instruction stands before the next one. */
    errno = 0;
    long code = ptrace(PTRACE_PEEKTEXT, pid, (void *)(before.rip - 2), NULL);
    if (errno != 0 || (code & 0xffff) != 0x050f)
        return give_up("the process does not wait in a system call");
    unsigned long room = (before.rsp - RED_ZONE_BYTES - ROOM_BYTES) & ~15UL;
    memcpy(arguments, call->arguments, sizeof arguments);
    if (call->text != NULL) {
        arguments[call->text_at] = room;
        if (write_memory(pid, room, call->text, call->text_len) != 0)
            return give_up("memory");
    }
    regs = before;
    regs.rip -= 2;
    regs.rax = (unsigned long)call->number;
    regs.orig_rax = (unsigned long)-1; /* do not begin the interrupted call again */
    regs.rdi = arguments[0];
    regs.rsi = arguments[1];
    regs.rdx = arguments[2];
    regs.r10 = arguments[3];
    regs.r8 = arguments[4];
    regs.r9 = arguments[5];
    if (ptrace(PTRACE_SETREGS, pid, NULL, &regs) != 0)
        return give_up("registers");
    for (int i = 0; i < TRIES_MAX; i++) {
        status = step(pid);
        if (WIFSIGNALED(status)) {
            (void)printf("killed %s\n",
                         WTERMSIG(status) == SIGSYS ? "SIGSYS" : "by another signal");
            return 0;
        }
        if (!WIFSTOPPED(status) || ptrace(PTRACE_GETREGS, pid, NULL, &regs) != 0)
            return give_up("step");
        if (regs.rip == before.rip)
            break;
    }
    long result = (long)regs.rax;
    (void)ptrace(PTRACE_SETREGS, pid, NULL, &before);
    (void)ptrace(PTRACE_DETACH, pid, NULL, NULL);
    if (result < 0 && result > -4096)
        (void)printf("refused %s\n", strerrorname_np((int)-result));
    else
        (void)printf("done %ld\n", result);
    return 0;
}

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 3 && i < sizeof calls / sizeof calls[0]; i++) {
        if (strcmp(argv[2], calls[i].name) == 0)
            return try_call((pid_t)strtol(argv[1], NULL, 10), &calls[i]);
    }
    (void)fputs("usage: inject-call PID exec|ptrace|socket|connect|open|list|mmap\n", stderr);
    return 1;
}

#else

int main(void)
{
    return 77;
}

#endif
