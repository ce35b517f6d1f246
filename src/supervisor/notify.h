/* SPDX-License-Identifier: Apache-2.0 */
/* systemd's readiness protocol (sd_notify(3)): one datagram to $NOTIFY_SOCKET. Without it: nothing.
 */
#pragma once

void notify_systemd(const char *state); /* "READY=1", "STOPPING=1", … */
