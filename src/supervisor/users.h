/* SPDX-License-Identifier: Apache-2.0 */
/* Which users front and signer run as, and what of the data directory is whose.
 *
 * Started as root, the supervisor alone keeps privileges. The data directory and keys/ stay root's;
 * the front may make files in the directory (group and sticky bit) and owns the database and the
 * event log, so it can neither read the key-encryption key nor put another in its place. A data
 * directory in use that belongs to somebody else is served as that user. Not started as root, all
 * are one user. */
#pragma once

#include "base/span.h"
#include "base/status.h"

#include <sys/types.h>

/* Of the users `postern` and `postern-signer` where the host has none. systemd gives 61184 to 65519
 * to other services. */
enum { USERS_FRONT_ID = 65521, USERS_SIGNER_ID = 65522 };

struct user {
    uid_t uid;
    gid_t gid;
};

struct users {
    bool are_changed;  /* the children get users of their own; else the supervisor's */
    bool are_separate; /* one each */
    struct user front;
    struct user signer;
};

/* Chooses for the data directory, and makes it so: root's, mode 1770, with the front's group, and
 * the names that the front writes the front's. Where the host does not let root do that (a small
 * user namespace, no capabilities), all stay one user, said in the log. FORBIDDEN: a name that is
 * to be the front's is no plain file or has another name too. */
enum status users_choose(int data_fd, struct users *ret_users, struct err *err) MUST_USE;

/* FORBIDDEN when the configuration's `sandbox` is strict, and root has not got separate users. */
enum status users_check(const struct users *users, struct span sandbox, struct err *err) MUST_USE;

/* For the log: which users serve. */
void users_say(const struct users *users);

/* In a child, before execve: becomes that user for good. 0 or errno. */
int user_become(struct user user) MUST_USE;
