/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor/data_dir.h"

#include "base/clock.h"
#include "base/random.h"
#include "base/span.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

enum {
    SHOWN_LEN_MAX = 44, /* of a path in a message */
    KEK_BYTES = 32,
    LOCK_WAIT_MS = 10000,
    LOCK_TURN_MS = 60000, /* commands that came at once take turns */
    LOCK_GRACE_MS = 200,
    LOCK_POLL_MS = 20,
    LOCK_TEXT_MAX = 40,
    CONTROL_BACKLOG = 128
};

/* The end of a path says more than its beginning. */
static struct span shown(struct span path)
{
    return path.len <= SHOWN_LEN_MAX ? path : span_from(path, path.len - SHOWN_LEN_MAX);
}

static enum status fail_unmade(struct span path, struct err *err)
{
    return fail(err, NOT_FOUND,
                "%.*s was never initialised: start `postern serve`, or name another with --data",
                SPAN_FMT(shown(path)));
}

static enum status open_directory(struct span path, bool initialise, int *ret_fd, struct err *err)
{
    char name[PATH_MAX];
    if (path.len == 0 || path.len >= sizeof name)
        return fail(err, INVALID, "the data directory's path is empty or too long");
    memcpy(name, path.ptr, path.len);
    name[path.len] = '\0';
    if (initialise && mkdir(name, 0700) != 0 && errno != EEXIST)
        return fail(err, NOT_FOUND, "cannot make the data directory %.*s: %s",
                    SPAN_FMT(shown(path)), strerror(errno));
    int fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail(err, NOT_FOUND, "cannot open the data directory %.*s: %s",
                    SPAN_FMT(shown(path)), strerror(errno));
    *ret_fd = fd;
    return OK;
}

/* Others who may write in the directory could put their own files in the place of ours. With the
 * sticky bit they cannot take ours away. */
static enum status check_mode(int fd, struct span path, struct err *err)
{
    struct stat info;
    if (fstat(fd, &info) != 0)
        return fail(err, UNAVAILABLE, "cannot look at the data directory: %s", strerror(errno));
    bool is_open_to_all = (info.st_mode & 0002) != 0;
    bool is_open_to_group = (info.st_mode & 0020) != 0 && (info.st_mode & S_ISVTX) == 0;
    if (is_open_to_all || is_open_to_group)
        return fail(err, FORBIDDEN,
                    "others may write in the directory %.*s: chmod go-w it, or name another with "
                    "--data",
                    SPAN_FMT(shown(path)));
    return OK;
}

static bool exists(int dir_fd, const char *name)
{
    return faccessat(dir_fd, name, F_OK, 0) == 0;
}

/* What a first start that was interrupted may have left: no proof that a directory is ours. */
static bool is_remains(const char *name)
{
    static const char *const names[] = {".", "..", "lost+found", "lock", "keys", "control.sock"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    return false;
}

/* A directory with files in it, and no server's database or key, was hardly meant. */
static enum status check_content(int fd, struct span path, struct err *err)
{
    int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = copy < 0 ? NULL : fdopendir(copy);
    if (listing == NULL) {
        if (copy >= 0)
            (void)close(copy);
        return fail(err, UNAVAILABLE, "cannot list the data directory: %s", strerror(errno));
    }
    bool has_ours = exists(fd, "postern.db") || exists(fd, "keys/kek");
    bool has_others = false;
    const struct dirent *entry;
    while ((entry = readdir(listing)) != NULL)
        has_others |= !is_remains(entry->d_name);
    (void)closedir(listing);
    if (has_others && !has_ours)
        return fail(err, CONFLICT,
                    "the directory %.*s holds other files and no server's: name an empty one with "
                    "--data",
                    SPAN_FMT(shown(path)));
    return OK;
}

/* The process that wrote itself into the lock. */
static long holder_of(int lock_fd)
{
    char text[LOCK_TEXT_MAX] = {0};
    const char *number = pread(lock_fd, text, sizeof text - 1, 0) > 0 ? strchr(text, ' ') : NULL;
    return number == NULL ? 0 : strtol(number, NULL, 10);
}

/* Is the lock held by an offline command, which will be gone soon? */
static bool is_held_offline(int lock_fd)
{
    char word[8] = {0};
    return pread(lock_fd, word, sizeof word, 0) > 0 && strncmp(word, "offline", 7) == 0;
}

static enum status take_lock(int dir_fd, struct span path, bool is_offline, int *ret_fd,
                             struct err *err)
{
    /* Offline, a directory that no server ever had is left as it is. */
    int make = is_offline ? 0 : O_CREAT;
    int fd = openat(dir_fd, "lock", O_RDWR | make | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 && errno == ENOENT)
        return fail_unmade(path, err);
    if (fd < 0)
        return fail(err, FORBIDDEN, "cannot open the lock in the data directory: %s",
                    strerror(errno));
    int64_t began_at = clock_monotonic_ms();
    int64_t brief_at = began_at; /* when an offline command was last seen to hold it */
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        const struct timespec pause = {.tv_nsec = LOCK_POLL_MS * 1000000L};
        int64_t now = clock_monotonic_ms();
        if (is_held_offline(fd))
            brief_at = now;
        /* A new holder writes its word a moment after it has the lock: until then it may be of
         * either kind, so a server's time counts from when it was first taken for one. */
        if (now - began_at > (is_offline ? LOCK_TURN_MS : LOCK_WAIT_MS) ||
            now - brief_at > (is_offline ? LOCK_WAIT_MS : LOCK_GRACE_MS)) {
            long holder = holder_of(fd);
            (void)close(fd);
            return fail(err, CONFLICT,
                        "process %ld already serves %.*s: end it, or name another directory with "
                        "--data",
                        holder, SPAN_FMT(shown(path)));
        }
        (void)nanosleep(&pause, NULL);
    }
    char word[LOCK_TEXT_MAX];
    int len =
        snprintf(word, sizeof word, "%s %ld\n", is_offline ? "offline" : "serving", (long)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, word, (size_t)len, 0) < 0) {
        (void)close(fd);
        return fail(err, UNAVAILABLE, "cannot write in the data directory: %s", strerror(errno));
    }
    *ret_fd = fd;
    return OK;
}

/* Written whole under another name, made durable, then given its name: a key is there or it is not.
 */
static enum status make_kek(int dir_fd, struct err *err)
{
    unsigned char key[KEK_BYTES];
    if (mkdirat(dir_fd, "keys", 0700) != 0 && errno != EEXIST)
        return fail(err, UNAVAILABLE, "cannot make keys/ in the data directory: %s",
                    strerror(errno));
    int keys_fd = openat(dir_fd, "keys", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    int fd =
        openat(keys_fd, "kek.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    random_bytes(key, sizeof key);
    bool is_made = fd >= 0 && write(fd, key, sizeof key) == (ssize_t)sizeof key && fsync(fd) == 0 &&
                   renameat(keys_fd, "kek.new", keys_fd, "kek") == 0 && fsync(keys_fd) == 0 &&
                   fsync(dir_fd) == 0;
    int error = errno;
    explicit_bzero(key, sizeof key);
    if (fd >= 0)
        (void)close(fd);
    if (keys_fd >= 0)
        (void)close(keys_fd);
    return is_made
               ? OK
               : fail(err, UNAVAILABLE, "cannot make the key-encryption key: %s", strerror(error));
}

static enum status open_kek(int dir_fd, int *ret_fd, struct err *err)
{
    struct stat info;
    int fd = openat(dir_fd, "keys/kek", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &info) != 0)
        return fail(err, CORRUPT, "cannot open keys/kek in the data directory: %s",
                    strerror(errno));
    if (!S_ISREG(info.st_mode) || info.st_size != KEK_BYTES) {
        (void)close(fd);
        return fail(err, CORRUPT, "keys/kek is not a key-encryption key: it must have 32 bytes");
    }
    if ((info.st_mode & 077) != 0) {
        (void)close(fd);
        return fail(err, FORBIDDEN,
                    "keys/kek can be read by others: chmod 600 it, and consider it exposed");
    }
    *ret_fd = fd;
    return OK;
}

static enum status open_key(int dir_fd, struct span path, bool initialise, int *ret_fd,
                            struct err *err)
{
    bool has_database = exists(dir_fd, "postern.db");
    if (!exists(dir_fd, "keys/kek")) {
        if (has_database)
            return fail(
                err, CORRUPT,
                "keys/kek is missing, and the database cannot be read without it: restore it");
        if (!initialise)
            return fail_unmade(path, err);
        enum status status = make_kek(dir_fd, err);
        if (status != OK)
            return status;
    } else if (!has_database && !initialise) {
        return fail_unmade(path, err);
    }
    return open_kek(dir_fd, ret_fd, err);
}

#define LOCKS "SQLite's locks and shared memory may not hold there, and writes be lost"

static const struct data_dir_doubt doubts[] = {
    {NFS_SUPER_MAGIC, "NFS", LOCKS, true},
    {0x517B, "SMB", LOCKS, true}, /* SMB_SUPER_MAGIC, which not every header has */
    {SMB2_SUPER_MAGIC, "SMB", LOCKS, true},
    {CIFS_SUPER_MAGIC, "SMB", LOCKS, true},
    {CEPH_SUPER_MAGIC, "Ceph", LOCKS, true},
    {AFS_SUPER_MAGIC, "AFS", LOCKS, true},
    {AFS_FS_MAGIC, "AFS", LOCKS, true},
    {CODA_SUPER_MAGIC, "Coda", LOCKS, true},
    {V9FS_MAGIC, "9P", LOCKS, true},
    {FUSE_SUPER_MAGIC, "FUSE", LOCKS, true},
    {TMPFS_MAGIC, "tmpfs", "it is gone when the host restarts", false},
    {RAMFS_MAGIC, "ramfs", "it is gone when the host restarts", false},
    {OVERLAYFS_SUPER_MAGIC, "an overlay", "in a container it is gone with the container", false},
};

const struct data_dir_doubt *data_dir_doubt_of(uint64_t type)
{
    for (size_t i = 0; i < ARRAY_LEN(doubts); i++) {
        if (doubts[i].type == type)
            return &doubts[i];
    }
    return NULL;
}

const struct data_dir_doubt *data_dir_doubt(int data_fd)
{
    struct statfs info;
    /* Of 32 bits, and negative in a long of 32. */
    return fstatfs(data_fd, &info) == 0 ? data_dir_doubt_of((uint32_t)info.f_type) : NULL;
}

enum status data_dir_open(struct span path, bool initialise, struct data_dir *ret_dir,
                          struct err *err)
{
    struct data_dir dir = {.fd = -1, .lock_fd = -1, .kek_fd = -1};
    enum status status = open_directory(path, initialise, &dir.fd, err);
    if (status == OK)
        status = check_mode(dir.fd, path, err);
    if (status == OK && initialise)
        status = check_content(dir.fd, path, err);
    if (status == OK)
        status = take_lock(dir.fd, path, !initialise, &dir.lock_fd, err);
    if (status == OK)
        status = open_key(dir.fd, path, initialise, &dir.kek_fd, err);
    if (status == OK) {
        *ret_dir = dir;
        return OK;
    }
    if (dir.lock_fd >= 0)
        (void)close(dir.lock_fd);
    if (dir.fd >= 0)
        (void)close(dir.fd);
    return status;
}

int data_dir_control_socket(const struct data_dir *dir, struct err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    (void)snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/control.sock",
                   dir->fd);
    (void)unlinkat(dir->fd, "control.sock", 0); /* of a server that is gone: we hold the lock */
    mode_t mask = umask(0177);
    bool is_bound = fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
                    listen(fd, CONTROL_BACKLOG) == 0;
    int error = errno;
    (void)umask(mask);
    /* Root's command leaves a socket that the directory's owner can replace. */
    struct stat info;
    if (is_bound && geteuid() == 0 && fstat(dir->fd, &info) == 0 && info.st_uid != 0)
        is_bound =
            fchownat(dir->fd, "control.sock", info.st_uid, info.st_gid, AT_SYMLINK_NOFOLLOW) == 0;
    if (is_bound)
        return fd;
    if (fd >= 0)
        (void)close(fd);
    (void)fail(err, UNAVAILABLE, "cannot bind the control socket: %s", strerror(error));
    return -1;
}
