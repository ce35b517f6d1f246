/* SPDX-License-Identifier: Apache-2.0 */
#include "base/process.h"

#include <sys/prctl.h>
#include <sys/resource.h>

void process_drop_abilities(void)
{
    const struct rlimit no_core = {0};
    (void)prctl(PR_SET_DUMPABLE, 0);
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    (void)setrlimit(RLIMIT_CORE, &no_core);
}

void process_set_name(const char *name)
{
    (void)prctl(PR_SET_NAME, name);
}
