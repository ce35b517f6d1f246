/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's clocks. Only composition roots read them; everything else gets times as values. */
#pragma once

#include <stdint.h>

int64_t clock_wall_seconds(void);      /* since the epoch, CLOCK_REALTIME */
int64_t clock_wall_microseconds(void); /* the same, finer */
int64_t clock_boot_ns(void);           /* CLOCK_BOOTTIME: never goes back, counts suspend */
int64_t clock_monotonic_ms(void);      /* CLOCK_MONOTONIC: for time-outs */
