/* SPDX-License-Identifier: Apache-2.0 */
/* What every process of ours that handles secrets does as soon as it starts. */
#pragma once

#include <stddef.h>

/* No core files, no tracing by its own uid, no new privileges by execve. Before any thread. */
void process_drop_abilities(void);

/* Raises the soft limit of open descriptors to needed, as far as the hard one allows. Answers the
 * limit that is now in force. */
size_t process_raise_descriptors(size_t needed);

/* What `ps -o comm` shows; a program executed by descriptor would be shown as its number. At most
 * 15 characters count. */
void process_set_name(const char *name);
