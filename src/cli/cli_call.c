/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli_call.h"

#include "base/buf.h"
#include "codec/form.h"
#include "codec/json.h"
#include "codec/utf8.h"
#include "http/http_call.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CALL_TIMEOUT_MS = 60000, READY_LINE_MAX = 512, TARGET_LEN_MAX = 2048 };

/* Connects to the control socket in the data directory. -1 with errno. */
static int connect_control(const char *data)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int dir = open(data, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return -1;
    (void)snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/control.sock", dir);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int failed = fd < 0 ? -1 : connect(fd, (const struct sockaddr *)&address, sizeof address);
    int error = errno;
    (void)close(dir);
    if (failed != 0 && fd >= 0)
        (void)close(fd);
    errno = error;
    return failed == 0 ? fd : -1;
}

/* Starts `postern serve` without a network listener and waits until it is ready. It ends by itself
 * after its last connection. False with a message. */
static bool start_offline_server(const struct cli *cli, const char *data)
{
    struct span config = cli_option(cli, "config");
    int out[2];
    if (pipe2(out, O_CLOEXEC) != 0) {
        (void)cli_fail(cli, "cannot make a pipe: %s", strerror(errno));
        return false;
    }
    pid_t pid = fork();
    if (pid == 0) {
        /* A session of its own: ^C at the terminal ends the command, not a write in flight. */
        (void)setsid();
        if (dup2(out[1], STDOUT_FILENO) < 0)
            _exit(127);
        const char *arguments[10] = {"postern", "serve", "--offline", "--data", data};
        size_t count = 5;
        if (config.len > 0) {
            arguments[count++] = "--config";
            arguments[count++] = config.ptr;
        }
        if (cli->is_json) /* what it logs stands on our standard error */
            arguments[count++] = "--log-format=json";
        (void)execv("/proc/self/exe", (char *const *)(uintptr_t)arguments);
        _exit(127);
    }
    (void)close(out[1]);
    char line[READY_LINE_MAX];
    ssize_t got = pid < 0 ? -1 : read(out[0], line, sizeof line);
    (void)close(out[0]);
    struct span said = span_of(line, got < 0 ? 0 : (size_t)got);
    struct span first;
    (void)span_cut(&said, '\n', &first);
    if (span_starts(first, SPAN("ready ")))
        return true;
    if (span_starts(first, SPAN("failed ")))
        (void)cli_fail(cli, "%.*s", SPAN_FMT(span_from(first, SPAN("failed ").len)));
    else
        (void)cli_fail(cli, "no server could be started for %s: its messages say why", data);
    return false;
}

bool cli_call_is_offline(struct cli *cli)
{
    char word[8] = {0};
    struct span path = arena_printf(&cli->arena, "%.*s/lock", SPAN_FMT(cli->config.data));
    int fd = path.ptr == NULL ? -1 : open(path.ptr, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t got = fd < 0 ? -1 : pread(fd, word, sizeof word - 1, 0);
    if (fd >= 0)
        (void)close(fd);
    return got > 0 && strcmp(word, "offline") == 0;
}

static int open_connection(const struct cli *cli, const char *data)
{
    int fd = connect_control(data);
    if (fd < 0 && (errno == ENOENT || errno == ECONNREFUSED) && access(data, F_OK) == 0) {
        if (!start_offline_server(cli, data))
            return -2; /* it has said why */
        fd = connect_control(data);
    }
    return fd;
}

/* The server's messages, one a line, with the fields they are about; with --json as it sent them.
 */
static int print_error(const struct cli *cli, const struct cli_answer *answer)
{
    if (cli->is_json && answer->json != NULL) {
        (void)json_dumpf(answer->json, stderr, JSON_COMPACT | JSON_ENSURE_ASCII);
        (void)fputc('\n', stderr);
        return 1;
    }
    const json_t *messages = json_object_get(answer->json, "messages");
    const json_t *fields = json_object_get(answer->json, "field_errors");
    const json_t *request_id = json_object_get(answer->json, "request_id");
    const char *field;
    json_t *text;
    for (size_t i = 0; i < json_array_size(messages); i++)
        (void)cli_fail(cli, "%s", json_string_value(json_array_get(messages, i)));
    json_object_foreach((json_t *)(uintptr_t)fields, field, text)(void)
        fprintf(stderr, "  %s: %s\n", field, json_string_value(text));
    if (json_is_string(request_id))
        (void)fprintf(stderr, "  (status %d, request %s)\n", answer->status,
                      json_string_value(request_id));
    return 1;
}

/* One exchange over a connection, which is closed. */
static enum status exchange(struct cli *cli, int take_fd, struct http_call *call,
                            struct http_answer *ret_answer, struct err *err)
{
    call->socket_fd = take_fd;
    call->timeout_ms = CALL_TIMEOUT_MS;
    enum status status = http_call(call, &cli->arena, ret_answer, err);
    (void)close(take_fd);
    return status;
}

/* Starts a server when none runs. 0, or the exit status when there is no answer. */
static int ask(struct cli *cli, struct http_call *call, struct http_answer *ret_answer)
{
    struct err err = {0};
    char *data = arena_cstr(&cli->arena, cli->config.data);
    if (data == NULL)
        return cli_fail(cli, "no memory");
    int fd = open_connection(cli, data);
    if (fd == -2)
        return 1;
    if (fd < 0 && access(data, F_OK) != 0 && errno == ENOENT)
        return cli_fail(cli,
                        "there is no data directory %s: start `postern serve`, or name another "
                        "with --data or POSTERN_DATA",
                        data);
    if (fd < 0)
        return cli_fail(cli, "cannot reach a server in the data directory %s: %s%s", data,
                        strerror(errno),
                        errno == EACCES ? ": run this as root or as the server's user" : "");
    if (exchange(cli, fd, call, ret_answer, &err) != OK)
        return cli_fail(cli, "the server does not answer: %s", err.detail);
    return 0;
}

/* Takes the answer's JSON; an error answer is printed and ends with 1. */
static int take_json(const struct cli *cli, const struct http_answer *answer,
                     struct cli_answer *ret_answer)
{
    struct err err = {0};
    *ret_answer = (struct cli_answer){.status = answer->status};
    if (answer->body.len > 0 &&
        json_parse(answer->body, &json_limits_default, &ret_answer->json, &err) != OK)
        return cli_fail(cli, "the server's answer is not JSON");
    if (answer->status >= 200 && answer->status <= 299)
        return 0;
    int result = print_error(cli, ret_answer);
    cli_answer_done(ret_answer);
    return result;
}

static void auto_text(char **text)
{
    free(*text);
}

/* NUL-terminated, for free(): not json_dumps(), whose text is from Jansson's allocator
 * (codec/json.h). NULL without memory. */
static char *dump(const json_t *json, size_t flags)
{
    size_t len = json_dumpb(json, NULL, 0, flags);
    char *text = len == 0 ? NULL : malloc(len + 1);
    if (text != NULL && json_dumpb(json, text, len, flags) == len) {
        text[len] = '\0';
        return text;
    }
    free(text);
    return NULL;
}

int cli_call(struct cli *cli, const char *method, struct span target, const json_t *body,
             struct cli_answer *ret_answer)
{
    struct http_answer answer = {0};
    AUTO(text) char *text = NULL;
    if (body != NULL) {
        text = dump(body, JSON_COMPACT);
        if (text == NULL)
            return cli_fail(cli, "no memory");
    }
    const struct header account = {SPAN("postern-account"), cli_option(cli, "account")};
    struct http_call call = {.method = span_cstr(method),
                             .target = target,
                             .headers = &account,
                             .header_count = account.value.len > 0 ? 1 : 0,
                             .body = span_cstr(text)};
    int result = ask(cli, &call, &answer);
    return result == 0 ? take_json(cli, &answer, ret_answer) : result;
}

int cli_call_text(struct cli *cli, struct span target, struct span *ret_text)
{
    struct err err = {0};
    struct http_answer answer = {0};
    struct cli_answer refusal;
    struct http_call call = {.method = SPAN("GET"), .target = target};
    char *data = arena_cstr(&cli->arena, cli->config.data);
    int fd = data == NULL || cli_call_is_offline(cli) ? -1 : connect_control(data);
    if (fd < 0)
        return cli_fail(cli, "no server runs in the data directory %.*s: see `postern doctor`",
                        SPAN_FMT(cli->config.data));
    if (exchange(cli, fd, &call, &answer, &err) != OK)
        return cli_fail(cli, "the server does not answer: %s", err.detail);
    if (answer.status != 200)
        return take_json(cli, &answer, &refusal) == 0 ? cli_fail(cli, "no answer") : 1;
    *ret_text = answer.body;
    return 0;
}

enum status cli_call_running(struct cli *cli, struct span target, json_t **ret_json,
                             struct err *err)
{
    struct http_answer answer = {0};
    struct http_call call = {.method = SPAN("GET"), .target = target};
    char *data = arena_cstr(&cli->arena, cli->config.data);
    int fd = data == NULL ? -1 : connect_control(data);
    if (fd < 0)
        return fail(err, UNAVAILABLE, "%s", strerror(errno));
    enum status status = exchange(cli, fd, &call, &answer, err);
    if (status == OK && answer.status != 200)
        return fail(err, UNAVAILABLE, "it answers %d", answer.status);
    return status == OK ? json_parse(answer.body, &json_limits_default, ret_json, err) : status;
}

void cli_answer_done(struct cli_answer *answer)
{
    json_decref(answer->json);
    answer->json = NULL;
}

struct span cli_target(struct cli *cli, const char *collection, struct span id)
{
    struct buf target;
    buf_init_arena(&target, &cli->arena, TARGET_LEN_MAX);
    buf_put(&target, span_cstr(collection));
    buf_byte(&target, '/');
    percent_encode(&target, id);
    /* Too long for any id: the server says that there is none. */
    return buf_ok(&target) ? buf_span(&target) : arena_printf(&cli->arena, "%s/-", collection);
}

const char *cli_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "" : text;
}

/* Is there nothing in the text that a terminal would obey, or a reader be misled by? */
static bool is_plain(struct span text)
{
    struct span line;
    bool is_more = true;
    while (is_more) {
        is_more = span_cut(&text, '\n', &line);
        if (!utf8_is_plain(line))
            return false;
    }
    return true;
}

void cli_print_json(const json_t *json)
{
    const size_t flags = JSON_INDENT(2) | JSON_PRESERVE_ORDER;
    AUTO(text) char *text = dump(json, flags);
    if (text != NULL && is_plain(span_cstr(text)))
        (void)fputs(text, stdout);
    else
        (void)json_dumpf(json, stdout, flags | JSON_ENSURE_ASCII);
    (void)putchar('\n');
}
