/* SPDX-License-Identifier: Apache-2.0 */
/* What every process of ours that handles secrets gives up as soon as it starts. */
#pragma once

/* No core files, no tracing by its own uid, no new privileges by execve. Before any thread. */
void process_drop_abilities(void);
