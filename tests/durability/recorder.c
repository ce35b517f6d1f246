/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* sqlite3.h: a subclass of sqlite3_file; the system's own stands behind it. */
struct shim_file {
    sqlite3_file base;
    int inode; /* -1: not recorded */
    bool needs_directory_sync;
};

static struct {
    sqlite3_vfs vfs;
    sqlite3_vfs *system;
    bool is_recording;
    struct record *log;
    size_t count;
    size_t capacity;
    int inode_count;
    struct {
        char name[RECORDER_NAME_MAX];
        int inode; /* -1: free */
    } names[RECORDER_INODES_MAX];
    size_t fail_at; /* 0: never */
    int error;
    bool has_failed;
} recorder;

static sqlite3_file *system_file(sqlite3_file *file)
{
    return (sqlite3_file *)(void *)((struct shim_file *)(void *)file + 1);
}

static struct record *add(enum record_kind kind, int inode)
{
    static struct record nowhere;
    if (!recorder.is_recording)
        return &nowhere;
    if (recorder.count == recorder.capacity) {
        recorder.capacity = recorder.capacity == 0 ? 1024 : 2 * recorder.capacity;
        recorder.log = realloc(recorder.log, recorder.capacity * sizeof *recorder.log);
        if (recorder.log == NULL)
            abort();
    }
    struct record *record = &recorder.log[recorder.count++];
    *record = (struct record){.kind = kind, .inode = inode};
    return record;
}

/* Is this the call that is to fail? */
static bool fails(void)
{
    if (recorder.fail_at == 0 || --recorder.fail_at > 0)
        return false;
    recorder.has_failed = true;
    return true;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

static void set_name(char to[RECORDER_NAME_MAX], const char *name)
{
    (void)snprintf(to, RECORDER_NAME_MAX, "%s", name);
}

static int find_name(const char *name)
{
    for (int i = 0; i < RECORDER_INODES_MAX; i++) {
        if (recorder.names[i].inode >= 0 && strcmp(recorder.names[i].name, name) == 0)
            return i;
    }
    return -1;
}

/* The inode of a name, made and entered when there is none. */
static int inode_of(const char *name)
{
    int at = find_name(name);
    if (at >= 0)
        return recorder.names[at].inode;
    for (at = 0; at < RECORDER_INODES_MAX && recorder.names[at].inode >= 0; at++)
        continue;
    if (at == RECORDER_INODES_MAX || recorder.inode_count == RECORDER_INODES_MAX)
        abort();
    recorder.names[at].inode = recorder.inode_count++;
    set_name(recorder.names[at].name, name);
    set_name(add(RECORD_ENTER, recorder.names[at].inode)->name, name);
    return recorder.names[at].inode;
}

/* --- Files --- */

static int shim_close(sqlite3_file *file)
{
    return system_file(file)->pMethods->xClose(system_file(file));
}

static int shim_read(sqlite3_file *file, void *bytes, int len, sqlite3_int64 offset)
{
    if (fails())
        return SQLITE_IOERR_READ;
    return system_file(file)->pMethods->xRead(system_file(file), bytes, len, offset);
}

static int shim_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 offset)
{
    const struct shim_file *shim = (const struct shim_file *)(const void *)file;
    if (fails())
        return recorder.error == SQLITE_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
    int code = system_file(file)->pMethods->xWrite(system_file(file), bytes, len, offset);
    if (code == SQLITE_OK && shim->inode >= 0 && recorder.is_recording) {
        struct record *record = add(RECORD_WRITE, shim->inode);
        record->offset = offset;
        record->len = (size_t)len;
        record->bytes = malloc(record->len);
        if (record->bytes == NULL)
            abort();
        memcpy(record->bytes, bytes, record->len);
    }
    return code;
}

static int shim_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    const struct shim_file *shim = (const struct shim_file *)(const void *)file;
    if (fails())
        return SQLITE_IOERR_TRUNCATE;
    int code = system_file(file)->pMethods->xTruncate(system_file(file), size);
    if (code == SQLITE_OK && shim->inode >= 0)
        add(RECORD_TRUNCATE, shim->inode)->offset = size;
    return code;
}

static int shim_sync(sqlite3_file *file, int flags)
{
    struct shim_file *shim = (struct shim_file *)(void *)file;
    if (fails())
        return SQLITE_IOERR_FSYNC;
    int code = system_file(file)->pMethods->xSync(system_file(file), flags);
    if (code != SQLITE_OK || shim->inode < 0)
        return code;
    (void)add(RECORD_SYNC, shim->inode);
    /* The system's VFS syncs the directory of a journal that it made, with its first sync. */
    if (shim->needs_directory_sync)
        (void)add(RECORD_SYNC_DIRECTORY, -1);
    shim->needs_directory_sync = false;
    return code;
}

static int shim_file_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
    return system_file(file)->pMethods->xFileSize(system_file(file), ret_size);
}

static int shim_lock(sqlite3_file *file, int level)
{
    return fails() ? SQLITE_IOERR_LOCK
                   : system_file(file)->pMethods->xLock(system_file(file), level);
}

static int shim_unlock(sqlite3_file *file, int level)
{
    return system_file(file)->pMethods->xUnlock(system_file(file), level);
}

static int shim_check_reserved(sqlite3_file *file, int *ret_is_held)
{
    return system_file(file)->pMethods->xCheckReservedLock(system_file(file), ret_is_held);
}

static int shim_control(sqlite3_file *file, int op, void *argument)
{
    return system_file(file)->pMethods->xFileControl(system_file(file), op, argument);
}

static int shim_sector_size(sqlite3_file *file)
{
    return system_file(file)->pMethods->xSectorSize(system_file(file));
}

static int shim_characteristics(sqlite3_file *file)
{
    return system_file(file)->pMethods->xDeviceCharacteristics(system_file(file));
}

static int shim_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **ret)
{
    if (fails())
        return SQLITE_IOERR_SHMMAP;
    return system_file(file)->pMethods->xShmMap(system_file(file), page, size, extend, ret);
}

static int shim_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    return system_file(file)->pMethods->xShmLock(system_file(file), offset, count, flags);
}

static void shim_shm_barrier(sqlite3_file *file)
{
    system_file(file)->pMethods->xShmBarrier(system_file(file));
}

static int shim_shm_unmap(sqlite3_file *file, int remove)
{
    return system_file(file)->pMethods->xShmUnmap(system_file(file), remove);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2, /* with shared memory, without mapping files into memory */
    .xClose = shim_close,
    .xRead = shim_read,
    .xWrite = shim_write,
    .xTruncate = shim_truncate,
    .xSync = shim_sync,
    .xFileSize = shim_file_size,
    .xLock = shim_lock,
    .xUnlock = shim_unlock,
    .xCheckReservedLock = shim_check_reserved,
    .xFileControl = shim_control,
    .xSectorSize = shim_sector_size,
    .xDeviceCharacteristics = shim_characteristics,
    .xShmMap = shim_shm_map,
    .xShmLock = shim_shm_lock,
    .xShmBarrier = shim_shm_barrier,
    .xShmUnmap = shim_shm_unmap,
};

/* --- The file system --- */

static int shim_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags,
                     int *ret_flags)
{
    struct shim_file *shim = (struct shim_file *)(void *)file;
    (void)vfs;
    *shim = (struct shim_file){.inode = -1};
    if (fails())
        return SQLITE_CANTOPEN;
    int code = recorder.system->xOpen(recorder.system, name, system_file(file), flags, ret_flags);
    if (code != SQLITE_OK)
        return code;
    const int journals = SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL;
    if (recorder.is_recording && name != NULL && (flags & (SQLITE_OPEN_MAIN_DB | journals)) != 0) {
        bool is_new = find_name(base_name(name)) < 0;
        shim->inode = inode_of(base_name(name));
        shim->needs_directory_sync = is_new && (flags & journals) != 0;
    }
    shim->base.pMethods = &methods;
    return SQLITE_OK;
}

static int shim_delete(sqlite3_vfs *vfs, const char *name, int sync_directory)
{
    (void)vfs;
    if (fails())
        return SQLITE_IOERR_DELETE;
    int code = recorder.system->xDelete(recorder.system, name, sync_directory);
    int at = find_name(base_name(name));
    if (code != SQLITE_OK || at < 0)
        return code;
    recorder.names[at].inode = -1;
    set_name(add(RECORD_REMOVE, -1)->name, base_name(name));
    if (sync_directory != 0)
        (void)add(RECORD_SYNC_DIRECTORY, -1);
    return code;
}

int recorder_install(void)
{
    int code = sqlite3_initialize();
    if (code != SQLITE_OK)
        return code;
    for (int i = 0; i < RECORDER_INODES_MAX; i++)
        recorder.names[i].inode = -1;
    recorder.system = sqlite3_vfs_find("unix");
    recorder.vfs = *recorder.system;
    recorder.vfs.zName = "recorder";
    recorder.vfs.szOsFile += (int)sizeof(struct shim_file);
    recorder.vfs.xOpen = shim_open;
    recorder.vfs.xDelete = shim_delete;
    return sqlite3_vfs_register(&recorder.vfs, 1);
}

static void forget(void)
{
    for (size_t i = 0; i < recorder.count; i++)
        free(recorder.log[i].bytes);
    recorder.count = 0;
    recorder.inode_count = 0;
    for (int i = 0; i < RECORDER_INODES_MAX; i++)
        recorder.names[i].inode = -1;
}

void recorder_start(void)
{
    forget();
    recorder.is_recording = true;
}

void recorder_end(void)
{
    forget();
    free(recorder.log);
    recorder.log = NULL;
    recorder.capacity = 0;
}

void recorder_stop(void)
{
    recorder.is_recording = false;
}

void recorder_acknowledge(size_t step)
{
    add(RECORD_ACKNOWLEDGE, -1)->offset = (int64_t)step;
}

const struct record *recorder_log(size_t *ret_count)
{
    *ret_count = recorder.count;
    return recorder.log;
}

void recorder_fail_at(size_t n, int error)
{
    recorder.fail_at = n;
    recorder.error = error;
    recorder.has_failed = false;
}

int recorder_has_failed(void)
{
    return recorder.has_failed;
}
