/* SPDX-License-Identifier: Apache-2.0 */
/* Given to clang-tidy in front of each source (script/lint). The analyzer sees one file at a time
 * and so cannot know what fail() promises: that it returns the status it is given, which is never
 * OK. */
#pragma once

#include "base/status.h"

#define fail(err, status, ...) ((void)fail(err, status, __VA_ARGS__), (status))
