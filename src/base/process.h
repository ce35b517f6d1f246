/* SPDX-License-Identifier: Apache-2.0 */
/* What every process of ours that handles secrets does as soon as it starts. */
#pragma once

/* No core files, no tracing by its own uid, no new privileges by execve. Before any thread. */
void process_drop_abilities(void);

/* What `ps -o comm` shows; a program executed by descriptor would be shown as its number. At most
 * 15 characters count. */
void process_set_name(const char *name);
