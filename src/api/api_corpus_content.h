/* SPDX-License-Identifier: Apache-2.0 */
/* What is done with all documents of a corpus; and uploads, which this server does not take. */
#pragma once

#include "web/exchange.h"

void api_corpus_reset(struct exchange *x);
void api_corpus_compute_size(struct exchange *x);
void api_corpus_upload_file(struct exchange *x);
