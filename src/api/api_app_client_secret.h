/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of an app client that only the signer can make or open: its secret and its record's
 * MAC. */
#pragma once

#include "model/app_client.h"
#include "web/exchange.h"

/* Adds one new client secret to the client's credentials; *ret_secret is its text. */
enum status app_client_add_secret(struct exchange *x, struct app_client *client,
                                  struct span *ret_secret) MUST_USE;

/* Sets client->record_mac over the client as it stands. */
enum status app_client_authenticate(struct exchange *x, struct app_client *client) MUST_USE;

/* Reads the newest secret back while the account's rule allows it, and records that in the audit
 * trail. OK with an empty *ret_secret: it is not readable any more, or the client has more rights
 * than the caller. */
enum status app_client_reveal(struct exchange *x, const struct app_client *client,
                              struct span *ret_secret) MUST_USE;
