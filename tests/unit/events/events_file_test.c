/* SPDX-License-Identifier: Apache-2.0 */
#include "events/events_file.h"

#include "../unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#undef fail

enum { BYTES_MAX = 8000, LINE_BYTES = 100, DAY = 86400 };

struct folder {
    char path[64];
    int data_fd;
    struct events_file file;
};

static void open_folder(struct folder *folder)
{
    (void)snprintf(folder->path, sizeof folder->path, "/tmp/postern-events-XXXXXX");
    assert_non_null(mkdtemp(folder->path));
    folder->data_fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(
        events_file_open(&folder->file, folder->data_fd, BYTES_MAX, (int64_t)3 * DAY, NULL), OK);
}

static void write_line(struct folder *folder, char letter, int64_t now)
{
    char line[LINE_BYTES];
    memset(line, letter, sizeof line);
    line[LINE_BYTES - 1] = '\n';
    assert_true(events_file_write(&folder->file, span_of(line, sizeof line), now));
}

/* Number and size of the files whose name starts so; removes them when they are to be. */
static int count_files(const struct folder *folder, const char *prefix, int64_t *ret_bytes,
                       bool remove)
{
    int count = 0;
    *ret_bytes = 0;
    int fd = openat(folder->data_fd, "events", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fdopendir(fd);
    assert_non_null(dir);
    const struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        struct stat info;
        if (entry->d_name[0] == '.' || strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
            continue;
        assert_int_equal(fstatat(fd, entry->d_name, &info, 0), 0);
        assert_int_equal(info.st_mode & 0777, 0600);
        *ret_bytes += info.st_size;
        count++;
        if (remove)
            assert_int_equal(unlinkat(fd, entry->d_name, 0), 0);
    }
    (void)closedir(dir);
    return count;
}

static void close_folder(struct folder *folder)
{
    int64_t bytes;
    events_file_close(&folder->file);
    (void)count_files(folder, "", &bytes, true);
    assert_int_equal(unlinkat(folder->data_fd, "events", AT_REMOVEDIR), 0);
    assert_int_equal(rmdir(folder->path), 0);
    (void)close(folder->data_fd);
}

static void files_stay_below_the_size_together(void **state)
{
    (void)state;
    struct folder folder;
    int64_t bytes;
    open_folder(&folder);
    for (int i = 0; i < 1000; i++) {
        write_line(&folder, 'a', (int64_t)time(NULL) + i);
        (void)count_files(&folder, "events-", &bytes, false);
        assert_in_range(bytes, LINE_BYTES, BYTES_MAX);
    }
    assert_in_range(bytes, BYTES_MAX / 2, BYTES_MAX); /* and are not thrown away early */
    assert_int_equal(bytes % LINE_BYTES, 0);
    close_folder(&folder);
}

static void a_file_that_is_too_old_goes_when_a_new_one_begins(void **state)
{
    (void)state;
    struct folder folder;
    int64_t bytes;
    int64_t now = (int64_t)time(NULL); /* the age of a file is its last writing's, by the disk */
    open_folder(&folder);
    write_line(&folder, 'a', now);
    write_line(&folder, 'b', now + DAY); /* a day is over: a second file */
    assert_int_equal(count_files(&folder, "events-", &bytes, false), 2);
    write_line(&folder, 'c', now + (int64_t)4 * DAY);
    assert_int_equal(count_files(&folder, "events-", &bytes, false), 1);
    assert_int_equal(bytes, LINE_BYTES);
    close_folder(&folder);
}

static void what_is_not_the_event_logs_is_left_alone(void **state)
{
    (void)state;
    struct folder folder;
    int64_t bytes;
    open_folder(&folder);
    int fd = openat(folder.data_fd, "events/notes.txt", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    (void)close(fd);
    for (int i = 0; i < 300; i++)
        write_line(&folder, 'a', (int64_t)time(NULL) + i);
    assert_int_equal(count_files(&folder, "notes.txt", &bytes, false), 1);
    close_folder(&folder);
}

/* Nobody leads the log out of the data directory. */
static void a_folder_that_is_a_link_is_refused(void **state)
{
    (void)state;
    struct folder folder;
    struct err err = {0};
    struct events_file file;
    open_folder(&folder);
    assert_int_equal(renameat(folder.data_fd, "events", folder.data_fd, "elsewhere"), 0);
    assert_int_equal(symlinkat("elsewhere", folder.data_fd, "events"), 0);
    assert_int_equal(events_file_open(&file, folder.data_fd, BYTES_MAX, DAY, &err), UNAVAILABLE);
    assert_non_null(strstr(err.detail, "events/"));
    assert_int_equal(unlinkat(folder.data_fd, "events", 0), 0);
    assert_int_equal(renameat(folder.data_fd, "elsewhere", folder.data_fd, "events"), 0);
    close_folder(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_stay_below_the_size_together),
        cmocka_unit_test(a_file_that_is_too_old_goes_when_a_new_one_begins),
        cmocka_unit_test(what_is_not_the_event_logs_is_left_alone),
        cmocka_unit_test(a_folder_that_is_a_link_is_refused),
    };
    return RUN_TESTS(tests);
}
