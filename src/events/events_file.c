/* SPDX-License-Identifier: Apache-2.0 */
#include "events/events_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { FILES_WANTED = 8, FILE_SECONDS_MAX = 86400, FILES_MAX = 1024 };

static const char file_prefix[] = "events-";

enum status events_file_open(struct events_file *file, int data_fd, int64_t bytes_max,
                             int64_t seconds_max, struct err *err)
{
    *file = (struct events_file){.fd = -1, .bytes_max = bytes_max, .seconds_max = seconds_max};
    bool is_there = mkdirat(data_fd, "events", 0700) == 0 || errno == EEXIST;
    file->dir_fd =
        is_there ? openat(data_fd, "events", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW) : -1;
    return file->dir_fd >= 0 ? OK
                             : fail(err, UNAVAILABLE,
                                    "cannot open events/ in the data directory: "
                                    "%s",
                                    strerror(errno));
}

void events_file_close(struct events_file *file)
{
    if (file->fd >= 0)
        (void)close(file->fd);
    if (file->dir_fd >= 0)
        (void)close(file->dir_fd);
    file->fd = -1;
    file->dir_fd = -1;
}

/* What is known of the folder's files while it is made smaller. */
struct folder {
    int64_t bytes;
    int64_t count;
    char oldest[EVENTS_FILE_NAME_LEN_MAX];
    int64_t oldest_bytes;
    int64_t oldest_ended_at;
};

static void see_file(const struct events_file *file, const char *name, struct folder *folder)
{
    struct stat info;
    size_t len = strnlen(name, EVENTS_FILE_NAME_LEN_MAX);
    if (strncmp(name, file_prefix, sizeof file_prefix - 1) != 0 ||
        len == EVENTS_FILE_NAME_LEN_MAX || strcmp(name, file->name) == 0 ||
        fstatat(file->dir_fd, name, &info, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(info.st_mode))
        return;
    folder->bytes += info.st_size;
    folder->count++;
    if (folder->oldest[0] != '\0' && strcmp(name, folder->oldest) > 0)
        return;
    memcpy(folder->oldest, name, len + 1);
    folder->oldest_bytes = info.st_size;
    folder->oldest_ended_at = info.st_mtime;
}

/* All files but the one being written. False: the folder cannot be read. */
static bool see_folder(const struct events_file *file, struct folder *folder)
{
    *folder = (struct folder){0};
    int fd = openat(file->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (dir == NULL) {
        if (fd >= 0)
            (void)close(fd);
        return false;
    }
    const struct dirent *entry;
    while ((entry = readdir(dir)) != NULL)
        see_file(file, entry->d_name, folder);
    (void)closedir(dir);
    return true;
}

/* Before a file is begun: it and the others stay below the bound together. */
static void remove_old(const struct events_file *file, int64_t now)
{
    struct folder folder;
    for (int i = 0; i < FILES_MAX && see_folder(file, &folder) && folder.count > 0; i++) {
        bool is_too_much = folder.bytes > file->bytes_max - file->bytes_max / FILES_WANTED;
        bool is_too_old = folder.oldest_ended_at < now - file->seconds_max;
        if ((!is_too_much && !is_too_old) || unlinkat(file->dir_fd, folder.oldest, 0) != 0)
            return;
    }
}

static bool begin_file(struct events_file *file, int64_t now)
{
    struct tm utc;
    time_t seconds = (time_t)now;
    char when[32] = "";
    if (gmtime_r(&seconds, &utc) == NULL ||
        strftime(when, sizeof when, "%Y%m%dT%H%M%SZ", &utc) == 0)
        return false;
    if (file->fd >= 0)
        (void)close(file->fd);
    file->name[0] = '\0';
    remove_old(file, now);
    (void)snprintf(file->name, sizeof file->name, "%s%s-%d-%05u.jsonl", file_prefix, when,
                   (int)getpid(), file->made++);
    file->fd = openat(file->dir_fd, file->name,
                      O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    file->bytes = 0;
    file->opened_at = now;
    return file->fd >= 0;
}

bool events_file_write(struct events_file *file, struct span lines, int64_t now)
{
    int64_t age = now - file->opened_at;
    int64_t age_max = file->seconds_max < FILE_SECONDS_MAX ? file->seconds_max : FILE_SECONDS_MAX;
    bool is_full =
        file->bytes > 0 && file->bytes + (int64_t)lines.len > file->bytes_max / FILES_WANTED;
    if ((file->fd < 0 || is_full || age >= age_max || age < 0) && !begin_file(file, now))
        return false;
    ssize_t written = write(file->fd, lines.ptr, lines.len);
    if (written == (ssize_t)lines.len) {
        file->bytes += written;
        return true;
    }
    int error = written < 0 ? errno : ENOSPC;
    if (written > 0 && ftruncate(file->fd, file->bytes) != 0) {
        (void)close(file->fd); /* the next lines begin a file of their own */
        file->fd = -1;
    }
    errno = error;
    return false;
}
