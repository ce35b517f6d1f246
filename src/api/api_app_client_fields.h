/* SPDX-License-Identifier: Apache-2.0 */
/* The members of an application client on the wire. */
#pragma once

#include "model/field.h"

enum { APP_CLIENT_FIELD_COUNT = 10 };

extern const struct field app_client_fields[APP_CLIENT_FIELD_COUNT];
