/* SPDX-License-Identifier: Apache-2.0 */
/* The steps from one version of a database's schema to the next. A released step is never changed;
 * what is wrong in it is mended by a later one. */
#pragma once

#include "base/attr.h"
#include "base/span.h"
#include "base/status.h"

struct sql_conn;

/* texts[n] leads from version n to n + 1. All that are missing are one transaction: where one
 * fails, the database stays at the version that it had, for the program that it had. FORBIDDEN: it
 * is past version count, and is left as it is. */
enum status sql_migrate(struct sql_conn *conn, const struct span *texts, size_t count,
                        struct err *err) MUST_USE;
