/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli_secret.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int cli_secret_open(const struct cli *cli, int *ret_fd)
{
    struct span file = cli_option(cli, "secret-file");
    struct span number = cli_option(cli, "secret-fd");
    *ret_fd = -1;
    if (cli_has(cli, "secret-file") && file.len == 0)
        return cli_usage(cli, "--secret-file needs a path");
    if (file.len > 0 && number.len > 0)
        return cli_usage(cli, "--secret-file and --secret-fd exclude each other");
    if (file.len > 0) {
        /* Options are argv's: NUL-terminated. Never over an existing file: it may hold the secret
         * in use. */
        *ret_fd = open(file.ptr, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (*ret_fd < 0)
            return cli_fail(cli, "cannot make %s: %s", file.ptr, strerror(errno));
    }
    if (number.len > 0) {
        int64_t fd;
        if (!span_to_int64(number, &fd) || fd > 1 << 20 || fcntl((int)fd, F_GETFD) < 0)
            return cli_usage(cli, "--secret-fd: there is no open descriptor %.*s",
                             SPAN_FMT(number));
        if ((fcntl((int)fd, F_GETFL) & O_ACCMODE) == O_RDONLY)
            return cli_usage(cli, "--secret-fd: descriptor %.*s is not open for writing",
                             SPAN_FMT(number));
        /* A copy: what is closed when the secret is written may be standard output. */
        *ret_fd = fcntl((int)fd, F_DUPFD_CLOEXEC, 3);
        if (*ret_fd < 0)
            return cli_fail(cli, "--secret-fd: %s", strerror(errno));
    }
    return 0;
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "" : text;
}

/* An app client's secret, or an API key's text. */
static const char *secret_of(const json_t *owner)
{
    const char *secret = text_of(owner, "client_secret");
    return secret[0] != '\0' ? secret : text_of(owner, "secret_key");
}

int cli_secret_write(const struct cli *cli, int take_fd, const json_t *client)
{
    const char *id = text_of(client, "id");
    const char *secret = secret_of(client);
    size_t len = strlen(secret);
    int error = 0;
    /* A pipe whose reader is gone is an error to tell, not the end of this program. */
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction kept;
    (void)sigaction(SIGPIPE, &ignore, &kept);
    ssize_t written = write(take_fd, secret, len);
    if (written != (ssize_t)len)
        error = written < 0 ? errno : ENOSPC;
    (void)sigaction(SIGPIPE, &kept, NULL);
    if (fsync(take_fd) != 0 && error == 0 && errno != EINVAL && errno != EROFS)
        error = errno; /* EINVAL: a pipe or terminal has nothing to sync */
    if (close(take_fd) != 0 && error == 0)
        error = errno;
    if (error == 0)
        return 0;
    if (cli_has(cli, "secret-file"))
        (void)unlink(cli_option(cli, "secret-file").ptr);
    if (text_of(client, "secret_key")[0] != '\0')
        return cli_fail(
            cli,
            "the API key %s exists, but its text cannot be written: %s. Read it back "
            "(postern api-key show %s --secret), or delete it (postern api-key delete %s)",
            id, strerror(error), id, id);
    return cli_fail(cli,
                    "the client %s exists, but its secret cannot be written: %s. Read the secret "
                    "back (postern app-client show %s --secret-file FILE), or delete the client "
                    "(postern app-client delete %s)",
                    id, strerror(error), id, id);
}

void cli_secret_abandon(const struct cli *cli, int take_fd)
{
    (void)close(take_fd);
    if (cli_has(cli, "secret-file"))
        (void)unlink(cli_option(cli, "secret-file").ptr);
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
    const char *secret = secret_of(client);
    if (token_url[0] == '\0')
        (void)fputs("postern: the token URL is left out: no server runs, and no public_url and no "
                    "listener with a fixed port is configured\n",
                    stderr);
    if (span_equal(format, SPAN("env"))) {
        if (token_url[0] != '\0')
            (void)printf("OAUTH_TOKEN_URL=%s\n", token_url);
        (void)printf("OAUTH_CLIENT_ID=%s\n", id);
        if (secret[0] != '\0')
            (void)printf("OAUTH_CLIENT_SECRET=%s\n", secret);
        return 0;
    }
    (void)fputs("apiVersion: v1\nkind: Secret\nmetadata:\n  name: ", stdout);
    print_object_name(text_of(client, "name"));
    (void)fputs("\ntype: Opaque\nstringData:\n", stdout);
    if (token_url[0] != '\0')
        (void)printf("  OAUTH_TOKEN_URL: \"%s\"\n", token_url);
    (void)printf("  OAUTH_CLIENT_ID: \"%s\"\n", id);
    if (secret[0] != '\0')
        (void)printf("  OAUTH_CLIENT_SECRET: \"%s\"\n", secret);
    return 0;
}
