/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/sandbox_internal.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <termios.h>
#include <unistd.h>

enum { FRONT = 1 << SANDBOX_FRONT, SIGNER = 1 << SANDBOX_SIGNER, BOTH = FRONT | SIGNER };

/* A call that one or both programs make. `open` and its like reach no further than Landlock lets
 * them, where the kernel has it. */
struct allowed {
    int call;
    unsigned who;
};

#define CALL(name) SCMP_SYS(name)

static const struct allowed allowed[] = {
    /* memory and threads: malloc, pthread */
    {CALL(brk), BOTH},
    {CALL(munmap), BOTH},
    {CALL(mremap), BOTH},
    {CALL(madvise), BOTH},
    {CALL(futex), BOTH},
    {CALL(set_robust_list), BOTH},
    {CALL(rseq), BOTH},
    {CALL(sched_yield), BOTH},
    {CALL(sched_getaffinity), BOTH},
    {CALL(exit), BOTH},
    {CALL(exit_group), BOTH},
    {CALL(restart_syscall), BOTH},
    {CALL(rt_sigaction), BOTH},
    {CALL(rt_sigprocmask), BOTH},
    {CALL(rt_sigreturn), BOTH},
    {CALL(sigaltstack), BOTH},
    /* who and when */
    {CALL(getpid), BOTH},
    {CALL(gettid), BOTH},
    {CALL(getrandom), BOTH},
    {CALL(clock_gettime), BOTH},
    {CALL(clock_getres), BOTH},
    {CALL(clock_nanosleep), BOTH},
    {CALL(gettimeofday), BOTH},
    {CALL(nanosleep), BOTH},
    {CALL(time), BOTH},
    {CALL(getcpu), FRONT},
    {CALL(getppid), FRONT},
    {CALL(getuid), FRONT},
    {CALL(geteuid), FRONT},
    {CALL(getgid), FRONT},
    {CALL(getegid), FRONT},
    {CALL(getrusage), FRONT},
    {CALL(sysinfo), FRONT},
    {CALL(uname), FRONT},
    /* descriptors that are open */
    {CALL(close), BOTH},
    {CALL(read), BOTH},
    {CALL(write), BOTH},
    {CALL(readv), FRONT},
    {CALL(writev), BOTH},
    {CALL(pread64), BOTH},
    {CALL(poll), BOTH},
    {CALL(ppoll), BOTH},
    {CALL(fcntl), BOTH},
    {CALL(fstat), BOTH},
    {CALL(lseek), BOTH},
    {CALL(dup), FRONT},
    {CALL(eventfd2), FRONT},
    {CALL(pipe2), FRONT},
    {CALL(epoll_create1), FRONT},
    {CALL(epoll_ctl), FRONT},
    {CALL(epoll_wait), FRONT},
    {CALL(epoll_pwait), FRONT},
    /* sockets that are open: the lanes between the programs, and connections */
    {CALL(shutdown), BOTH},
    {CALL(recvfrom), BOTH},
    {CALL(recvmsg), BOTH},
    {CALL(sendmsg), BOTH},
    {CALL(accept4), FRONT},
    {CALL(getsockname), FRONT},
    {CALL(getpeername), FRONT},
    {CALL(getsockopt), FRONT},
    {CALL(setsockopt), FRONT},
    /* files: SQLite and the event log */
    {CALL(open), FRONT},
    {CALL(openat), FRONT},
    {CALL(access), FRONT},
    {CALL(faccessat), FRONT},
    {CALL(stat), FRONT},
    {CALL(lstat), FRONT},
    {CALL(newfstatat), FRONT},
    {CALL(fstatfs), FRONT},
    {CALL(getdents64), FRONT},
    {CALL(mkdir), FRONT},
    {CALL(mkdirat), FRONT},
    {CALL(unlink), FRONT},
    {CALL(unlinkat), FRONT},
    {CALL(pwrite64), FRONT},
    {CALL(pwritev), FRONT},
    {CALL(ftruncate), FRONT},
    {CALL(fallocate), FRONT},
    {CALL(fsync), FRONT},
    {CALL(fdatasync), FRONT},
    {CALL(fadvise64), FRONT},
    {CALL(fchown), FRONT}, /* SQLite as root gives its files to the database's owner */
};

/* Neither program ever makes one of these: who does has been taken over. */
static const int fatal[] = {
    CALL(execve),      CALL(execveat),
    CALL(fork),        CALL(vfork),
    CALL(ptrace),      CALL(process_vm_readv),
    CALL(socket),      CALL(process_vm_writev),
    CALL(connect),     CALL(bind),
    CALL(bpf),         CALL(unshare),
    CALL(setns),       CALL(mount),
    CALL(pidfd_getfd), CALL(open_by_handle_at),
};

static const int for_sanitizers[] = {
    CALL(clone),
    CALL(clone3),
    CALL(ptrace),
    CALL(wait4),
    CALL(kill),
    CALL(tgkill),
    CALL(mmap),
    CALL(mprotect),
    CALL(prctl),
    CALL(open),
    CALL(openat),
    CALL(stat),
    CALL(newfstatat),
    CALL(readlink),
    CALL(readlinkat),
    CALL(getdents),
    CALL(getdents64),
    CALL(getuid),
    CALL(personality),
    CALL(getrusage),
    CALL(mkdir),
    CALL(prlimit64),
    CALL(getrlimit),
    CALL(mincore),
    CALL(process_vm_readv),
    CALL(pipe2),
    CALL(getppid),
    CALL(sched_getparam),
    CALL(access),
    CALL(rename),
    CALL(unlink),
};

/* ioctl requests: a descriptor's flags, bytes that wait, and whether the log goes to a terminal. */
static const unsigned long ioctls[] = {FIONBIO, FIOCLEX, FIONREAD, TCGETS};

/* A rule that stands there already is no failure. */
static void keep_first(int *result, int code)
{
    if (*result == 0 && code != -EEXIST)
        *result = code;
}

/* Calls of which a part is allowed only, by their arguments. */
static int allow_in_part(scmp_filter_ctx filter)
{
    const uint32_t allow = SCMP_ACT_ALLOW;
    const scmp_datum_t thread = CLONE_VM | CLONE_THREAD;
    int result = 0;
    /* Memory that is data never becomes code. */
    keep_first(&result, seccomp_rule_add(filter, allow, CALL(mmap), 1,
                                         SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)));
    keep_first(&result, seccomp_rule_add(filter, allow, CALL(mprotect), 1,
                                         SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)));
    /* A thread, not a process. clone3, whose flags a filter cannot see, does not exist: glibc then
     * takes this one. */
    keep_first(&result, seccomp_rule_add(filter, allow, CALL(clone), 1,
                                         SCMP_A0_64(SCMP_CMP_MASKED_EQ, thread, thread)));
    keep_first(&result, seccomp_rule_add(filter, allow, CALL(tgkill), 1, /* abort() */
                                         SCMP_A0_64(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0)));
    keep_first(&result, seccomp_rule_add(filter, allow, CALL(prctl), 1,
                                         SCMP_A0_64(SCMP_CMP_EQ, PR_SET_NAME, 0)));
    /* send(), which names no address. */
    keep_first(&result,
               seccomp_rule_add(filter, allow, CALL(sendto), 1, SCMP_A4_64(SCMP_CMP_EQ, 0, 0)));
    /* Limits of this process may be read, not set. */
    keep_first(&result,
               seccomp_rule_add(filter, allow, CALL(prlimit64), 2, SCMP_A0_64(SCMP_CMP_EQ, 0, 0),
                                SCMP_A2_64(SCMP_CMP_EQ, 0, 0)));
    for (size_t i = 0; i < ARRAY_LEN(ioctls); i++)
        keep_first(&result, seccomp_rule_add(filter, allow, CALL(ioctl), 1,
                                             SCMP_A1_64(SCMP_CMP_EQ, ioctls[i], 0)));
    return result;
}

static bool is_for_sanitizers(int call)
{
    for (size_t i = 0; PROCESS_IS_SANITIZED && i < ARRAY_LEN(for_sanitizers); i++) {
        if (for_sanitizers[i] == call)
            return true;
    }
    return false;
}

static int add_rules(scmp_filter_ctx filter, enum sandbox_profile profile)
{
    int result = allow_in_part(filter);
    for (size_t i = 0; i < ARRAY_LEN(allowed); i++) {
        if ((allowed[i].who & (1U << profile)) != 0)
            keep_first(&result, seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i].call, 0));
    }
    for (size_t i = 0; i < ARRAY_LEN(fatal); i++) {
        if (!is_for_sanitizers(fatal[i]))
            keep_first(&result, seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, fatal[i], 0));
    }
    for (size_t i = 0; PROCESS_IS_SANITIZED && i < ARRAY_LEN(for_sanitizers); i++)
        keep_first(&result, seccomp_rule_add(filter, SCMP_ACT_ALLOW, for_sanitizers[i], 0));
    return result;
}

enum status sandbox_filter(enum sandbox_profile profile, struct err *err)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    if (filter == NULL)
        return fail(err, NO_MEMORY, "no memory for the system call filter");
    int result = add_rules(filter, profile);
    keep_first(&result, seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2)); /* a binary tree */
    keep_first(&result, seccomp_load(filter));
    seccomp_release(filter);
    return result == 0 ? OK
                       : fail(err, UNAVAILABLE,
                              "the system call filter does not load: %s; sandbox = off does "
                              "without",
                              strerror(-result));
}
