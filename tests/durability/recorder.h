/* SPDX-License-Identifier: Apache-2.0 */
/* A SQLite VFS in front of the system's: it does what it is asked, and keeps a log of all that a
 * disk would see, in order. It becomes the default VFS, so that what the store builds on it is
 * recorded.
 *
 * The index of the write-ahead log (postern.db-shm) is not recorded: it is memory, rebuilt after a
 * crash. One thread at a time. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { RECORDER_INODES_MAX = 256, RECORDER_NAME_MAX = 24 };

enum record_kind {
    RECORD_ENTER,          /* name now stands for inode */
    RECORD_REMOVE,         /* name stands for nothing */
    RECORD_WRITE,          /* len bytes at offset of inode */
    RECORD_TRUNCATE,       /* inode to offset bytes */
    RECORD_SYNC,           /* inode's bytes and size are on the disk */
    RECORD_SYNC_DIRECTORY, /* names are */
    RECORD_ACKNOWLEDGE,    /* the caller was told that step number offset is done */
};

struct record {
    enum record_kind kind;
    int inode;
    int64_t offset;
    size_t len;
    unsigned char *bytes;
    char name[RECORDER_NAME_MAX]; /* "postern.db-wal" */
};

/* Registers the VFS; nothing is recorded yet. 0, or SQLite's error. */
int recorder_install(void);

void recorder_start(void); /* forgets what was recorded */
void recorder_stop(void);
void recorder_end(void); /* frees the log */
void recorder_acknowledge(size_t step);

/* The log so far; valid until the next call of anything above. */
const struct record *recorder_log(size_t *ret_count);

/* Lets the n-th call from now on that may fail (open, read, write, truncate, sync, delete, lock)
 * fail once, with this SQLite error. 0: none. recorder_has_failed() tells whether it came to that.
 */
void recorder_fail_at(size_t n, int error);
int recorder_has_failed(void);
