/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/sandbox.h"

#include "sandbox/sandbox_internal.h"

enum status sandbox_enter(enum sandbox_profile profile, struct span mode, int data_fd,
                          struct sandbox_state *ret_state, struct err *err)
{
    *ret_state = (struct sandbox_state){0};
    if (span_equal(mode, SPAN("off")))
        return OK;
    /* Landlock first: the filter has no place for its calls. */
    ret_state->landlock_abi = sandbox_landlock(profile, data_fd);
    if (ret_state->landlock_abi == 0 && span_equal(mode, SPAN("strict")))
        return fail(err, UNAVAILABLE,
                    "sandbox = strict: this kernel has no Landlock (see its lsm= option); auto "
                    "does without");
    enum status status = sandbox_filter(profile, err);
    ret_state->has_filter = status == OK;
    return status;
}
