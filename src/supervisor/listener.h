/* SPDX-License-Identifier: Apache-2.0 */
/* Listening sockets, bound by the supervisor and kept through restarts of the front, so that nobody
 * is refused meanwhile. */
#pragma once

#include "base/attr.h"
#include "base/span.h"
#include "base/status.h"

enum { LISTENER_URL_LEN_MAX = 64 };

/* Binds count sockets to text, a value of listen (SO_REUSEPORT: one for each event loop). With port
 * 0 all get the same free one. *ret_url is "http://ADDR:PORT", or https, NUL-terminated. CONFLICT:
 * the address is in use. */
enum status listener_open(struct span text, size_t count, int *ret_fds,
                          char ret_url[static LISTENER_URL_LEN_MAX], struct err *err) MUST_USE;
