/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli_secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int cli_secret_open(const struct cli *cli, int *ret_fd)
{
    struct span file = cli_option(cli, "secret-file");
    struct span number = cli_option(cli, "secret-fd");
    *ret_fd = -1;
    if (cli_has(cli, "secret-file") && file.len == 0)
        return cli_usage("--secret-file needs a path");
    if (file.len > 0 && number.len > 0)
        return cli_usage("--secret-file and --secret-fd exclude each other");
    if (file.len > 0) {
        /* Options are argv's: NUL-terminated. Never over an existing file: it may hold the secret
         * in use. */
        *ret_fd = open(file.ptr, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (*ret_fd < 0)
            return cli_fail("cannot make %s: %s", file.ptr, strerror(errno));
    }
    if (number.len > 0) {
        int64_t fd;
        if (!span_to_int64(number, &fd) || fd > 1 << 20 || fcntl((int)fd, F_GETFD) < 0)
            return cli_usage("--secret-fd: there is no open descriptor %.*s", SPAN_FMT(number));
        if ((fcntl((int)fd, F_GETFL) & O_ACCMODE) == O_RDONLY)
            return cli_usage("--secret-fd: descriptor %.*s is not open for writing",
                             SPAN_FMT(number));
        *ret_fd = (int)fd;
    }
    return 0;
}

int cli_secret_write(int take_fd, const char *secret)
{
    size_t len = strlen(secret);
    int error = 0;
    ssize_t written = write(take_fd, secret, len);
    if (written != (ssize_t)len)
        error = written < 0 ? errno : ENOSPC;
    if (fsync(take_fd) != 0 && error == 0 && errno != EINVAL && errno != EROFS)
        error = errno; /* EINVAL: a pipe or terminal has nothing to sync */
    if (close(take_fd) != 0 && error == 0)
        error = errno;
    return error == 0 ? 0 : cli_fail("cannot write the secret: %s", strerror(error));
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "" : text;
}

/* A Kubernetes object name of the client's name: lower case, what is not allowed becomes '-'. */
static void print_object_name(const char *name)
{
    bool is_after_letter = false;
    for (; *name != '\0'; name++) {
        char letter = *name >= 'A' && *name <= 'Z' ? (char)(*name - 'A' + 'a') : *name;
        bool is_allowed = (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9');
        if (is_allowed || (is_after_letter && name[1] != '\0'))
            (void)putchar(is_allowed ? letter : '-');
        is_after_letter = is_after_letter || is_allowed;
    }
    (void)fputs(is_after_letter ? "-oauth" : "oauth", stdout);
}

int cli_secret_print(const struct cli *cli, const json_t *client, const char *token_url)
{
    struct span format = cli_option(cli, "format");
    const char *id = text_of(client, "client_id");
    const char *secret = text_of(client, "client_secret");
    if (span_equal(format, SPAN("env"))) {
        (void)printf("OAUTH_TOKEN_URL=%s\nOAUTH_CLIENT_ID=%s\n", token_url, id);
        if (secret[0] != '\0')
            (void)printf("OAUTH_CLIENT_SECRET=%s\n", secret);
        return 0;
    }
    (void)fputs("apiVersion: v1\nkind: Secret\nmetadata:\n  name: ", stdout);
    print_object_name(text_of(client, "name"));
    (void)printf(
        "\ntype: Opaque\nstringData:\n  OAUTH_TOKEN_URL: \"%s\"\n  OAUTH_CLIENT_ID: \"%s\"\n",
        token_url, id);
    if (secret[0] != '\0')
        (void)printf("  OAUTH_CLIENT_SECRET: \"%s\"\n", secret);
    return 0;
}
