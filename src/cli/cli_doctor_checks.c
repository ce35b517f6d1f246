/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli_doctor.h"

#include "base/clock.h"
#include "supervisor/data_dir.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netdb.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <unistd.h>

enum {
    MEBIBYTE = 1 << 20,
    FREE_FAIL_MIB = 64,
    FREE_WARN_MIB = 1024,
    CLOCK_APART_SECONDS = 5,
    CERTIFICATE_WARN_DAYS = 21,
    FILES_BESIDE_CONNECTIONS = 128, /* database, lanes, event log, listeners */
    CONNECT_MS = 2000,
    KEK_BYTES = 32,
    CHILDREN_LINE_MAX = 1024,
};

/* Appends to a text of that size; what does not fit is cut. */
static void append(char *text, size_t size, const char *more)
{
    size_t len = strlen(text);
    (void)snprintf(text + len, size - len, "%s%s", len == 0 || more[0] == '\0' ? "" : " ", more);
}

/* The finding's words: worse ones replace those that are there, equally bad ones are added. */
PRINTF_LIKE(4, 5)
static void find(struct doctor_finding *finding, enum doctor_level level, const char *advice,
                 const char *format, ...)
{
    char sentence[sizeof finding->sentence];
    if (level < finding->level)
        return;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    if (level > finding->level)
        *finding = (struct doctor_finding){.level = level};
    append(finding->sentence, sizeof finding->sentence, sentence);
    if (strstr(finding->advice, advice) == NULL)
        append(finding->advice, sizeof finding->advice, advice);
}

static void check_server(const struct doctor *doctor, struct doctor_finding *finding)
{
    if (doctor->status != NULL)
        find(finding, DOCTOR_OK, "", "A server runs in this data directory (process %" PRId64 ").",
             doctor_number(doctor, "supervisor_pid"));
    else
        find(finding, DOCTOR_WARN,
             doctor->data_errno == EACCES ? "Run this as root or as the server's user."
                                          : "Start it: `postern serve`.",
             "No server answers on the control socket: %s.", doctor->why_not);
}

static void check_data(const struct doctor *doctor, struct doctor_finding *finding)
{
    struct stat info;
    if (doctor->data_fd < 0 || fstat(doctor->data_fd, &info) != 0) {
        find(finding, DOCTOR_FAIL,
             doctor->data_errno == EACCES ? "Run this as root or as the server's user."
                                          : "Name it with --data or POSTERN_DATA.",
             "The data directory %.*s cannot be opened: %s.", SPAN_FMT(doctor->cli->config.data),
             strerror(doctor->data_errno));
        return;
    }
    if (!doctor->is_initialised) {
        find(finding, DOCTOR_FAIL,
             "Name it with --data or POSTERN_DATA; `postern serve` makes one of an empty folder.",
             "%.*s is not a data directory: it holds no postern.db.",
             SPAN_FMT(doctor->cli->config.data));
        return;
    }
    /* With the sticky bit the front's group may make files, and take none away. */
    bool is_shared = (info.st_mode & S_ISVTX) != 0 && info.st_uid == 0;
    find(finding, DOCTOR_OK, "",
         is_shared ? "The data directory is root's and the front's (mode %04o)."
                   : "The data directory is its owner's alone (mode %04o).",
         (unsigned)info.st_mode & 07777u);
    if ((info.st_mode & (is_shared ? 0007 : 0027)) != 0)
        find(finding, DOCTOR_FAIL, "chmod 700 the data directory.",
             "Others can write to the data directory, or look into it (mode %03o).",
             (unsigned)info.st_mode & 0777u);
}

/* Metadata only: the key itself is not read. */
static void check_keys(const struct doctor *doctor, struct doctor_finding *finding)
{
    struct stat folder;
    struct stat key;
    if (fstatat(doctor->data_fd, "keys", &folder, AT_SYMLINK_NOFOLLOW) != 0 ||
        fstatat(doctor->data_fd, "keys/kek", &key, AT_SYMLINK_NOFOLLOW) != 0) {
        find(finding, DOCTOR_FAIL,
             "Restore keys/kek from its backup; without a backup the database cannot be read.",
             "keys/kek cannot be looked at: %s.", strerror(errno));
        return;
    }
    find(finding, DOCTOR_OK, "", "The key-encryption key is there, and its owner's alone.");
    if (!S_ISREG(key.st_mode) || key.st_size != KEK_BYTES)
        find(finding, DOCTOR_FAIL, "Restore keys/kek from its backup.",
             "keys/kek is not a file of 32 bytes.");
    if ((key.st_mode & 0077) != 0 || (folder.st_mode & 0022) != 0)
        find(finding, DOCTOR_FAIL, "chmod 700 keys, chmod 600 keys/kek; the key may be exposed.",
             "Others can read keys/kek or replace it (modes %03o, %03o).",
             (unsigned)folder.st_mode & 0777u, (unsigned)key.st_mode & 0777u);
}

static void check_disk(const struct doctor *doctor, struct doctor_finding *finding)
{
    struct statvfs info;
    if (fstatvfs(doctor->data_fd, &info) != 0) {
        find(finding, DOCTOR_FAIL, "See the data directory.", "The disk cannot be looked at.");
        return;
    }
    uint64_t free_mib = (uint64_t)info.f_bavail * info.f_frsize / MEBIBYTE;
    enum doctor_level level = free_mib < FREE_FAIL_MIB   ? DOCTOR_FAIL
                              : free_mib < FREE_WARN_MIB ? DOCTOR_WARN
                                                         : DOCTOR_OK;
    find(finding, level,
         level == DOCTOR_OK ? "" : "Make room; events_bytes_max bounds the event log.",
         "%" PRIu64 " MiB are free for the data directory.", free_mib);
    if (info.f_files > 0 && info.f_favail < 100)
        find(finding, DOCTOR_FAIL, "Remove files: the disk has room, but for no more files.",
             "The file system has %ju inodes left.", (uintmax_t)info.f_favail);
}

static void check_file_system(const struct doctor *doctor, struct doctor_finding *finding)
{
    const struct data_dir_doubt *doubt = data_dir_doubt(doctor->data_fd);
    find(finding, DOCTOR_OK, "", "Nothing is known against the data directory's file system.");
    if (doubt != NULL)
        find(finding, DOCTOR_WARN,
             "Keep the data directory on a local disk (a volume, in a container).",
             "The data directory is on %s: %s.", doubt->name, doubt->why);
}

static void check_clock(const struct doctor *doctor, struct doctor_finding *finding)
{
    struct timex timex = {0};
    if (adjtimex(&timex) == TIME_ERROR || (timex.status & STA_UNSYNC) != 0)
        find(finding, DOCTOR_WARN, "Run chrony, systemd-timesyncd or another time service.",
             "The kernel does not call its clock synchronised.");
    else
        find(finding, DOCTOR_OK, "", "The kernel's clock is synchronised.");
    if (doctor->status == NULL)
        return;
    int64_t apart = doctor_number(doctor, "token_clock") - doctor_number(doctor, "wall_clock");
    bool is_known = json_is_true(json_object_get(doctor->status, "signer_answers"));
    if (is_known && llabs(apart) > CLOCK_APART_SECONDS)
        find(finding, DOCTOR_WARN, "If the wall clock is right, restart the server.",
             "The clock of tokens and the wall clock are %" PRId64 " seconds apart.", apart);
    if (json_is_true(json_object_get(doctor->status, "clock_is_held")))
        find(finding, DOCTOR_FAIL,
             "Set the clock, or say that it is right: `postern clock accept`.",
             "The clock is behind the time of earlier tokens: no token is signed.");
}

static void check_parts(const struct doctor *doctor, struct doctor_finding *finding)
{
    find(finding, DOCTOR_OK, "", "Database and signer answer; the database is whole.");
    if (!json_is_true(json_object_get(doctor->status, "store_answers")))
        find(finding, DOCTOR_FAIL,
             "See the server's log, the disk, and the permissions of postern.db.",
             "The database does not answer.");
    if (doctor_text(doctor, "store_damage")[0] != '\0')
        find(finding, DOCTOR_FAIL, "Stop the server and restore the database from a backup.",
             "The database is damaged: %s.", doctor_text(doctor, "store_damage"));
    if (!json_is_true(json_object_get(doctor->status, "signer_answers")))
        find(finding, DOCTOR_FAIL, "See the server's log: the supervisor starts it again.",
             "The signer does not answer.");
}

static void check_public_url(const struct doctor *doctor, struct doctor_finding *finding)
{
    const char *url = doctor_text(doctor, "public_url");
    const char *host = strstr(url, "://");
    host = host == NULL ? url : host + strlen("://");
    bool is_loopback = strncmp(host, "127.", 4) == 0 || strncmp(host, "[::1]", 5) == 0 ||
                       strncmp(host, "localhost", 9) == 0;
    find(finding, DOCTOR_OK, "", "Tokens name the issuer %s.", url);
    if (is_loopback)
        find(finding, DOCTOR_WARN, "Set public_url to the https:// origin that clients use.",
             "Tokens name the issuer %s, which only this machine can reach.", url);
    else if (strncmp(url, "https://", 8) != 0)
        find(finding, DOCTOR_WARN, "Set public_url to the https:// origin that clients use.",
             "Tokens name the issuer %s: secrets travel in the clear.", url);
}

/* True when something accepts at "ADDR:PORT". *ret_is_known: the port is a fixed one. */
static bool connects(const char *listen, bool *ret_is_known)
{
    char host[INET6_ADDRSTRLEN + 2] = "";
    const char *colon = strrchr(listen, ':');
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
                                   .ai_socktype = SOCK_STREAM};
    struct addrinfo *address = NULL;
    *ret_is_known = colon != NULL && strcmp(colon, ":0") != 0;
    if (!*ret_is_known)
        return false;
    bool is_bracketed = listen[0] == '[' && colon - listen >= 2;
    (void)snprintf(host, sizeof host, "%.*s", (int)(colon - listen) - (is_bracketed ? 2 : 0),
                   listen + (is_bracketed ? 1 : 0));
    if (getaddrinfo(host, colon + 1, &hints, &address) != 0)
        return false;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool is_open = fd >= 0 && connect(fd, address->ai_addr, address->ai_addrlen) == 0;
    if (fd >= 0 && !is_open && errno == EINPROGRESS) {
        struct pollfd pollfd = {.fd = fd, .events = POLLOUT};
        int error = 0;
        socklen_t size = sizeof error;
        is_open = poll(&pollfd, 1, CONNECT_MS) == 1 &&
                  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
    }
    if (fd >= 0)
        (void)close(fd);
    freeaddrinfo(address);
    return is_open;
}

static void check_listeners(const struct doctor *doctor, struct doctor_finding *finding)
{
    const json_t *listeners = json_object_get(doctor->status, "listen");
    find(finding, DOCTOR_OK, "", "Every configured listener accepts connections.");
    for (size_t i = 0; i < json_array_size(listeners); i++) {
        bool is_known;
        char listen[INET6_ADDRSTRLEN + 16] = ""; /* without "tls" and "for=…" */
        const char *row = json_string_value(json_array_get(listeners, i));
        if (row != NULL)
            (void)snprintf(listen, sizeof listen, "%.*s", (int)strcspn(row, " "), row);
        if (!connects(listen, &is_known) && is_known)
            find(finding, DOCTOR_FAIL, "See the server's log and the host's firewall.",
                 "Nothing accepts connections at %s.", listen);
    }
}

/* The value behind "Name:" in a file of /proc, from its first word on. False: not to be read. */
static bool read_proc(int64_t pid, const char *file, const char *name, char *value, size_t size)
{
    char path[64];
    char line[256];
    bool is_found = false;
    (void)snprintf(path, sizeof path, "/proc/%" PRId64 "/%s", pid, file);
    FILE *stream = fopen(path, "re");
    while (stream != NULL && !is_found && fgets(line, sizeof line, stream) != NULL) {
        if (strncmp(line, name, strlen(name)) != 0)
            continue;
        const char *at = line + strlen(name);
        at += strspn(at, ": \t");
        (void)snprintf(value, size, "%.*s", (int)strcspn(at, "\n"), at);
        is_found = true;
    }
    if (stream != NULL)
        (void)fclose(stream);
    return is_found;
}

/* The supervisor's child of that name; 0: not found. */
static int64_t child_of(int64_t supervisor, const char *wanted)
{
    char path[64];
    char name[64];
    char line[CHILDREN_LINE_MAX] = "";
    (void)snprintf(path, sizeof path, "/proc/%" PRId64 "/task/%" PRId64 "/children", supervisor,
                   supervisor);
    FILE *stream = fopen(path, "re");
    if (stream == NULL)
        return 0;
    bool is_read = fgets(line, sizeof line, stream) != NULL;
    (void)fclose(stream);
    struct span rest = span_cstr(line);
    struct span word;
    int64_t child;
    for (bool is_more = is_read; is_more;) {
        is_more = span_cut(&rest, ' ', &word);
        if (span_to_int64(word, &child) && read_proc(child, "status", "Name", name, sizeof name) &&
            strcmp(name, wanted) == 0)
            return child;
    }
    return 0;
}

/* proc_pid_status(5): Seccomp 2 is a filter; the first of Uid is the real one. */
static void check_confinement(const struct doctor *doctor, int64_t pid, const char *who,
                              struct doctor_finding *finding)
{
    int64_t landlock = doctor_number(doctor, "landlock_abi");
    char privileges[32] = "";
    char seccomp[32] = "";
    char user[64] = "";
    if (pid == 0 || !read_proc(pid, "status", "NoNewPrivs", privileges, sizeof privileges) ||
        !read_proc(pid, "status", "Seccomp", seccomp, sizeof seccomp) ||
        !read_proc(pid, "status", "Uid", user, sizeof user)) {
        find(finding, DOCTOR_WARN, "Run this on the server's host, as root or the server's user.",
             "The %s's confinement cannot be looked at.", who);
        return;
    }
    if (strcmp(user, "0") == 0 || strncmp(user, "0\t", 2) == 0)
        find(finding, DOCTOR_WARN, "Run the server as a user of its own, as the systemd unit does.",
             "The %s runs as root.", who);
    if (strcmp(seccomp, "2") != 0)
        find(finding, DOCTOR_WARN, "See `sandbox` in docs/config.md, and the log.",
             "The %s runs without a system call filter.", who);
    else if (landlock == 0)
        find(finding, DOCTOR_WARN, "Boot a kernel that has Landlock in its list of lsm.",
             "The %s runs under a system call filter alone: this kernel has no Landlock.", who);
    if (strcmp(privileges, "1") != 0)
        find(finding, DOCTOR_FAIL, "See the server's log.", "The %s could gain privileges.", who);
    if (finding->level == DOCTOR_OK)
        find(finding, DOCTOR_OK, "",
             "The %s runs without privileges, under a system call filter and Landlock (ABI "
             "%" PRId64 ").",
             who, landlock);
}

static void check_front(const struct doctor *doctor, struct doctor_finding *finding)
{
    check_confinement(doctor, doctor_number(doctor, "front_pid"), "front", finding);
}

static void check_signer(const struct doctor *doctor, struct doctor_finding *finding)
{
    check_confinement(doctor, child_of(doctor_number(doctor, "supervisor_pid"), "postern-signer"),
                      "signer", finding);
}

static void check_files(const struct doctor *doctor, struct doctor_finding *finding)
{
    char text[128];
    int64_t needed = doctor_number(doctor, "connections_max") + FILES_BESIDE_CONNECTIONS;
    if (!read_proc(doctor_number(doctor, "front_pid"), "limits", "Max open files", text,
                   sizeof text)) {
        find(finding, DOCTOR_WARN, "Run this on the server's host, as root or the server's user.",
             "The limit of open files cannot be looked at.");
        return;
    }
    int64_t limit = strtoll(text, NULL, 10);
    find(finding, DOCTOR_OK, "", "%" PRId64 " files may be open, enough for connections_max.",
         limit);
    if (limit > 0 && limit < needed)
        find(finding, DOCTOR_WARN, "Raise LimitNOFILE (ulimit -n), or lower connections_max.",
             "%" PRId64 " files may be open, but connections_max asks for %" PRId64 ".", limit,
             needed);
}

static void check_certificate(const struct doctor *doctor, struct doctor_finding *finding)
{
    int64_t not_after = doctor_number(doctor, "tls_not_after");
    int64_t days = (not_after - clock_wall_seconds()) / 86400;
    if (not_after == 0) {
        find(finding, DOCTOR_OK, "",
             "The server has no certificate of its own: TLS is the proxy's.");
        return;
    }
    find(finding, DOCTOR_OK, "", "The certificate is good for %" PRId64 " more days.", days);
    if (days < CERTIFICATE_WARN_DAYS)
        find(finding, DOCTOR_WARN, "Renew it; the server takes the new files by itself.",
             "The certificate is good for only %" PRId64 " more days.", days);
    if (not_after <= clock_wall_seconds())
        find(finding, DOCTOR_FAIL, "Renew it; the server takes the new files by itself.",
             "The certificate has expired.");
}

static void check_events(const struct doctor *doctor, struct doctor_finding *finding)
{
    int64_t dropped = doctor_number(doctor, "events_dropped");
    if (strcmp(doctor_text(doctor, "events"), "off") == 0)
        find(finding, DOCTOR_WARN, "Set events = file to see who was issued a token, and when.",
             "The event log is off.");
    else if (dropped > 0)
        find(finding, DOCTOR_WARN, "See disk space and the log; the sink is too slow or fails.",
             "The event log lost %" PRId64 " lines since the server started.", dropped);
    else
        find(finding, DOCTOR_OK, "", "The event log lost nothing since the server started.");
}

static void check_versions(const struct doctor *doctor, struct doctor_finding *finding)
{
    struct utsname kernel = {0};
    (void)uname(&kernel);
    const char *running = doctor_text(doctor, "version");
    find(finding, DOCTOR_OK, "",
         "postern %s, database schema %" PRId64 ", SQLite %s, OpenSSL %s, libuv %s, %s %s.",
         running, doctor_number(doctor, "schema_version"), doctor_text(doctor, "sqlite"),
         doctor_text(doctor, "openssl"), doctor_text(doctor, "libuv"), kernel.sysname,
         kernel.release);
    if (strcmp(running, POSTERN_VERSION) != 0)
        find(finding, DOCTOR_WARN, "Restart the server, or send it SIGUSR2.",
             "The server is version %s, this program version %s.", running, POSTERN_VERSION);
}

const struct doctor_check doctor_checks[] = {
    {"server", NEEDS_NOTHING, check_server},
    {"data", NEEDS_NOTHING, check_data},
    {"keys", NEEDS_DATA, check_keys},
    {"disk", NEEDS_DATA, check_disk},
    {"filesystem", NEEDS_DATA, check_file_system},
    {"clock", NEEDS_NOTHING, check_clock},
    {"parts", NEEDS_SERVER, check_parts},
    {"public_url", NEEDS_SERVER, check_public_url},
    {"listeners", NEEDS_SERVER, check_listeners},
    {"certificate", NEEDS_SERVER, check_certificate},
    {"front", NEEDS_SERVER, check_front},
    {"signer", NEEDS_SERVER, check_signer},
    {"files", NEEDS_SERVER, check_files},
    {"events", NEEDS_SERVER, check_events},
    {"versions", NEEDS_SERVER, check_versions},
};

const size_t doctor_check_count = ARRAY_LEN(doctor_checks);
