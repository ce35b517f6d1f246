/* SPDX-License-Identifier: Apache-2.0 */
/* A library to put before the C library's (LD_PRELOAD): one call of a running server fails, once.
 *
 * Which one stands in a file that the test writes, named by FAILING_CALLS and mapped here before
 * the program confines itself: `struct order` below. The N-th call of that name from then on fails,
 * in whichever thread of the program; has_failed tells that it has.
 *
 * Only what may fail in this way is failed: reading, writing and accepting on sockets, everything
 * on files, memory. libuv ends the process when its own eventfd or epoll fails, which kernels do
 * not do. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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
};

enum program { OTHER, FRONT, SIGNER };

/* The file's bytes; the test writes name last. */
struct order {
    _Atomic int32_t program;
    _Atomic int32_t name;
    _Atomic int64_t countdown;
    _Atomic int32_t has_failed;
    int32_t unused;
};

static struct order *order; /* NULL: in a program that is not tested */
static enum program self;

__attribute__((constructor)) static void map_order(void)
{
    const char *path = getenv("FAILING_CALLS");
    self = strcmp(program_invocation_short_name, "posternd") == 0         ? FRONT
           : strcmp(program_invocation_short_name, "postern-signer") == 0 ? SIGNER
                                                                          : OTHER;
    if (path == NULL || self == OTHER)
        return;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
    void *page =
        fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *order, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED) {
        perror("failing-calls");
        _exit(1);
    }
    (void)syscall(SYS_close, fd);
    order = page;
}

static bool is_ordered(enum name name)
{
    return order != NULL && atomic_load(&order->name) == (int32_t)name &&
           atomic_load(&order->program) == (int32_t)self;
}

static bool fails(enum name name, int error)
{
    if (!is_ordered(name) || atomic_fetch_sub(&order->countdown, 1) != 1)
        return false;
    atomic_store(&order->name, CALL_NONE);
    atomic_store(&order->has_failed, 1);
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
    if (is_ordered(CALL_READ) && kind_of(fd) == S_IFSOCK && fails(CALL_READ, ECONNRESET))
        return -1;
    return syscall(SYS_read, fd, bytes, size);
}

ssize_t write(int fd, const void *bytes, size_t size)
{
    if (is_ordered(CALL_WRITE) && fd > STDERR_FILENO && is_file_or_socket(fd) &&
        fails(CALL_WRITE, EPIPE))
        return -1;
    return syscall(SYS_write, fd, bytes, size);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    if (is_ordered(CALL_WRITE) && fd > STDERR_FILENO && is_file_or_socket(fd) &&
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
