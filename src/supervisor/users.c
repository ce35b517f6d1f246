/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor/users.h"

#include "log/log.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PASSWD_BYTES_MAX = 4096, DIRECTORY_MODE = 01770, CHILD_FAILED = 1 };

/* What the front writes in the data directory. keys, lock and control.sock are not among them. */
static const char *const front_files[] = {
    "postern.db",   "postern.db-wal",   "postern.db-shm",   "postern.db-journal",
    "documents.db", "documents.db-wal", "documents.db-shm", "documents.db-journal"};

int user_become(struct user user)
{
    if (setgroups(0, NULL) != 0 || setresgid(user.gid, user.gid, user.gid) != 0 ||
        setresuid(user.uid, user.uid, user.uid) != 0)
        return errno;
    return 0;
}

static struct user named_user(const char *name, unsigned id)
{
    struct passwd entry;
    struct passwd *found = NULL;
    char text[PASSWD_BYTES_MAX];
    if (getpwnam_r(name, &entry, text, sizeof text, &found) == 0 && found != NULL &&
        entry.pw_uid != 0)
        return (struct user){entry.pw_uid, entry.pw_gid};
    return (struct user){id, id};
}

/* Does the host let us? A child tries. */
static bool can_become(struct user user)
{
    int status = -1;
    pid_t pid = fork();
    if (pid == 0)
        _exit(user_become(user) == 0 ? 0 : CHILD_FAILED);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Gives one name to the front. What the front may write in the directory it may also have replaced:
 * hence no links, and one name only. What is not there need not be given. */
static enum status give(int data_fd, const char *name, mode_t type, struct user user,
                        struct err *err)
{
    struct stat info;
    int fd = openat(data_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return OK;
    if (fd < 0 || fstat(fd, &info) != 0) {
        int error = errno;
        if (fd >= 0)
            (void)close(fd);
        return fail(err, UNAVAILABLE, "cannot look at %s in the data directory: %s", name,
                    strerror(error));
    }
    bool is_plain = (info.st_mode & S_IFMT) == type && (type == S_IFDIR || info.st_nlink == 1);
    bool is_given = is_plain && ((info.st_uid == user.uid && info.st_gid == user.gid) ||
                                 fchownat(fd, "", user.uid, user.gid, AT_EMPTY_PATH) == 0);
    int error = errno;
    (void)close(fd);
    if (!is_plain)
        return fail(err, FORBIDDEN,
                    "%s in the data directory is a link, or has another name too: remove it", name);
    return is_given ? OK
                    : fail(err, UNAVAILABLE, "cannot give %s to uid %u: %s", name,
                           (unsigned)user.uid, strerror(error));
}

static enum status give_all(int data_fd, struct user front, struct err *err)
{
    struct stat info;
    if (fstat(data_fd, &info) != 0)
        return fail(err, UNAVAILABLE, "cannot look at the data directory: %s", strerror(errno));
    bool is_ours = info.st_uid == 0 && info.st_gid == front.gid;
    if ((!is_ours && fchown(data_fd, 0, front.gid) != 0) ||
        ((info.st_mode & 07777) != DIRECTORY_MODE && fchmod(data_fd, DIRECTORY_MODE) != 0))
        return fail(err, UNAVAILABLE, "cannot give the data directory to root: %s",
                    strerror(errno));
    enum status status = give(data_fd, "events", S_IFDIR, front, err);
    for (size_t i = 0; status == OK && i < ARRAY_LEN(front_files); i++)
        status = give(data_fd, front_files[i], S_IFREG, front, err);
    return status;
}

static enum status separate(int data_fd, struct users *users, struct err *err)
{
    struct err why = {0};
    const struct user front = named_user("postern", USERS_FRONT_ID);
    const struct user signer = named_user("postern-signer", USERS_SIGNER_ID);
    if (front.uid == signer.uid)
        return fail(err, INVALID, "the users postern and postern-signer have one uid");
    if (!can_become(front) || !can_become(signer)) {
        log_warn("this host does not let root become uid %u and %u: front and signer run as root",
                 (unsigned)front.uid, (unsigned)signer.uid);
        return OK;
    }
    enum status status = give_all(data_fd, front, &why);
    if (status == UNAVAILABLE) {
        log_warn("%s: front and signer run as root", why.detail);
        return OK;
    }
    if (status != OK)
        return fail(err, status, "%s", why.detail);
    users->are_changed = users->are_separate = true;
    users->front = front;
    users->signer = signer;
    return OK;
}

enum status users_choose(int data_fd, struct users *ret_users, struct err *err)
{
    struct stat info;
    *ret_users = (struct users){0};
    if (geteuid() != 0)
        return OK;
    if (fstat(data_fd, &info) != 0)
        return fail(err, UNAVAILABLE, "cannot look at the data directory: %s", strerror(errno));
    bool is_in_use = faccessat(data_fd, "postern.db", F_OK, 0) == 0;
    if (info.st_uid == 0 || !is_in_use)
        return separate(data_fd, ret_users, err);
    const struct user owner = {info.st_uid, info.st_gid};
    if (can_become(owner)) {
        ret_users->are_changed = true;
        ret_users->front = ret_users->signer = owner;
    }
    return OK;
}

enum status users_check(const struct users *users, struct span sandbox, struct err *err)
{
    if (geteuid() != 0 || users->are_separate || !span_equal(sandbox, SPAN("strict")))
        return OK;
    return fail(err, FORBIDDEN,
                users->are_changed ? "sandbox = strict: the data directory must be root's"
                                   : "sandbox = strict: root cannot get users of their own for "
                                     "front and signer");
}

void users_say(const struct users *users)
{
    if (users->are_separate)
        log_info("front and signer run as uid %u and %u", (unsigned)users->front.uid,
                 (unsigned)users->signer.uid);
    else if (users->are_changed)
        log_info("front and signer run as uid %u, whose the data directory is",
                 (unsigned)users->front.uid);
    else if (geteuid() != 0)
        log_info("front and signer run as one user, uid %u: only root can give them one each",
                 (unsigned)geteuid());
}
