/* SPDX-License-Identifier: Apache-2.0 */
/* Opens the documents, when they are switched on, and sweeps away those of corpora that are gone.
 */
#pragma once

#include "base/attr.h"
#include "documents/documents.h"

struct app;

/* app's store and account are open. Leaves app->documents NULL when they are switched off. */
enum status front_documents_open(struct app *app, const struct documents_options *options,
                                 struct err *err) MUST_USE;
