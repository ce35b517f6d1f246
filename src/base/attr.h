/* SPDX-License-Identifier: Apache-2.0 */
/* The compiler attributes this project uses, and AUTO(): the only place they are spelled out. */
#pragma once

#define MUST_USE                      __attribute__((warn_unused_result))
#define PRINTF_LIKE(format_at, first) __attribute__((format(printf, format_at, first)))
#define CLEANUP(function)             __attribute__((cleanup(function)))

/* AUTO(fd) int fd = open(…): released at the end of the scope by auto_fd(). A type that wants it
 * defines `static inline void auto_<name>(<type> *)` beside its _free or _close. */
#define AUTO(name) CLEANUP(auto_##name)

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))
