/* SPDX-License-Identifier: Apache-2.0 */
/* What every process of ours that handles secrets does as soon as it starts. */
#pragma once

#include <stddef.h>

/* Sanitizers ask more of the kernel than the product does: they map code, start a process that
 * traces this one to find leaks, and write their reports somewhere. Builds with them give way, here
 * and in sandbox/; nothing is switched off at run time. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PROCESS_IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define PROCESS_IS_SANITIZED 1
#endif
#endif
#ifndef PROCESS_IS_SANITIZED
#define PROCESS_IS_SANITIZED 0
#endif

/* No core files, no tracing by its own uid, no new privileges by execve. Before any thread. */
void process_drop_abilities(void);

/* Raises the soft limit of open descriptors to needed, as far as the hard one allows. Answers the
 * limit that is now in force. */
size_t process_raise_descriptors(size_t needed);

/* What `ps -o comm` shows; a program executed by descriptor would be shown as its number. At most
 * 15 characters count. */
void process_set_name(const char *name);
