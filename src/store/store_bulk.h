/* SPDX-License-Identifier: Apache-2.0 */
/* Filling a database for measurements. No part of the server uses it. */
#pragma once

#include "store/store.h"

/* Makes all clients, or none, in one transaction: the rows that store_principal_create() makes,
 * but one change of kind "bulk" and one audit event for all of them. They belong to one account.
 * Listed newest first, so the last one is first. Statuses as there. */
enum status store_app_client_create_many(struct store *store, const struct principal *clients,
                                         size_t count, struct err *err) MUST_USE;
