/* SPDX-License-Identifier: Apache-2.0 */
/* Random bytes from the kernel, and random text made of them. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Fills memory from getrandom(2). Aborts the process if the kernel gives none: nothing that we do
 * without randomness would be safe. */
void random_bytes(void *memory, size_t size);

/* len letters drawn uniformly from the NUL-terminated alphabet (2 to 256 letters), without a NUL.
 */
void random_text(char *memory, size_t len, const char *alphabet);

int64_t random_int63(void); /* 0 to INT64_MAX */

extern const char random_base62[]; /* "0-9A-Za-z" */
