/* SPDX-License-Identifier: Apache-2.0 */
/* What a process of ours may still do once it has all it needs: a system call filter (seccomp(2))
 * and, as far as the kernel has it, Landlock (landlock(7)). Neither can be taken off again, and
 * both pass to every thread that is started afterwards: so enter before the first one.
 *
 * The filter is a list of what is allowed. What must never happen (running a program, tracing,
 * reaching out to the network) ends the process at once: the supervisor says so and starts another.
 * Anything else that is not on the list fails as if the kernel had no such call. */
#pragma once

#include "base/span.h"
#include "base/status.h"

enum sandbox_profile {
    SANDBOX_FRONT,  /* accepts connections; opens files in the data directory */
    SANDBOX_SIGNER, /* reads and writes what is open already */
};

struct sandbox_state {
    bool has_filter;
    int landlock_abi; /* the kernel's, from 1; 0: not in force */
};

/* mode is the configuration's `sandbox`: "auto" needs the filter, "strict" Landlock too, "off"
 * takes neither. data_fd: the one directory under which SANDBOX_FRONT may open, make and remove
 * files; not used by SANDBOX_SIGNER. UNAVAILABLE: the kernel refuses what mode needs; the process
 * is not confined, or only partly, and should end. The process must have set no_new_privs. */
enum status sandbox_enter(enum sandbox_profile profile, struct span mode, int data_fd,
                          struct sandbox_state *ret_state, struct err *err) MUST_USE;
