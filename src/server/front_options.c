/* SPDX-License-Identifier: Apache-2.0 */
#include "server/front_options.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONFIG_BYTES_MAX = 65536 };

/* Numbers separated by commas. */
static bool read_numbers(struct span text, int *numbers, size_t max, size_t *ret_count)
{
    size_t count = 0;
    bool goes_on = text.len > 0;
    while (goes_on) {
        struct span number;
        int64_t value;
        goes_on = span_cut(&text, ',', &number);
        if (count == max || !span_to_int64(number, &value) || value > 1 << 20)
            return false;
        numbers[count++] = (int)value;
    }
    *ret_count = count;
    return true;
}

static bool read_number(struct span text, int *number)
{
    size_t count;
    return read_numbers(text, number, 1, &count) && count == 1;
}

static bool read_option(struct front_options *options, struct span name, struct span value)
{
    int loops = 0;
    if (span_equal(name, SPAN("--channel")))
        return read_number(value, &options->channel_fd);
    if (span_equal(name, SPAN("--config")))
        return read_number(value, &options->config_fd);
    if (span_equal(name, SPAN("--data")))
        return read_number(value, &options->data_fd);
    if (span_equal(name, SPAN("--control")))
        return read_number(value, &options->control_fd);
    if (span_equal(name, SPAN("--lock")))
        return read_number(value, &options->lock_fd);
    if (span_equal(name, SPAN("--listen")))
        return read_numbers(value, options->listen_fds, FRONT_LISTEN_MAX, &options->listen_count);
    if (span_equal(name, SPAN("--tls")))
        return read_numbers(value, options->tls_fds, 2, &options->tls_count);
    if (span_equal(name, SPAN("--lanes")))
        return read_numbers(value, options->lane_fds, FRONT_LANES_MAX, &options->lane_count);
    if (span_equal(name, SPAN("--issuer-configured"))) {
        options->is_issuer_configured = span_equal(value, SPAN("yes"));
        return true;
    }
    if (span_equal(name, SPAN("--ends-when-idle"))) {
        options->ends_when_idle = span_equal(value, SPAN("yes"));
        return true;
    }
    if (span_equal(name, SPAN("--waits"))) {
        options->waits = span_equal(value, SPAN("yes"));
        return true;
    }
    if (span_equal(name, SPAN("--loops")) && read_number(value, &loops) && loops > 0) {
        options->loop_count = (size_t)loops;
        return true;
    }
    return false;
}

static enum status read_config(int fd, struct arena *arena, struct config *config, struct err *err)
{
    char *text = arena_alloc(arena, CONFIG_BYTES_MAX);
    if (text == NULL)
        return fail(err, NO_MEMORY, "no memory for the configuration");
    ssize_t len = pread(fd, text, CONFIG_BYTES_MAX, 0);
    (void)close(fd);
    if (len < 0 || len == CONFIG_BYTES_MAX) /* what is cut would be read as something else */
        return fail(err, INVALID, "cannot read the configuration");
    config_defaults(config);
    return config_read_file(config, span_of(text, (size_t)len), "configuration", arena, err);
}

enum status front_options_read(int argc, char **argv, struct front_options *ret_options,
                               struct arena *arena, struct config *config, struct err *err)
{
    struct front_options options = {
        .channel_fd = -1, .config_fd = -1, .data_fd = -1, .control_fd = -1};
    for (int i = 1; i < argc; i += 2) {
        if (i + 1 == argc || !read_option(&options, span_cstr(argv[i]), span_cstr(argv[i + 1])))
            return fail(err, INVALID, "posternd is started by `postern serve`");
    }
    if (options.channel_fd < 0 || options.config_fd < 0 || options.data_fd < 0 ||
        options.control_fd < 0 || options.loop_count == 0 || options.loop_count > FRONT_LOOPS_MAX ||
        options.listen_count % options.loop_count != 0 || options.tls_count == 1)
        return fail(err, INVALID, "posternd is started by `postern serve`");
    enum status status = read_config(options.config_fd, arena, config, err);
    if (status == OK && options.lane_count != 1 + options.loop_count + (size_t)config->workers)
        return fail(err, INVALID, "posternd needs a lane for each thread");
    *ret_options = options;
    return status;
}

bool front_channel_tell(int channel_fd, enum channel_word word)
{
    char byte = (char)word;
    return send(channel_fd, &byte, 1, MSG_NOSIGNAL) == 1;
}

enum channel_word front_channel_receive(int channel_fd, int *ret_fds, size_t count)
{
    char word;
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(FRONT_LANES_MAX * sizeof(int))];
    } control;
    struct iovec data = {.iov_base = &word, .iov_len = 1};
    struct msghdr message = {.msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    if (recvmsg(channel_fd, &message, MSG_CMSG_CLOEXEC) != 1)
        return CHANNEL_NONE;
    if (word != CHANNEL_LANES)
        return word == CHANNEL_GO || word == CHANNEL_HAND_OVER ? (enum channel_word)word
                                                               : CHANNEL_NONE;
    const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header == NULL || header->cmsg_type != SCM_RIGHTS ||
        header->cmsg_len != CMSG_LEN(count * sizeof(int)))
        return CHANNEL_NONE;
    memcpy(ret_fds, CMSG_DATA(header), count * sizeof(int));
    return CHANNEL_LANES;
}
