/* SPDX-License-Identifier: Apache-2.0 */
/* The rows behind metrics.h. */
#pragma once

#include "base/span.h"
#include "metrics/metrics.h"

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

struct metric_row {
    struct span name;
    enum metric_kind kind;
    enum metric_label labels[2];
    bool is_sparse;   /* values of 0 are left out: not there, or too many to list */
    bool is_in_micro; /* kept in microseconds, written in seconds; histograms always are */
    const char *help;
};

struct metric_label_row {
    struct span name;
    const struct span *values; /* NULL: given at run time */
    size_t count;
    const char *help; /* of values given at run time */
};

extern const struct metric_row metric_rows[METRIC_COUNT];
extern const struct metric_label_row metric_label_rows[METRIC_LABEL_COUNT];
