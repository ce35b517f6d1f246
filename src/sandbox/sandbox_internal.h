/* SPDX-License-Identifier: Apache-2.0 */
/* The two halves of sandbox.h. */
#pragma once

#include "base/process.h"
#include "sandbox/sandbox.h"

enum status sandbox_filter(enum sandbox_profile profile, struct err *err) MUST_USE;

/* Answers the ABI that is in force; 0: this kernel has no Landlock, or it is switched off. */
int sandbox_landlock(enum sandbox_profile profile, int data_fd);
