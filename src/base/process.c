/* SPDX-License-Identifier: Apache-2.0 */
#include "base/process.h"

#include <sys/prctl.h>
#include <sys/resource.h>

void process_drop_abilities(void)
{
    const struct rlimit no_core = {0};
    (void)prctl(PR_SET_DUMPABLE, PROCESS_IS_SANITIZED);
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    (void)setrlimit(RLIMIT_CORE, &no_core);
}

size_t process_raise_descriptors(size_t needed)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 0;
    if (limit.rlim_cur < needed) {
        const struct rlimit raised = {
            .rlim_cur = limit.rlim_max < needed ? limit.rlim_max : needed,
            .rlim_max = limit.rlim_max,
        };
        if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
            limit = raised;
    }
    return limit.rlim_cur;
}

void process_set_name(const char *name)
{
    (void)prctl(PR_SET_NAME, name);
}
