/* SPDX-License-Identifier: Apache-2.0 */
/* landlock(7), linux/landlock.h. The constants are our own: the header of the oldest system that we
 * build on knows a part of what newer kernels can do. */
#include "sandbox/sandbox_internal.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    ACCESS_WRITE_FILE = 1 << 1,
    ACCESS_READ_FILE = 1 << 2,
    ACCESS_READ_DIR = 1 << 3,
    ACCESS_REMOVE_FILE = 1 << 5,
    ACCESS_MAKE_DIR = 1 << 7,
    ACCESS_MAKE_REG = 1 << 8,
    ACCESS_TRUNCATE = 1 << 14, /* ABI 3 */

    ACCESS_OF_ABI_1 = (1 << 13) - 1,
    ACCESS_OF_ABI_2 = (1 << 14) - 1, /* and moving between directories */
    ACCESS_OF_ABI_3 = (1 << 15) - 1, /* and truncating */
    ACCESS_OF_ABI_5 = (1 << 16) - 1, /* and ioctl on devices */

    ACCESS_NET_BIND_AND_CONNECT = (1 << 0) | (1 << 1),    /* TCP; ABI 4 */
    SCOPE_ABSTRACT_SOCKETS_SIGNALS = (1 << 0) | (1 << 1), /* ABI 6 */

    CREATE_RULESET_VERSION = 1 << 0,
    RULE_PATH_BENEATH = 1,
};

struct ruleset {
    uint64_t access_fs;
    uint64_t access_net; /* from ABI 4 */
    uint64_t scoped;     /* from ABI 6 */
};

struct path_beneath {
    uint64_t allowed;
    int32_t parent_fd;
} __attribute__((packed));

static uint64_t accesses_of(long abi)
{
    return abi >= 5   ? ACCESS_OF_ABI_5
           : abi >= 3 ? ACCESS_OF_ABI_3
           : abi == 2 ? ACCESS_OF_ABI_2
                      : ACCESS_OF_ABI_1;
}

static size_t size_of(long abi)
{
    return abi >= 6   ? sizeof(struct ruleset)
           : abi >= 4 ? offsetof(struct ruleset, scoped)
                      : offsetof(struct ruleset, access_net);
}

static bool allow(int ruleset, int fd, uint64_t accesses)
{
    const struct path_beneath rule = {.allowed = accesses, .parent_fd = fd};
    return syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0) == 0;
}

/* A path that is not there needs no rule. */
static bool allow_reading(int ruleset, const char *path)
{
    int fd = open(path, O_PATH | O_CLOEXEC);
    bool is_allowed = fd < 0 || allow(ruleset, fd, ACCESS_READ_FILE);
    if (fd >= 0)
        (void)close(fd);
    return is_allowed;
}

/* The data directory; random numbers, which SQLite reads from the device; the device that the front
 * keeps open to have a descriptor to spare; and how many processors there are. */
static bool allow_front(int ruleset, int data_fd, uint64_t handled)
{
    static const char *const read[] = {"/dev/urandom", "/dev/null",
                                       "/sys/devices/system/cpu/possible",
                                       "/sys/devices/system/cpu/online"};
    const uint64_t accesses = ACCESS_WRITE_FILE | ACCESS_READ_FILE | ACCESS_READ_DIR |
                              ACCESS_REMOVE_FILE | ACCESS_MAKE_DIR | ACCESS_MAKE_REG |
                              ACCESS_TRUNCATE;
    bool is_allowed = allow(ruleset, data_fd, accesses & handled);
    for (size_t i = 0; i < ARRAY_LEN(read); i++)
        is_allowed &= allow_reading(ruleset, read[i]);
    return is_allowed;
}

int sandbox_landlock(enum sandbox_profile profile, int data_fd)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);
    if (abi < 1)
        return 0;
    struct ruleset wanted = {
        .access_fs = PROCESS_IS_SANITIZED ? 0 : accesses_of(abi),
        .access_net = ACCESS_NET_BIND_AND_CONNECT,
        .scoped = SCOPE_ABSTRACT_SOCKETS_SIGNALS,
    };
    if (wanted.access_fs == 0 && abi < 4)
        return 0; /* nothing would be left of it */
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &wanted, size_of(abi), 0);
    if (ruleset < 0)
        return 0;
    bool is_in_force = (profile != SANDBOX_FRONT || wanted.access_fs == 0 ||
                        allow_front(ruleset, data_fd, wanted.access_fs)) &&
                       syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
    (void)close(ruleset);
    return is_in_force ? (int)abi : 0;
}
