/* SPDX-License-Identifier: Apache-2.0 */
/* Lower-case hexadecimal. */
#pragma once

#include "base/span.h"

struct buf;

void hex_write(struct buf *out, struct span bytes);
