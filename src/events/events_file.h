/* SPDX-License-Identifier: Apache-2.0 */
/* Files of lines in a folder, bounded in size and age: a new file after an eighth of the size or a
 * day, the oldest removed. Names sort by time. Each writer makes its own files, so that two
 * servers at a hand-over do not write into one. Not thread-safe. */
#pragma once

#include "base/attr.h"
#include "base/span.h"
#include "base/status.h"

enum { EVENTS_FILE_NAME_LEN_MAX = 64 };

struct events_file {
    int dir_fd;
    int fd; /* -1: none is open */
    int64_t bytes;
    int64_t opened_at;
    int64_t bytes_max;
    int64_t seconds_max;
    unsigned made; /* files so far */
    char name[EVENTS_FILE_NAME_LEN_MAX];
};

/* Opens data_fd/events, making it when it is missing. */
enum status events_file_open(struct events_file *file, int data_fd, int64_t bytes_max,
                             int64_t seconds_max, struct err *err) MUST_USE;

/* Appends whole lines, or nothing: false with errno. */
bool events_file_write(struct events_file *file, struct span lines, int64_t now) MUST_USE;

void events_file_close(struct events_file *file);
