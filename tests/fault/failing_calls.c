/* SPDX-License-Identifier: Apache-2.0 */
/* A library to put before the C library's (LD_PRELOAD): one call of a running server fails, once.
 *
 * A request tells which: the header "X-Fail: NAME N", seen as its bytes are read, lets the N-th
 * call of NAME from then on fail, in whichever thread; "X-Fail: none 0" takes it back. When it has
 * failed, a line "failing-calls: NAME" goes to standard error.
 *
 * Only what may fail in this way is failed: reading, writing and accepting on sockets, everything
 * on files, memory. libuv ends the process when its own eventfd or epoll fails, which kernels do
 * not do. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum name {
    CALL_NONE,
    CALL_READ,
    CALL_WRITE,
    CALL_RECV,
    CALL_SEND,
    CALL_ACCEPT,
    CALL_PREAD,
    CALL_PWRITE,
    CALL_SYNC,
    CALL_TRUNCATE,
    CALL_OPEN,
    CALL_LOCK,
    CALL_MALLOC,
    CALL_COUNT
};

static const char *const names[CALL_COUNT] = {"none",   "read",  "write",  "recv", "send",
                                              "accept", "pread", "pwrite", "sync", "truncate",
                                              "open",   "lock",  "malloc"};

static _Atomic int armed; /* which; CALL_NONE: none */
static _Atomic long countdown;

static void say(int name)
{
    char line[48];
    int len = snprintf(line, sizeof line, "failing-calls: %s\n", names[name]);
    (void)syscall(SYS_write, STDERR_FILENO, line, (size_t)len);
}

static void arm(const char *bytes, size_t len)
{
    static const char header[] = "X-Fail: ";
    const char *at = memmem(bytes, len, header, sizeof header - 1);
    if (at == NULL)
        return;
    char text[32] = {0};
    size_t rest = len - (size_t)(at - bytes) - (sizeof header - 1);
    memcpy(text, at + sizeof header - 1, rest < sizeof text - 1 ? rest : sizeof text - 1);
    char *space = strchr(text, ' ');
    if (space == NULL)
        return;
    *space = '\0';
    atomic_store(&armed, CALL_NONE);
    if (strcmp(text, names[CALL_NONE]) == 0)
        say(CALL_NONE);
    for (int i = 1; i < CALL_COUNT; i++) {
        if (strcmp(names[i], text) == 0) {
            atomic_store(&countdown, strtol(space + 1, NULL, 10));
            atomic_store(&armed, i);
        }
    }
}

static bool fails(enum name name, int error)
{
    if (atomic_load(&armed) != (int)name || atomic_fetch_sub(&countdown, 1) != 1)
        return false;
    atomic_store(&armed, CALL_NONE);
    say(name);
    errno = error;
    return true;
}

static mode_t kind_of(int fd)
{
    struct stat info;
    return fstat(fd, &info) == 0 ? info.st_mode & S_IFMT : 0;
}

static bool is_file_or_socket(int fd)
{
    mode_t kind = kind_of(fd);
    return kind == S_IFREG || kind == S_IFSOCK;
}

ssize_t read(int fd, void *bytes, size_t size)
{
    if (atomic_load(&armed) == CALL_READ && kind_of(fd) == S_IFSOCK && fails(CALL_READ, ECONNRESET))
        return -1;
    ssize_t got = syscall(SYS_read, fd, bytes, size);
    if (got > 0)
        arm(bytes, (size_t)got);
    return got;
}

ssize_t write(int fd, const void *bytes, size_t size)
{
    if (atomic_load(&armed) == CALL_WRITE && fd > STDERR_FILENO && is_file_or_socket(fd) &&
        fails(CALL_WRITE, EPIPE))
        return -1;
    return syscall(SYS_write, fd, bytes, size);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    if (atomic_load(&armed) == CALL_WRITE && fd > STDERR_FILENO && is_file_or_socket(fd) &&
        fails(CALL_WRITE, EPIPE))
        return -1;
    return syscall(SYS_writev, fd, parts, count);
}

ssize_t recv(int fd, void *bytes, size_t size, int flags)
{
    return fails(CALL_RECV, ECONNRESET) ? -1
                                        : syscall(SYS_recvfrom, fd, bytes, size, flags, NULL, NULL);
}

ssize_t send(int fd, const void *bytes, size_t size, int flags)
{
    return fails(CALL_SEND, EPIPE) ? -1 : syscall(SYS_sendto, fd, bytes, size, flags, NULL, 0);
}

int accept4(int fd, struct sockaddr *address, socklen_t *size, int flags)
{
    return fails(CALL_ACCEPT, EMFILE) ? -1 : (int)syscall(SYS_accept4, fd, address, size, flags);
}

ssize_t pread64(int fd, void *bytes, size_t size, off64_t offset)
{
    return fails(CALL_PREAD, EIO) ? -1 : syscall(SYS_pread64, fd, bytes, size, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset)
{
    return fails(CALL_PWRITE, ENOSPC) ? -1 : syscall(SYS_pwrite64, fd, bytes, size, offset);
}

int fdatasync(int fd)
{
    return fails(CALL_SYNC, EIO) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
    return fails(CALL_SYNC, EIO) ? -1 : (int)syscall(SYS_fsync, fd);
}

int ftruncate64(int fd, off64_t size)
{
    return fails(CALL_TRUNCATE, EIO) ? -1 : (int)syscall(SYS_ftruncate, fd, size);
}

static int open_at(int dir, const char *path, int flags, mode_t mode)
{
    return fails(CALL_OPEN, EMFILE) ? -1 : (int)syscall(SYS_openat, dir, path, flags, mode);
}

static mode_t mode_of(int flags, va_list *rest)
{
    return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(*rest, mode_t) : 0;
}

int open64(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    mode_t mode = mode_of(flags, &rest);
    va_end(rest);
    return open_at(AT_FDCWD, path, flags, mode);
}

int openat64(int dir, const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    mode_t mode = mode_of(flags, &rest);
    va_end(rest);
    return open_at(dir, path, flags, mode);
}

int fcntl64(int fd, int command, ...)
{
    va_list rest;
    va_start(rest, command);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    if (command == F_SETLK && fails(CALL_LOCK, ENOLCK))
        return -1;
    return (int)syscall(SYS_fcntl, fd, command, argument);
}

/* glibc's own, under its other names. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

void *malloc(size_t size)
{
    return fails(CALL_MALLOC, ENOMEM) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return fails(CALL_MALLOC, ENOMEM) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return fails(CALL_MALLOC, ENOMEM) ? NULL : __libc_realloc(old, size);
}
