/* SPDX-License-Identifier: Apache-2.0 */
/* The steps from one version of the schema to the next: src/store/migrations/NNNN_name.sql, kept in
 * the program. A released step is never changed; what is wrong in it is mended by a later one. */
#pragma once

#include "base/attr.h"
#include "base/status.h"

struct sql_conn;

/* The program's own steps: the version of every open database. */
enum { MIGRATION_COUNT = 8 };

/* With the program's own steps; as sql_migrate(). */
enum status migrations_run_all(struct sql_conn *conn, struct err *err) MUST_USE;
