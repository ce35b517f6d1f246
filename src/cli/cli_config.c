/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "cli/cli_arguments.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { CONFIG_FILE_BYTES_MAX = 65536 };

extern char **environ;

static enum status read_config_file(struct span path, struct arena *arena, struct config *config,
                                    struct err *err)
{
    char *text = arena_alloc(arena, CONFIG_FILE_BYTES_MAX);
    int fd = open(path.ptr, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail(err, NOT_FOUND, "cannot open %.60s: %s", path.ptr, strerror(errno));
    ssize_t len = text == NULL ? -1 : read(fd, text, CONFIG_FILE_BYTES_MAX);
    (void)close(fd);
    if (len < 0 || len == CONFIG_FILE_BYTES_MAX)
        return fail(err, INVALID, "cannot read %.60s, or it is longer than 64 KiB", path.ptr);
    return config_read_file(config, span_of(text, (size_t)len), path.ptr, arena, err);
}

static enum status set_flag(const struct cli_option *option, struct arena *arena,
                            struct config *config, struct err *err)
{
    char name[64];
    if (option->name.len >= sizeof name)
        return fail(err, NOT_FOUND, "unknown option");
    for (size_t i = 0; i < option->name.len; i++)
        name[i] = option->name.ptr[i] == '-' ? '_' : option->name.ptr[i];
    return config_set(config, span_of(name, option->name.len), option->value, arena, err);
}

enum status cli_read_config(const struct cli *cli, struct arena *arena, struct config *ret_config,
                            struct err *err)
{
    struct span file = cli_option(cli, "config");
    config_defaults(ret_config);
    enum status status = file.len == 0 ? OK : read_config_file(file, arena, ret_config, err);
    if (status == OK)
        status = config_read_environment(ret_config, (const char *const *)environ, arena, err);
    config_source_begin(ret_config);
    for (size_t i = 0; i < cli->option_count && status == OK; i++) {
        struct span name = cli->options[i].name;
        bool is_own = cli_arguments_row(cli->command, name) != NULL ||
                      span_equal(name, SPAN("config")) || span_equal(name, SPAN("account"));
        if (!is_own || span_equal(name, SPAN("public-url")))
            status = set_flag(&cli->options[i], arena, ret_config, err);
    }
    return status == OK ? config_check(ret_config, err) : status;
}
